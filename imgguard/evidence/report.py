"""The report: one HTML file with everything in it, for people who know nothing of computer vision.

No script, nothing loaded from elsewhere (a Content-Security-Policy in the page says so too), pictures as data URIs.
File names, owners and messages come from strangers and are escaped by the template engine.
"""

import base64
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup
from PIL import Image

from imgguard.evidence import wording
from imgguard.evidence.packing import Packed, Picture
from imgguard.evidence.statements import Contract, Statement, statement_of, visible, when
from imgguard.verdict.finding import Verdict

PICTURE_BUDGET = 8_500_000
"""Bytes of all encoded pictures together; base64 adds a third, which keeps a page near 12 MB at most."""

_PICTURE_WIDTH = 1200
_PREVIEW_SIDE = 480
_THUMBNAIL_SIDE = 160
_QUALITIES = (78, 60, 40, 25)  # WebP; at 78 a copy's pictures take about 0.3 MB, so 20 listings need no other step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportEntry:
    """One listing: ``check`` is its JSON contract object, ``query`` its picture (None when it could not be read).

    ``pictures`` are the best match's, by name (`draw_evidence`), and ``flip`` its `flip_pair`; RGB uint8 all, or
    packed. ``checked_at`` is an aware time; None means the report's own.
    """

    check: Mapping[str, Any]
    query: Picture | None = None
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    flip: tuple[Picture, Picture] | None = None
    checked_at: datetime | None = None

    def packed(self) -> "ReportEntry":
        """The same with all its pictures packed."""
        return replace(
            self,
            query=None if self.query is None else _packed(self.query),
            pictures={name: _packed(picture) for name, picture in self.pictures.items()},
            flip=None if self.flip is None else (_packed(self.flip[0]), _packed(self.flip[1])),
        )


def _packed(picture: Picture) -> Packed:
    return picture if isinstance(picture, Packed) else Packed.of(picture)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """A picture as the template needs it; ``uri`` is safe as an attribute value: base64 only."""

    uri: Markup
    width: int
    height: int
    phrase: wording.Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """One listing as the template needs it."""

    number: int
    statement: Statement
    thumbnail: _Figure | None
    preview: _Figure | None
    figures: tuple[_Figure, ...]
    flip: tuple[_Figure, _Figure] | None


def render_report(
    entries: Sequence[ReportEntry],
    *,
    title: str,
    made_at: datetime,
    version: str,
    counts: Mapping[str, int] | None = None,
) -> str:
    """The page as one string of HTML. The same input gives the same text. Raises ValueError for a naive ``made_at``.

    ``counts`` is how many pictures had each verdict, if more were checked than are listed as ``entries``.
    """
    sections: list[_Section] = []
    for quality in _QUALITIES:
        sections = [
            _section(entry, number=number, made_at=made_at, quality=quality) for number, entry in enumerate(entries, 1)
        ]
        if sum(map(_weight, sections)) <= PICTURE_BUDGET * 4 / 3:
            break
    if counts is None:
        counts = Counter(section.statement.verdict for section in sections)
    return _template().render(
        title=visible(title),
        version=visible(version),
        made_at=when(made_at),
        sections=sections,
        total=sum(counts.values()),
        counts=[(verdict.value, wording.VERDICTS[verdict], counts.get(verdict.value, 0)) for verdict in Verdict],
        not_proven=wording.NOT_PROVEN,
        flip_caption=wording.CAPTIONS["flip"],
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _section(entry: ReportEntry, *, number: int, made_at: datetime, quality: int) -> _Section:
    """The view of one entry. With a pair to flip, the still picture of the same two is left out."""
    check: Contract = entry.check
    named = {name: picture for name, picture in entry.pictures.items() if not (entry.flip and name == "aligned")}
    flip = None
    if entry.flip is not None:
        titles = ("Listing image", "Original, laid onto it")
        first, second = (
            _figure(picture, side=_PICTURE_WIDTH, quality=quality, phrase=wording.Phrase(label=label))
            for picture, label in zip(entry.flip, titles, strict=True)
        )
        flip = (first, second)
    plain = wording.Phrase(label="Listing image")
    bare = entry.query is not None and not named
    return _Section(
        number=number,
        statement=statement_of(check, checked_at=entry.checked_at or made_at),
        thumbnail=_optional(entry.query, side=_THUMBNAIL_SIDE, quality=quality, phrase=plain),
        preview=_optional(entry.query if bare else None, side=_PREVIEW_SIDE, quality=quality, phrase=plain),
        figures=tuple(
            _figure(picture, side=_PICTURE_WIDTH, quality=quality, phrase=_caption(name))
            for name, picture in named.items()
        ),
        flip=flip,
    )


def _caption(name: str) -> wording.Phrase:
    return wording.CAPTIONS.get(name, wording.Phrase(label=visible(name.replace("_", " "))))


def _optional(picture: Picture | None, *, side: int, quality: int, phrase: wording.Phrase) -> _Figure | None:
    return None if picture is None else _figure(picture, side=side, quality=quality, phrase=phrase)


def _figure(picture: Picture, *, side: int, quality: int, phrase: wording.Phrase) -> _Figure:
    """``picture`` as a WebP data URI, its longest side at most ``side`` pixels."""
    image = Image.fromarray(picture.pixels() if isinstance(picture, Packed) else picture)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", quality=quality, method=2)
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    uri = Markup("data:image/webp;base64,") + Markup(text)  # noqa: S704 - base64 has no character that HTML reads
    return _Figure(uri=uri, width=image.width, height=image.height, phrase=phrase)


def _weight(section: _Section) -> int:
    """Characters that a section's pictures take in the page."""
    single = [figure for figure in (section.thumbnail, section.preview) if figure is not None]
    return sum(len(figure.uri) for figure in [*single, *section.figures, *(section.flip or ())])
