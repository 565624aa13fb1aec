"""The PDF report as poppler reads it: its text comes back, nothing leaves the page, the packet can be taken out."""

import re
import subprocess
from pathlib import Path

import packets
import pytest

from imgguard.evidence.packet.model import packet_json
from imgguard.evidence.packet.report import render_report
from imgguard.evidence.packet.words import LANGUAGES, Language, words

pytestmark = pytest.mark.interop

_WORD = re.compile(r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">')
_WIDTH, _HEIGHT, _MARGIN = 595.3, 841.9, 59.5  # points; the template's margin is 21 mm

LONG = ["W" * 500, "(" * 300, "。" * 300, "1-" * 200, "https://shop.example/" + "a/" * 200, "\u202e" * 80, "n " * 150]


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_comes_back_from_the_pdf(language: Language, tmp_path: Path) -> None:
    packet, files = packets.packet_of([packets.reference(title="牛仔外套 é")], [packets.finding()])
    target = tmp_path / "report.pdf"
    target.write_bytes(render_report(packet, files, language=language))
    text = "".join(run("pdftotext", str(target), "-").split())
    said = words(language)
    sentences = [*said["proven"], *said["verify"]["steps"], *said["not_proven"].values(), said["first_page"]["what"]]
    assert [sentence for sentence in sentences if "".join(sentence.split()) not in text] == []
    assert "牛仔外套é" in text
    assert text.count("ab" * 16) == 2  # a digest is set in two lines, which poppler may not read as one block


def test_the_attached_packet_is_the_packet(tmp_path: Path) -> None:
    packet, files = packets.packet()
    target = tmp_path / "report.pdf"
    target.write_bytes(render_report(packet, files, language="zh"))
    run("pdfdetach", "-saveall", "-o", str(tmp_path), str(target))
    assert (tmp_path / "packet.json").read_bytes() == packet_json(packet)
    assert "pdfaid:part>3<" in run("pdfinfo", "-meta", str(target))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", LONG)
def test_long_words_stay_between_the_margins(text: str, language: Language, tmp_path: Path) -> None:
    reference = packets.reference(title=text, registered_by=text)
    reference["proofs"][0] |= {"name": text}
    reference["existed_no_later_than"][0] |= {"by": text}
    reference["claims"] |= {"urls": [text], "statement": text}
    finding = packets.finding()
    finding["listing"] |= {"file_name": text, "url": text}
    packet, files = packets.packet_of([reference], [finding], on_behalf_of=text)
    target = tmp_path / "report.pdf"
    target.write_bytes(render_report(packet, files, language=language))
    boxes = [tuple(map(float, found.groups())) for found in _WORD.finditer(run("pdftotext", "-bbox", str(target), "-"))]
    assert len(boxes) > 300
    slack = 11.0  # the empty half of a full-width sign may hang over
    assert [box for box in boxes if box[0] < _MARGIN - slack or box[2] > _WIDTH - _MARGIN + slack] == []
    assert [box for box in boxes if box[1] < 0 or box[3] > _HEIGHT] == []


def test_a_copied_address_has_nothing_invisible_in_it(tmp_path: Path) -> None:
    address = "https://shop.example/item/" + "0123456789" * 12
    reference = packets.reference()
    reference["claims"] |= {"urls": [address]}
    packet, files = packets.packet_of([reference], [])
    target = tmp_path / "report.pdf"
    target.write_bytes(render_report(packet, files, language="en"))
    assert address in run("pdftotext", str(target), "-").replace("\n", "")
