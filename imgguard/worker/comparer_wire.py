"""What goes over the socket between the service and the process that compares.

A request is ``>III`` (lengths of header, query and reference), the header (JSON: file names and profile), and the bytes
of both pictures. `imgguard.worker.frames` has the answers; a result is used only after `parse` has checked it.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from imgguard.errors import ImgguardError, InputError
from imgguard.services.contract import CompareLine
from imgguard.worker.frames import MAX_HEADER_BYTES, BadFrame, Problem

REQUEST = struct.Struct(">III")


class Names(BaseModel):
    """The header of a request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    reference_file: str
    profile: str


class _Result(BaseModel):
    """Either a line or a problem."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line: CompareLine | None = None
    problem: Problem | None = None
    is_spent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """``is_spent``: the process should make room for a fresh one."""

    outcome: CompareLine | ImgguardError
    is_spent: bool


def request(names: Names, query: bytes, reference: bytes) -> tuple[bytes, bytes, bytes]:
    """The parts of a frame, in order; apart, to spare a copy. Raises InputError for names that are too long."""
    header = json.dumps(names.model_dump()).encode()  # in ASCII, whatever the names are
    if len(header) > MAX_HEADER_BYTES:
        raise InputError("the names of the files are too long", hint="Shorten them.")
    return REQUEST.pack(len(header), len(query), len(reference)) + header, query, reference


def read_request(read: Callable[[int], bytes], *, most: int) -> tuple[Names, bytes, bytes]:
    """The other side of `request`. ``read`` gives so many bytes, ``most`` is the size of the largest picture.

    Raises BadFrame, and what ``read`` raises.
    """
    header_length, *lengths = REQUEST.unpack(read(REQUEST.size))
    if header_length > MAX_HEADER_BYTES or max(lengths) > most:
        raise BadFrame("a request that is too long")
    try:
        names = Names.model_validate(json.loads(read(header_length)))
    except (ValueError, RecursionError) as error:
        raise BadFrame("a request without names") from error
    query, reference = map(read, lengths)
    return names, query, reference


def result(outcome: CompareLine | ImgguardError, *, is_spent: bool) -> bytes:
    """The content of the frame that answers a request."""
    if isinstance(outcome, ImgguardError):
        return _Result(problem=Problem.of(outcome), is_spent=is_spent).model_dump_json().encode()
    return _Result(line=outcome, is_spent=is_spent).model_dump_json().encode()


def parse(content: bytes) -> Reply:
    """The other side of `result`. Raises BadFrame."""
    try:
        found = _Result.model_validate_json(content)
    except (ValidationError, ValueError) as error:
        raise BadFrame("a reply of another form") from error
    if found.problem is not None and found.line is None:
        return Reply(outcome=found.problem.error(), is_spent=found.is_spent)
    if found.line is None or found.problem is not None:
        raise BadFrame("a reply that is not one of line and problem")
    return Reply(outcome=found.line, is_spent=found.is_spent)
