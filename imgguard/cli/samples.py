"""The sample images: where they are, and whether what was found in them is what is known of them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgguard.cli.inputs import expand
from imgguard.errors import ConfigurationError

if TYPE_CHECKING:
    from imgguard.services.contract import CheckLine
    from imgguard.services.sources import Source

CHECKOUT = Path(__file__).resolve().parents[2]
MOST_MISSED = 1
"""Copies that may go unfound: the one whose background was replaced is at the limit of what can be told."""

_FOLDER = "sample_images"


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Pictures to register, pictures to check, and what is known of the latter, by name (sample_images/README.md)."""

    originals: "tuple[Source, ...]"
    listings: "tuple[Source, ...]"
    truth: Mapping[str, Mapping[str, Any]]


def samples_at_hand() -> Samples:
    """Raises ConfigurationError when they did not come along."""
    for base in (CHECKOUT, Path.cwd()):
        folder = base / _FOLDER
        if (folder / "originals").is_dir() and (folder / "listings").is_dir():
            return samples_in(folder)
    raise ConfigurationError(
        f"the folder {_FOLDER} was not found",
        hint="The demo needs a checkout of the repository: run it there, or with `make demo`.",
    )


def samples_in(folder: Path) -> Samples:
    """The samples of ``folder``; each goes by its bare name. Raises ConfigurationError without expected.json."""
    from imgguard.services.sources import Source

    try:
        truth = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{folder / 'expected.json'} cannot be read: {error}") from error
    originals, listings = (
        tuple(Source(path=path, file=path.name) for path in expand([str(folder / name)]))
        for name in ("originals", "listings")
    )
    return Samples(originals=originals, listings=listings, truth=truth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How findings compare with the truth: names of copies without their original, and of others taken for copies."""

    copies: int
    honest: int
    missed: tuple[str, ...]
    accused: tuple[str, ...]

    @property
    def problems(self) -> list[str]:
        """What must not be, in sentences; empty if all is well."""
        problems = []
        if self.accused:
            problems.append(f"taken for a copy, but known to be none: {', '.join(self.accused)}")
        if len(self.missed) > MOST_MISSED:
            found, least = self.copies - len(self.missed), self.copies - MOST_MISSED
            missed = ", ".join(self.missed)
            problems.append(f"{found} of {self.copies} copies found, at least {least} are expected; missed: {missed}")
        return problems

    def sentences(self) -> list[str]:
        """The score for people."""
        missed = f" Not found: {', '.join(self.missed)}." if self.missed else ""
        return [
            f"{self.copies - len(self.missed)} of {self.copies} copies found, with the right original.{missed}",
            f"{len(self.accused)} of {self.honest} honest pictures taken for a copy.",
        ]


def score(lines: "Iterable[CheckLine]", truth: Mapping[str, Mapping[str, Any]]) -> Score:
    """What was found against what is known; a listing without a line counts as missed."""
    found = {line.file: line for line in lines if line.verdict == "copy"}
    copies = {name: entry["original"] for name, entry in truth.items() if entry["verdict"] == "copy"}
    missed = [name for name in copies if name not in found or found[name].matches[0].file != copies[name]]
    return Score(
        copies=len(copies),
        honest=len(truth) - len(copies),
        missed=tuple(sorted(missed)),
        accused=tuple(sorted(found.keys() - copies.keys())),
    )
