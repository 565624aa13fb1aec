"""The child side of the sandbox: ``python -I -m imgguard.imaging.decoder_process LIFELINE LIMITS``.

Reads files from the socket on its standard input and answers with pictures, until the other end is gone. Started by
`imgguard.imaging.sandbox` only. LIFELINE is the number of a pipe whose other end the parent holds, LIMITS the fields
of `DecodeLimits` as JSON.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import AvifImagePlugin

from imgguard.errors import ImageTooLarge, InputError
from imgguard.imaging import wire
from imgguard.imaging.confinement import confine, limit_cpu
from imgguard.imaging.credentials import Unread, to_json, unreadable
from imgguard.imaging.decode import decode_bytes
from imgguard.imaging.image import DecodeLimits
from imgguard.imaging.lifeline import die_with_parent

_SOCKET = 0


def main() -> None:
    """Serve until the parent closes the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline, limits = int(sys.argv[1]), DecodeLimits(**json.loads(sys.argv[2]))
    die_with_parent(lifeline)
    confine(memory_bytes=limits.memory_bytes)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the pool is what uses the cores
    _send({"ready": os.getpid()})
    # Only the start may speak; what libraries print about files belongs to nobody.
    os.dup2(1, 2)
    while (request := _receive()) is not None:
        limit_cpu(limits.seconds)
        header, data = request
        trust = wire.trust_of(header)
        if trust is None:
            _answer(data, limits)
        else:
            _answer_credentials(data, trust)


def _answer(request: bytes, limits: DecodeLimits) -> None:
    try:
        image = decode_bytes(request, limits)
        _send(wire.picture_header(image), image.working.data.cast("B"))
    except MemoryError:
        _send(wire.error_header(ImageTooLarge("decoding needs more memory than is allowed")))
    except InputError as error:
        _send(wire.error_header(error))


def _answer_credentials(data: bytes, trust: str) -> None:
    """The library is loaded for the first file that has credentials: most processes never see one."""
    try:
        from imgguard.imaging.credentials_reader import read_credentials
    except (ImportError, OSError, MemoryError, AttributeError, RuntimeError):
        found = unreadable(Unread.NO_LIBRARY)
    else:
        with _no_new_files():
            try:
                found = read_credentials(data, trust=trust)
            except MemoryError:
                found = unreadable(Unread.MALFORMED)
    _send({}, memoryview(to_json(found).encode()))


@contextmanager
def _no_new_files() -> Iterator[None]:
    """Neither a file nor a socket can be opened meanwhile: the library asks nobody, whatever a file makes it want."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _receive() -> tuple[bytes, bytes] | None:
    """Header and body of the next request, or None when the parent has closed the socket."""
    prefix = _read(wire.PREFIX.size)
    if prefix is None:
        return None
    header_length, length = wire.PREFIX.unpack(prefix)
    header, data = _read(header_length), _read(length)
    return None if header is None or data is None else (header, data)


def _read(length: int) -> bytes | None:
    buffer = bytearray(length)
    view, filled = memoryview(buffer), 0
    while filled < length:
        count = os.readv(_SOCKET, [view[filled:]])
        if count == 0:
            return None
        filled += count
    return bytes(buffer)


def _send(header: dict[str, object], body: memoryview = memoryview(b"")) -> None:
    for part in (memoryview(wire.pack(header, body)), body):
        sent = 0
        while sent < len(part):
            sent += os.write(_SOCKET, part[sent:])


if __name__ == "__main__":
    main()
