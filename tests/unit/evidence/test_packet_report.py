"""The PDF report: the same each time, with text as data, one first page, and everything that counts in it."""

import io
import json
import re
from pathlib import Path
from typing import Any

import packets
import pytest
import typst
from PIL import Image

from imgguard.errors import CorruptImage, ImageTooLarge, PacketMismatch
from imgguard.evidence.packet.fonts import FOLDER, covered, printable
from imgguard.evidence.packet.model import Packet, packet_json
from imgguard.evidence.packet.pictures import Pictures
from imgguard.evidence.packet.report import render_report, render_reports, sources_of, view_of
from imgguard.evidence.packet.telling import Teller, cut, width_of
from imgguard.evidence.packet.tiles import Tiles, count_of, outline
from imgguard.evidence.packet.words import LANGUAGES, Language

HOSTILE = [
    '#panic("x") #read("/etc/passwd") #import "@preview/x:1.0.0"',
    "$x$ *bold* _it_ `raw` @label <label> // \n= Heading",
    "\u202egpj.exe\x00\x1b[31m\u200b\ud7ff\ue000",
    "W" * 500,
    "“" * 200 + "(" * 200 + "。" * 200,
    "名" * 300,
    "\U0001f468\u200d\U0001f469 مرحبا \u3000 e\u0301",
    "",
]


def loaded_with(text: str) -> tuple[Packet, dict[str, bytes]]:
    """A packet in which people's words are ``text`` wherever they have a say."""
    reference = packets.reference(title=text, registered_by=text)
    reference["file"] |= {"name": text, "media_type": text}
    reference["claims"] = {
        "dates": [{"event": "other", "value": text}],
        "places": [text],
        "urls": [text],
        "statement": text,
    }
    reference["metadata"] |= {"camera": text, "software": text}
    reference["metadata"]["content_credentials"] |= {"signer": text, "device": text, "actions": [text, text]}
    reference["proofs"][0] |= {"name": text}
    reference["existed_no_later_than"][0] |= {"by": text}
    findings = [packets.finding(number) for number in range(1, 5)]
    for finding in findings:
        finding["listing"] |= {"file_name": text, "url": text}
        finding["decision"] = {"kind": "not_a_copy", "by": "owner", "decided_at": packets.MADE_AT, "note": text}
    remarks = [{"code": "said", "en": text, "zh": text}] * 8
    made_by = {"installation": text, "software": text, "sealed_by": text}
    return packets.packet_of(
        [reference], findings, made_by=made_by, on_behalf_of=text, missing=remarks, against=remarks
    )


def seen(packet: Packet, files: dict[str, bytes], language: Language = "en") -> dict[str, Any]:
    """What the template is given to set."""
    teller = Teller(language)
    return view_of(packet, teller, Tiles(teller, Pictures(packet, files, count=count_of(packet))))


def end_of_first_page(packet: Packet, files: dict[str, bytes], language: Language, folder: Path) -> int:
    """The number of the page on which the first page's content ends."""
    for name, data in sources_of(packet, Pictures(packet, files, count=count_of(packet)), language).items():
        (folder / name).write_bytes(data)
    found = typst.query(
        folder / "main.typ",
        "<end-of-first-page>",
        field="value",
        one=True,
        font_paths=[FOLDER],
        ignore_system_fonts=True,
    )
    return int(json.loads(found))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_packet_gives_the_same_bytes_of_pdf_a_with_the_packet_inside(language: Language) -> None:
    packet, files = packets.packet()
    first = render_report(packet, files, language=language)
    assert first == render_report(Packet.model_validate_json(packet_json(packet)), dict(files), language=language)
    assert first.startswith(b"%PDF-1.7")
    assert re.search(rb"pdfaid:part>3<.*pdfaid:conformance>B<", first, re.DOTALL)
    assert b"packet.json" in first
    assert b"/AFRelationship/Source" in first.replace(b" ", b"")
    assert b"D:20261122100000" in first


def test_both_reports_at_once_are_those_made_one_by_one() -> None:
    packet, files = packets.packet(findings=2)
    assert render_reports(packet, files) == {
        language: render_report(packet, files, language=language) for language in LANGUAGES
    }


def test_another_time_or_another_picture_gives_another_report() -> None:
    packet, files = packets.packet()
    later, _ = packets.packet(created_at="2026-11-22T10:00:01Z")
    other, changed = packets.packet(files={"references/1/thumbnail.png": packets.png(seed=99)})
    reports = [render_report(*each, language="en") for each in ((packet, files), (later, files), (other, changed))]
    assert len(set(reports)) == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_set_as_text_and_stays_on_its_page(text: str, tmp_path: Path) -> None:
    packet, files = loaded_with(text)
    for language in LANGUAGES:
        assert render_report(packet, files, language=language).startswith(b"%PDF")
        assert end_of_first_page(packet, files, language, tmp_path) == 1


def test_text_reaches_the_template_as_data_only() -> None:
    packet, files = loaded_with(HOSTILE[0])
    sources = sources_of(packet, Pictures(packet, files, count=count_of(packet)), "en")
    with_it = {name for name, data in sources.items() if b"#panic" in data}
    assert with_it == {"view.json", "packet.json"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("references", "findings"), [(1, 1), (2, 3), (12, 12), (3, 0), (12, 0), (0, 0)])
def test_the_first_page_is_one_page(references: int, findings: int, language: Language, tmp_path: Path) -> None:
    packet, files = packets.packet(references=references, findings=findings)
    assert end_of_first_page(packet, files, language, tmp_path) == 1


@pytest.mark.parametrize(
    ("language", "after", "promise", "unknown"),
    [
        ("en", "Two hours after the time of Bitcoin block 840000", "a promise, not a time", "COUNTS FOR NOTHING"),
        ("zh", "比特币区块 840000 所载时间之后两小时", "只是承诺，不是时间", "不予采信"),
    ],
)
def test_a_block_of_bitcoin_is_no_time_in_the_report_and_a_promise_is_called_one(
    language: Language, after: str, promise: str, unknown: str
) -> None:
    paths = {"proof": "references/1/anchored.tlog-proof", "file": "references/1/anchored.ots"}
    blobs = {"files": dict.fromkeys(paths.values(), b"-")}

    def rows(**anchor: Any) -> list[dict[str, Any]]:
        content = packets.packet_of([packets.reference(anchor=paths | anchor)], [packets.finding()], **blobs)
        assert render_report(*content, language=language).startswith(b"%PDF")
        found: list[dict[str, Any]] = seen(*content, language=language)["references"][0]["times"]
        return [row for row in found if row["file"] == paths["file"]]

    (block,) = rows(blocks=[840_000], calendars=["https://calendar.example"])
    assert after in block["at"]
    assert (block["basis"], block["counts"], unknown in block["trust"]) == ("OpenTimestamps", False, True)
    (pending,) = rows(blocks=[], calendars=["https://calendar.example"])
    assert promise in pending["at"]
    assert (pending["by"], pending["counts"]) == ("https://calendar.example", False)


def test_the_first_page_says_how_much_more_there_is() -> None:
    fullest = seen(*packets.packet(references=12, findings=10))["first_pages"][0]
    assert len(fullest["pairs"]) == 3
    assert fullest["more_found"] == "and 7 more, see section 2"
    assert fullest["more_times"] == "and 9 more, see section 1"
    chinese = seen(*packets.packet(findings=10), language="zh")["first_pages"][0]
    assert chinese["more_found"] == "另有 7 项，见第 2 节"


def test_remarks_that_the_first_page_has_no_room_for_are_counted_there_and_whole_in_section_4() -> None:
    remarks = [{"code": f"r{number}", "en": f"Reason {number}. " * 30, "zh": "理由。" * 60} for number in range(9)]
    view = seen(*packets.packet(against=remarks))
    assert view["first_pages"][0]["against"][-1] == "and 4 more, see section 4"
    assert [part for part in view["meaning"] if part["sentences"] == [remark["en"] for remark in remarks]]


def test_an_independent_time_is_shown_before_an_earlier_one_that_is_self_issued() -> None:
    bounds = [
        packets.bound(at="2020-01-01T00:00:00Z", trust="self_issued", by="Own authority"),
        packets.bound(at="2019-01-01T00:00:00Z", trust="unknown", by="Nobody knows"),
        packets.bound(at="2026-02-01T00:00:00Z", trust="qualified", by="Qualified authority"),
    ]
    view = seen(*packets.packet_of([packets.reference(existed_no_later_than=bounds)], []))
    (row,) = view["first_pages"][0]["times"]
    assert (row["by"], row["at"]) == ("Qualified authority", "1 February 2026, 00:00:00 UTC")
    assert row["counts"]
    assert [each["counts"] for each in view["references"][0]["times"]] == [False, False, True, False]


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_an_independent_time_the_label_stands_beside_each_time_of_the_installation(language: Language) -> None:
    bounds = [packets.bound(trust="self_issued"), packets.bound(trust="unknown", at="2019-01-01T00:00:00Z")]
    finding = packets.finding(
        decision={"kind": "confirmed_copy", "by": "owner", "decided_at": packets.MADE_AT, "note": ""}
    )
    packet, files = packets.packet_of([packets.reference(existed_no_later_than=bounds)], [finding])
    label = Teller(language).words["trust"]["self_issued"]
    view = seen(packet, files, language)
    assert [row["trust"] for page in view["first_pages"] for row in page["times"]] == [label] * len(view["first_pages"])
    reference, found = view["references"][0], view["findings"][0]
    assert [label in row["trust"] for row in reference["times"]] == [False, True, True]
    labels = Teller(language).labels
    facts = {row["label"]: row["value"] for row in [*reference["facts"], *found["facts"]]}
    assert all(label in facts[labels[key]] for key in ("registered_at", "checked_at", "fetched_at", "decision"))


@pytest.mark.parametrize(
    ("language", "who"), [("en", "by this installation, on 21 November 2026"), ("zh", "由本系统于")]
)
def test_a_listing_was_fetched_by_the_installation(language: Language, who: str) -> None:
    labels = Teller(language).labels

    def facts_of(finding: dict[str, Any]) -> dict[str, str]:
        view = seen(*packets.packet_of([packets.reference()], [finding]), language)
        return {row["label"]: row["value"] for row in view["findings"][0]["facts"]}

    fetched, sent = packets.finding(), packets.finding()
    sent["listing"] |= {"url": None, "fetched_at": None}
    assert facts_of(fetched)[labels["address"]] == "https://shop.example/item/1.jpg"
    assert who in facts_of(fetched)[labels["fetched_at"]]
    assert not {labels["address"], labels["fetched_at"]} & facts_of(sent).keys()


def test_claims_stand_under_words_that_say_whose_they_are() -> None:
    labels = seen(*packets.packet())["labels"]
    assert labels["claims"] == "The claimant states (not verified)"
    assert "not verified" in labels["proofs"]


def test_a_finding_without_a_match_shows_the_listing_alone() -> None:
    finding = packets.finding(verdict="no_match", reference_id=None, relation=None, regions=None, strength=None)
    view = seen(*packets.packet_of([packets.reference()], [finding]))
    assert view["findings"][0]["sentence"] == "No registered picture was found in the listing picture “listing-1.jpg”."
    assert [tile["caption"] for tile in view["findings"][0]["tiles"]] == ["Listing picture"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_has_a_sentence_with_and_without_a_match(language: Language) -> None:
    for verdict in ("copy", "same_product", "no_match", "inconclusive", "error"):
        for reference_id in ("ref_1", None):
            finding = packets.finding(verdict=verdict, reference_id=reference_id)
            packet, _ = packets.packet_of([packets.reference()], [finding])
            sentence = Teller(language).finding(packet.findings[0], packet.reference(reference_id))
            assert "listing-1.jpg" in sentence
            assert "{" not in sentence


def test_a_withheld_picture_leaves_a_frame_and_no_error() -> None:
    finding = packets.finding(pictures={})
    finding["listing"]["thumbnail"] = None
    packet, files = packets.packet_of([packets.reference(thumbnail=None)], [finding])
    assert render_report(packet, files, language="en").startswith(b"%PDF")


def test_a_picture_that_is_missing_or_another_is_a_typed_error() -> None:
    packet, files = packets.packet()
    path = "findings/1/listing.png"
    with pytest.raises(PacketMismatch, match="was not given"):
        render_report(packet, {name: data for name, data in files.items() if name != path}, language="en")
    with pytest.raises(PacketMismatch, match="does not have the SHA-256"):
        render_report(packet, {**files, path: packets.png(seed=77)}, language="en")


def huge() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (10_000, 6_001)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_that_cannot_be_shown_is_a_typed_error() -> None:
    path = "references/1/thumbnail.png"
    for data, error in ((packets.png()[:200], CorruptImage), (b"GIF89a", CorruptImage), (huge(), ImageTooLarge)):
        packet, files = packets.packet(files={path: data})
        with pytest.raises(error, match=path):
            render_report(packet, files, language="en")


def test_pictures_are_reduced_turned_upright_and_stripped() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret"
    buffer = io.BytesIO()
    Image.new("RGB", (2400, 1200), "red").save(buffer, "JPEG", exif=exif)
    path = "references/1/thumbnail.png"
    packet, files = packets.packet(files={path: buffer.getvalue()})
    embedded = Pictures(packet, files, count=5).embedded(path)
    assert (embedded.width, embedded.height) == (800, 1600)
    assert b"secret" not in embedded.jpeg
    assert Pictures(packet, files, count=30).embedded(path).height == 1000


def test_transparency_becomes_white_paper() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (60, 40), (0, 0, 0, 0)).save(buffer, "PNG")
    path = "references/1/thumbnail.png"
    packet, files = packets.packet(files={path: buffer.getvalue()})
    shown = Image.open(io.BytesIO(Pictures(packet, files, count=5).embedded(path).jpeg))
    assert shown.getpixel((30, 20)) == (255, 255, 255)


def test_the_outline_lies_where_the_region_is_and_never_outside_of_the_picture() -> None:
    assert outline(((0, 0), (320, 0), (320, 240)), 320, 240) == [[0, 0], [1, 0], [1, 1]]
    assert outline(((-1e300, 60), (80, 1e300), (80, 60)), 320, 240) == [[0, 0.25], [0.25, 1], [0.25, 0.25]]
    assert outline(((0, 0), (1, 1)), 320, 240) == []


def test_what_the_font_lacks_or_nobody_can_see_is_written_out() -> None:
    assert printable("名 é e\u0301 €") == "名 é é €"
    assert printable("\u202e\x00\U0001f600\u200d") == r"\u{202e}\u{0}\u{1f600}\u{200d}"
    assert {ord(sign) for sign in "Aé名あ。“—"} < covered()


def test_a_cut_text_keeps_both_ends_within_its_columns() -> None:
    assert cut("short", 10) == "short"
    assert cut("abcdefghijklmnop", 9) == "abcd…mnop"
    assert width_of(cut("名" * 300, 20)) <= 20
    assert cut("名" * 300, 20).endswith("名")


def test_twelve_findings_stay_small() -> None:
    packet, files = packets.packet(references=12, findings=12)
    assert len(render_report(packet, files, language="en")) < 4_000_000
