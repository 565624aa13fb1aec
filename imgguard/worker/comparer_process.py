"""The process that compares: ``python -m imgguard.worker.comparer_process LIFELINE [MAKE]``.

Started by `imgguard.worker.asked_child` only. On the socket that is its standard input come the settings, one line
of JSON, then requests; each is answered before the next is read, and the end of the socket is the end. LIFELINE is the
number of a pipe whose other end the service holds. MAKE, for tests, is ``package.module:function``: what compares in
place of `Services.comparison`, made of the services. The index is not loaded, and the database not opened.
"""

import logging
import pkgutil
import signal
import sys

from imgguard.bootstrap import Services
from imgguard.bootstrap.allocator import give_back
from imgguard.errors import ImgguardError
from imgguard.imaging.lifeline import die_with_parent
from imgguard.services.comparison import Comparer
from imgguard.services.contract import CompareLine
from imgguard.worker import comparer_wire as wire
from imgguard.worker.frames import TAKEN, BadFrame, ServiceGone, frame, read_socket, write_socket
from imgguard.worker.process import resident_bytes, settings_from

_SOCKET = 0
_BROKEN = 1

_COMPARISONS = 200
"""A process is replaced after so many. In an hour in which it was never idle, one grew from 327 to 352 MB."""

_log = logging.getLogger(__name__)


def main() -> int:
    """Serve until the service closes the socket, or this process is spent; the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(sys.argv[1]))
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(process)d %(message)s")
    give_back()
    with Services(settings_from(_SOCKET), several=True) as services:
        comparer = _made(services, sys.argv[2:])
        try:
            for left in reversed(range(_COMPARISONS)):
                if not _serve(comparer, services, is_last=left == 0):
                    break
        except ServiceGone:
            return 0
        except BadFrame as error:  # where the next request begins is not known any more
            _log.error("the process that compares ends, since it was sent %s", error)
            return _BROKEN
    return 0


def _made(services: Services, make: list[str]) -> Comparer | ImgguardError:
    """An error is told to whoever asks for a comparison first."""
    try:
        made: Comparer = pkgutil.resolve_name(make[0])(services) if make else services.comparison
    except ImgguardError as error:
        return error
    return made


def _serve(comparer: Comparer | ImgguardError, services: Services, *, is_last: bool) -> bool:
    """Answer one request; whether this process is good for another. Raises ServiceGone, BadFrame."""
    names, query, reference = wire.read_request(read_socket, most=services.settings.max_image_bytes)
    write_socket(frame(TAKEN))
    outcome, is_whole = _compared(comparer, names, query, reference)
    is_spent = is_last or not is_whole or resident_bytes() > services.settings.worker_memory_bytes
    write_socket(frame(wire.result(outcome, is_spent=is_spent)))
    return not is_spent


def _compared(
    comparer: Comparer | ImgguardError, names: wire.Names, query: bytes, reference: bytes
) -> tuple[CompareLine | ImgguardError, bool]:
    """What came of it, and whether this process is whole after it."""
    if isinstance(comparer, ImgguardError):
        return comparer, False
    try:
        return comparer.compare(query, reference, **names.model_dump()).line, True
    except ImgguardError as error:
        return error, True
    except Exception as error:
        _log.exception("unexpected error at a comparison")
        # What an unforeseen error says may name files of the machine, or other people's data.
        return ImgguardError(f"unexpected error: {type(error).__name__}"), False


if __name__ == "__main__":
    sys.exit(main())
