"""What goes over the socket between the service and the process that builds packets.

A request is ``>I`` (length) and JSON: on whose behalf, and what. The process builds with the rights of then and stores
the packet itself, so that the answer is an id, however large the packet. `imgguard.worker.frames` has the rest.
"""

import struct
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imgguard.errors import ImgguardError, InputError
from imgguard.evidence.packet.model import Purpose
from imgguard.services.member_packets import PacketOrder
from imgguard.worker.frames import MAX_HEADER_BYTES, BadFrame, Problem

_REQUEST = struct.Struct(">I")


class Request(BaseModel):
    """What a packet is asked for: by which member, and by which of its keys, if by one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    member_id: str
    key_id: str | None
    ids: tuple[str, ...]
    purpose: Purpose
    on_behalf_of: str | None
    with_originals: bool

    @property
    def order(self) -> PacketOrder:
        return PacketOrder(
            ids=self.ids,
            purpose=self.purpose,
            on_behalf_of=self.on_behalf_of,
            with_originals=self.with_originals,
        )


class _Result(BaseModel):
    """Either an id or a problem."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    packet_id: str | None = Field(default=None, pattern=r"^pkt_[0-9a-z]{26}$")
    problem: Problem | None = None


def request_of(request: Request) -> bytes:
    """Raises InputError for texts that are too long."""
    content = request.model_dump_json().encode()
    if len(content) > MAX_HEADER_BYTES:
        raise InputError("what the packet is to be about is too long", hint="Shorten it.")
    return _REQUEST.pack(len(content)) + content


def read_request(read: Callable[[int], bytes]) -> Request:
    """The other side of `request_of`. Raises BadFrame, and what ``read`` raises."""
    (length,) = _REQUEST.unpack(read(_REQUEST.size))
    if length > MAX_HEADER_BYTES:
        raise BadFrame("a request that is too long")
    try:
        return Request.model_validate_json(read(length))
    except ValidationError as error:
        raise BadFrame("a request of another form") from error


def result(outcome: str | ImgguardError) -> bytes:
    """The content of the frame that answers a request: the id of the packet, or what went wrong."""
    if isinstance(outcome, ImgguardError):
        return _Result(problem=Problem.of(outcome)).model_dump_json().encode()
    return _Result(packet_id=outcome).model_dump_json().encode()


def parse(content: bytes) -> str:
    """The id of the packet. Raises BadFrame, and the error with which building failed."""
    try:
        found = _Result.model_validate_json(content)
    except ValidationError as error:
        raise BadFrame("a reply of another form") from error
    if found.problem is not None and found.packet_id is None:
        raise found.problem.error()
    if found.packet_id is None or found.problem is not None:
        raise BadFrame("a reply that is not one of packet and problem")
    return found.packet_id
