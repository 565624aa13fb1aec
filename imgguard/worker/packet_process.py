"""A process that builds one packet: ``python -m imgguard.worker.packet_process LIFELINE [MAKE]``.

Started by `imgguard.worker.asked_child` only. On the socket that is its standard input come the settings, one line of
JSON, and one request; it is answered, and the process ends. LIFELINE is the number of a pipe whose other end the
service holds. MAKE, for tests, is ``package.module:function``: what builds in place of `PacketMaking`, made of the
services.
"""

import logging
import pkgutil
import signal
import sys

from imgguard.bootstrap import Services
from imgguard.errors import ImgguardError
from imgguard.imaging.lifeline import die_with_parent
from imgguard.services.member_packets import PacketMaker
from imgguard.worker import packet_wire as wire
from imgguard.worker.frames import TAKEN, BadFrame, ServiceGone, frame, read_socket, write_socket
from imgguard.worker.process import settings_from

_SOCKET = 0
_BROKEN = 1

_log = logging.getLogger(__name__)


def main() -> int:
    """Answer one request; the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(sys.argv[1]))
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(process)d %(message)s")
    try:
        settings = settings_from(_SOCKET)
        request = wire.read_request(read_socket)
    except ServiceGone:
        return 0
    except BadFrame as error:
        _log.error("the process that builds packets ends, since it was sent %s", error)
        return _BROKEN
    write_socket(frame(TAKEN))
    with Services(settings, several=True) as services:
        outcome = _built(services, sys.argv[2:], request)
    write_socket(frame(wire.result(outcome)))
    return 0


def _built(services: Services, make: list[str], request: wire.Request) -> str | ImgguardError:
    try:
        maker: PacketMaker = pkgutil.resolve_name(make[0])(services) if make else services.packet_maker
        return maker.make(services.identity.acting(request.member_id, request.key_id), request.order)
    except ImgguardError as error:
        return error
    except Exception as error:
        _log.exception("unexpected error while a packet was built")
        # What an unforeseen error says may name files of the machine, or other people's data.
        return ImgguardError(f"unexpected error: {type(error).__name__}")


if __name__ == "__main__":
    sys.exit(main())
