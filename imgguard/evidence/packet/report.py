"""The packet's report for people: PDF/A-3b in English or Chinese, with `packet.json` attached.

A pure function of the packet and its pictures: the same input gives the same bytes. All text reaches the template as
data (JSON), never as markup, and the template can read nothing but what is handed to it here.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typst

from imgguard.evidence.packet import sections
from imgguard.evidence.packet.first_page import first_pages
from imgguard.evidence.packet.fonts import FOLDER
from imgguard.evidence.packet.model import Packet, packet_json
from imgguard.evidence.packet.pictures import Pictures
from imgguard.evidence.packet.telling import Teller
from imgguard.evidence.packet.tiles import Tiles, count_of
from imgguard.evidence.packet.words import LANGUAGES, Language

_TEMPLATES = Path(__file__).with_name("typst")


def render_report(packet: Packet, files: Mapping[str, bytes], *, language: Language) -> bytes:
    """The report as PDF. ``files``: at least the pictures that the packet names (thumbnails, and those of findings), by
    path; JPEG or PNG.

    Raises PacketMismatch for a picture that is not there or has another SHA-256 than the packet says, CorruptImage and
    ImageTooLarge for one that cannot be shown.
    """
    return _rendered(packet, Pictures(packet, files, count=count_of(packet)), language)


def render_reports(packet: Packet, files: Mapping[str, bytes]) -> dict[Language, bytes]:
    """The report in every language, as `render_report` gives it; the pictures are reduced once for all of them."""
    pictures = Pictures(packet, files, count=count_of(packet))
    return {language: _rendered(packet, pictures, language) for language in LANGUAGES}


def _rendered(packet: Packet, pictures: Pictures, language: Language) -> bytes:
    sources = sources_of(packet, pictures, language)
    # A folder of its own is all that the template can read: typst takes pictures from disk only.
    with TemporaryDirectory(prefix="imgguard-report-") as folder:
        for name, data in sources.items():
            (Path(folder) / name).write_bytes(data)
        return typst.compile(
            Path(folder) / "main.typ",
            root=Path(folder),
            format="pdf",
            font_paths=_fonts(),
            pdf_standards="a-3b",
            timestamp=int(packet.created_at.timestamp()),
        )


def sources_of(packet: Packet, pictures: Pictures, language: Language) -> dict[str, bytes]:
    """The folder that typst works in: templates, what they set, and the pictures; `main.typ` is where it begins."""
    teller = Teller(language)
    view = view_of(packet, teller, Tiles(teller, pictures))
    return {
        **_templates(),
        "view.json": json.dumps(view, ensure_ascii=False).encode(),
        "packet.json": packet_json(packet),
        **pictures.made(),
    }


def view_of(packet: Packet, teller: Teller, tiles: Tiles) -> dict[str, Any]:
    """All that the template sets, as plain data. Raises what `Tiles` raises."""
    words = teller.words
    at = packet.created_at
    return {
        "language": teller.language,
        "title": words["title"].format(id=packet.packet_id),
        "subject": words["subject"],
        "date": [at.year, at.month, at.day, at.hour, at.minute, at.second],
        "packet": words["packet"].format(id=packet.packet_id),
        "page": words["page"],
        "attachment": words["attachment"],
        "labels": teller.labels,
        "first_page": words["first_page"],
        "sections": words["sections"],
        "first_pages": first_pages(packet, teller, tiles),
        "references": sections.references_of(packet, teller, tiles),
        "findings": sections.findings_of(packet, teller, tiles),
        "files": sections.files_of(packet),
        "meaning": sections.meaning_of(packet, teller),
        "origin": sections.origin_of(packet, teller),
        "verify": [*words["verify"]["steps"], words["verify"]["escapes"]],
        "glossary": words["glossary"],
    }


@cache
def _templates() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(_TEMPLATES.glob("*.typ"))}


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[FOLDER])
