"""The packet's README, as plain text in English or Chinese."""

import textwrap

from imgguard.evidence.packet.fonts import printable
from imgguard.evidence.packet.model import Packet, Remark
from imgguard.evidence.packet.telling import Teller
from imgguard.evidence.packet.words import Language, remark_in

_WIDTH = 100


def readme_text(packet: Packet, language: Language) -> str:
    """`README.<language>.txt`: what is in the packet, how to verify it, what it shows and what it does not.

    Lines end with a line feed. Names are shown as in the report, with what cannot be seen written out.
    """
    teller = Teller(language)
    words = teller.words["readme"]
    intro = words["intro"].format(
        software=printable(packet.made_by.software),
        installation=printable(packet.made_by.installation),
        at=teller.time(packet.created_at),
        who=printable(packet.on_behalf_of).strip() or teller.words["nobody"],
        seal=printable(packet.made_by.sealed_by),
    )
    parts = [
        words["heading"].format(id=packet.packet_id),
        intro,
        _section(words["contents"], [f"  {name}\n      {what}" for name, what in words["files"]]),
        _section(words["further"], [f"{file.sha256}  {file.path}" for file in packet.files]) if packet.files else "",
        _section(words["how"], _items(teller.words["verify"]["steps"], language, numbered=True)),
        _section(words["shows"], _items(teller.words["proven"], language)),
        _section(words["not_proven"], _remarks(packet.not_proven, teller)),
        _section(words["against"], _remarks(packet.against, teller)),
        _section(words["missing"], _remarks(packet.missing, teller)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(heading: str, lines: list[str]) -> str:
    return "\n".join([heading, *lines])


def _remarks(remarks: tuple[Remark, ...], teller: Teller) -> list[str]:
    said = [printable(remark_in(remark, teller.language)) for remark in remarks]
    return _items(said or [teller.words["readme"]["nothing"]], teller.language)


def _items(sentences: list[str], language: Language, *, numbered: bool = False) -> list[str]:
    """A list; English is wrapped, Chinese has no spaces to wrap at."""
    items = []
    for number, sentence in enumerate(sentences, 1):
        mark = f"{number}. " if numbered else "- "
        lines = textwrap.wrap(sentence, _WIDTH - len(mark)) if language == "en" else [sentence]
        items.append(mark + f"\n{' ' * len(mark)}".join(lines))
    return items
