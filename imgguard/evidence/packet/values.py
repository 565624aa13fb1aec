"""The kinds of value that `packet.json` is made of, each with its limits."""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

LARGEST_INTEGER = 2**53 - 1  # larger ones change in readers that know only doubles (RFC 8259, section 6)

_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


class PacketObject(BaseModel):
    """Frozen, and read as it is written: no field too many, no text for a number, no NaN."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def _utc(at: AwareDatetime) -> AwareDatetime:
    if at.utcoffset() != timedelta(0):
        raise ValueError("the time is not in UTC")
    return at


def _inside(path: str) -> str:
    """Parts begin with a letter, a digit or an underscore: no ``..``, no hidden file, nothing absolute."""
    if not _PATH.fullmatch(path):
        raise ValueError("not a relative path of plain names")
    return path


type UtcTime = Annotated[AwareDatetime, AfterValidator(_utc)]
type PacketPath = Annotated[str, Field(max_length=200), AfterValidator(_inside)]
type Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
type Id = Annotated[str, Field(pattern="^[A-Za-z0-9_.:-]{1,100}$")]
type Keyword = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")]
type Text = Annotated[str, Field(max_length=4000)]
"""Anything that people or files say, an empty string too."""
type LongText = Annotated[str, Field(max_length=20_000)]
type Count = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
type Side = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
"""Pixels along one side."""
type Share = Annotated[float, Field(ge=0, le=1.01)]


def given(paths: Iterable[str | None]) -> Iterator[str]:
    """Those that are not None."""
    return (path for path in paths if path is not None)
