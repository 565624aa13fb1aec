"""The README of a packet: complete, in plain text, with names made harmless."""

import packets
import pytest

from imgguard.evidence.packet.readme import readme_text
from imgguard.evidence.packet.words import LANGUAGES, Language, not_proven, remark_in


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_lists_every_file_and_says_what_is_not_proven(language: Language) -> None:
    packet, _ = packets.packet(references=2, findings=2)
    text = readme_text(packet, language)
    flat = " ".join(text.split())
    assert all(f"{file.sha256}  {file.path}\n" in text for file in packet.files)
    assert all(remark_in(remark, language) in flat for remark in not_proven())
    assert remark_in(packet.against[0], language) in flat
    assert "verify.py" in text
    assert text.endswith("\n")
    assert text == readme_text(packet, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_missing_is_said_too(language: Language) -> None:
    packet, _ = packets.packet(missing=(), against=())
    nothing = {"en": "- Nothing that this software knows of.", "zh": "- 本软件未发现。"}[language]
    assert readme_text(packet, language).count(nothing) == 2


def test_control_characters_do_not_reach_the_terminal() -> None:
    packet, _ = packets.packet(on_behalf_of="\x1b[31m\u202eoidutS\r\nSealed by: nobody")
    text = readme_text(packet, "en")
    assert not {character for character in text if ord(character) < 32} - {"\n"}
    assert r"on behalf of \u{1b}[31m\u{202e}oidutS\u{d}\u{a}Sealed by: nobody" in text
