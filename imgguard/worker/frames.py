"""What goes over the socket between the service and a process that it asks, whatever it asks for.

The answers to a request are frames of ``>I`` (length) and JSON: first `TAKEN`, once the process has the whole request,
then the result. Who hears no `TAKEN` knows that nothing was begun. Nothing is ever unpickled, and no length is believed
beyond its bound.
"""

import os
import struct
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from imgguard import errors
from imgguard.errors import ImgguardError

REPLY = struct.Struct(">I")
TAKEN = b'{"taken":true}'
MAX_HEADER_BYTES = 65_536
MAX_REPLY_BYTES = 1_048_576
"""A result has a few thousand bytes."""

_SOCKET = 0  # a process that is asked has it for its standard input
_MAX_TEXT = 1_000
_BY_CODE: dict[str, type[ImgguardError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ImgguardError)
}


class BadFrame(Exception):
    """What came is not what the protocol allows."""


class ServiceGone(Exception):
    """The service has closed the socket."""


class Problem(BaseModel):
    """An error, as it goes over the socket."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(max_length=100)
    detail: str = Field(max_length=_MAX_TEXT)
    hint: str = Field(max_length=_MAX_TEXT)

    @classmethod
    def of(cls, error: ImgguardError) -> "Problem":
        """The texts are cut to what the other side takes."""
        return cls(code=error.code, detail=error.detail[:_MAX_TEXT], hint=error.advice[:_MAX_TEXT])

    def error(self) -> ImgguardError:
        """As it was raised; of a code that is not known, a bug."""
        return _BY_CODE.get(self.code, ImgguardError)(self.detail, hint=self.hint)


def frame(content: bytes) -> bytes:
    """A reply with its length."""
    return REPLY.pack(len(content)) + content


def read_frame(read: Callable[[int], bytes]) -> bytes:
    """The other side of `frame`. Raises BadFrame, and what ``read`` raises."""
    (length,) = REPLY.unpack(read(REPLY.size))
    if length > MAX_REPLY_BYTES:
        raise BadFrame(f"a reply of {length} bytes")
    return read(length)


def read_socket(length: int) -> bytes:
    """So many bytes from the service, in a process that it asks. Raises ServiceGone."""
    buffer = bytearray(length)
    view, filled = memoryview(buffer), 0
    while filled < length:
        count = os.readv(_SOCKET, [view[filled:]])
        if count == 0:
            raise ServiceGone
        filled += count
    return bytes(buffer)


def write_socket(data: bytes) -> None:
    """To the service, from a process that it asks."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(_SOCKET, rest) :]
