"""The first page, for a reviewer who knows nothing of the product: in variants, the fullest first.

Whatever the packet holds, the template sets the first variant that fits on one page; every text in it is cut to a
number of columns, so that the last variant always fits.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from imgguard.evidence.packet.fonts import printable
from imgguard.evidence.packet.model import Packet, Remark
from imgguard.evidence.packet.reference import PacketReference
from imgguard.evidence.packet.telling import Teller, cut
from imgguard.evidence.packet.tiles import Tiles
from imgguard.evidence.packet.words import remark_in

REFERENCES, FINDINGS, MEANING = 1, 2, 4  # numbers of the sections that hold the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What one variant shows at most: findings or pictures, remarks of each kind, times; columns of text.

    ``heights``: of the pictures, in millimetres, by how many findings there are.
    """

    shown: int
    remarks: int
    remark_columns: int
    name_columns: int
    heights: tuple[int, int, int]


ROOMS = (
    Room(shown=3, remarks=5, remark_columns=240, name_columns=90, heights=(74, 48, 34)),
    Room(shown=3, remarks=5, remark_columns=200, name_columns=80, heights=(60, 38, 28)),
    Room(shown=3, remarks=4, remark_columns=160, name_columns=60, heights=(54, 34, 25)),
    Room(shown=3, remarks=3, remark_columns=120, name_columns=48, heights=(48, 30, 22)),
    Room(shown=2, remarks=2, remark_columns=120, name_columns=48, heights=(40, 30, 20)),
    Room(shown=1, remarks=1, remark_columns=80, name_columns=36, heights=(34, 20, 20)),
)


def first_pages(packet: Packet, teller: Teller, tiles: Tiles) -> list[dict[str, Any]]:
    """The variants as the template needs them; equal ones once."""
    pages = [_page(packet, teller, tiles, room) for room in ROOMS]
    return [page for number, page in enumerate(pages) if page not in pages[:number]]


def _page(packet: Packet, teller: Teller, tiles: Tiles, room: Room) -> dict[str, Any]:
    words = teller.words["first_page"]
    purpose = teller.words["purposes"][packet.purpose.value]
    who = cut(printable(packet.on_behalf_of).strip(), room.name_columns) or teller.words["nobody"]
    installation = cut(printable(packet.made_by.installation), room.name_columns)
    made = words["made_by"].format(at=teller.time(packet.created_at), installation=installation)
    return {
        "kicker": purpose["kicker"],
        "heading": purpose["heading"],
        "ask": purpose["ask"].format(who=who),
        "facts": [[words["behalf"], who], [words["made"], made], [words["contents"], _contents(packet, teller)]],
        **_found(packet, teller, tiles, room),
        "times": _times(packet, teller, room),
        "more_times": _more(len(packet.references) - room.shown, REFERENCES, teller),
        "against": _remarks(packet.against, teller, room, nothing=words["nothing_against"]),
        "missing": _remarks(packet.missing, teller, room, nothing=words["nothing_missing"]),
        "not_proven": _remarks(packet.not_proven, teller, room, nothing=""),
    }


def _contents(packet: Packet, teller: Teller) -> str:
    counts = Counter(teller.words["verdicts"][finding.verdict.value] for finding in packet.findings)
    listed = teller.words["list_separator"].join(f"{count} × {label}" for label, count in counts.most_common())
    verdicts = teller.words["first_page"]["verdicts"].format(listed=listed) if listed else ""
    counted = {"references": len(packet.references), "findings": len(packet.findings)}
    return str(teller.words["first_page"]["contents_value"].format(**counted, verdicts=verdicts))


def _found(packet: Packet, teller: Teller, tiles: Tiles, room: Room) -> dict[str, Any]:
    """Findings with their pairs of pictures; without any, the registered pictures."""
    if packet.findings:
        shown = packet.findings[: room.shown]
        pairs = [
            {
                "sentence": teller.finding(finding, match, columns=room.name_columns),
                "tiles": tiles.pair(finding, match),
            }
            for finding in shown
            for match in [packet.reference(finding.reference_id)]
        ]
        more = _more(len(packet.findings) - len(shown), FINDINGS, teller)
        return {"pairs": pairs, "row": [], "lead": "", "height": room.heights[len(shown) - 1], "more_found": more}
    words = teller.words["first_page"]
    lead = words["no_findings"] if packet.references else words["empty"]
    row = [
        {**tiles.reference(reference), "caption": teller.name(reference.title, columns=room.name_columns // 2)}
        for reference in packet.references[: room.shown]
    ]
    more = _more(len(packet.references) - len(row), REFERENCES, teller)
    return {"pairs": [], "row": row, "lead": lead, "height": room.heights[1], "more_found": more}


def _times(packet: Packet, teller: Teller, room: Room) -> list[dict[str, Any]]:
    """Those of the matches that are shown come before the others."""
    columns = room.name_columns // 2
    return [
        {
            **teller.bound(reference),
            "title": teller.name(reference.title, columns=columns),
            "by": cut(teller.bound(reference)["by"], columns),
        }
        for reference in _by_importance(packet)[: room.shown]
    ]


def _by_importance(packet: Packet) -> list[PacketReference]:
    matched = list(dict.fromkeys(finding.reference_id for finding in packet.findings))
    places = {reference_id: place for place, reference_id in enumerate(matched)}
    return sorted(packet.references, key=lambda reference: places.get(reference.reference_id, len(places)))


def _remarks(remarks: tuple[Remark, ...], teller: Teller, room: Room, *, nothing: str) -> list[str]:
    # A Chinese sentence takes fewer columns for the same content, and each is two wide: one number serves both.
    said = [printable(remark_in(remark, teller.language)) for remark in remarks]
    shown = [cut(text, room.remark_columns) for text in said[: room.remarks]] or [nothing]
    more = _more(len(said) - room.remarks, MEANING, teller)
    return [*shown, more] if more else shown


def _more(count: int, section: int, teller: Teller) -> str:
    """``and 7 more, see section 2``; empty when there are no more."""
    return str(teller.words["and_more"].format(count=count, section=section)) if count > 0 else ""
