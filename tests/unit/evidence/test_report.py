"""The report: complete, escaped, self-contained, and in words that claim no more than pixels show."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from imgguard.evidence import report, wording
from imgguard.evidence.packing import Packed
from imgguard.evidence.report import ReportEntry, render_report
from imgguard.evidence.statements import short_name, visible, when
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict

MADE_AT = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'onload=x \u202egpj.exe\n{{ 7*7 }}\udcff.jpg"
VOID = {"meta", "img", "input", "br", "hr", "link"}


def match(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "reference_id": "ref_1",
        "file": "originals/loafers.jpg",
        "owner": "Studio",
        "verdict": "copy",
        "relation": "partial",
        "log10_likelihood_ratio": 4.0,
        "strength": "very_strong",
        "reasons": ["pixels_agree"],
        "cosine_similarity": 0.91,
        "hamming_distance": 38,
        "inlier_count": 214,
        "agreement": 0.97,
        "query_coverage": 0.98,
        "reference_coverage": 0.34,
        "transform": {"matrix": np.eye(3).tolist(), "mirrored": True, "rotation_degrees": 0.0, "scale": 1.0},
        "query_region": [[0, 0], [9, 0], [9, 9]],
        "reference_region": [[0, 0], [9, 0], [9, 9]],
        "edits": ["mirrored", "cropped"],
        "evidence": {},
    }
    return fields | changes


def check(verdict: str = "copy", **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "file": "listings/shoe.jpg",
        "finding_id": "fnd_1",
        "sha256": "ab" * 32,
        "width": 800,
        "height": 600,
        "verdict": verdict,
        "reasons": [],
        "matches": [match()] if verdict == "copy" else [],
        "weights": "cd" * 32,
        "calibration": "ef" * 32,
        "timings_ms": {"decode": 1, "fingerprint": 2, "search": 3, "verify": 4, "total": 10},
        "error": None,
    }
    return fields | changes


def failed() -> dict[str, Any]:
    nothing = dict.fromkeys(
        ["finding_id", "sha256", "width", "height", "weights", "calibration", "timings_ms", "matches", "reasons"]
    )
    return check("error", **nothing, error={"code": "corrupt_image", "detail": "cut short <b>"})


def entry(contract: dict[str, Any], *, pictures: bool = True) -> ReportEntry:
    picture = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    names = ["side_by_side", "aligned", "difference"] if pictures else []
    return ReportEntry(
        check=contract,
        query=picture,
        pictures=dict.fromkeys(names, picture),
        flip=(picture, picture) if pictures else None,
    )


def page(*entries: ReportEntry) -> str:
    return render_report(entries, title="Check", made_at=MADE_AT, version="0.1.0")


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.said.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.said))


def all_kinds() -> list[ReportEntry]:
    return [
        entry(check()),
        entry(check("same_product", matches=[match(verdict="same_product", relation=None, edits=[], strength="weak")])),
        entry(check("no_match", reasons=["no_candidate"]), pictures=False),
        entry(check("inconclusive", reasons=["too_plain"]), pictures=False),
        ReportEntry(check=failed()),
    ]


def test_the_page_nests_and_its_links_and_labels_lead_somewhere() -> None:
    found = Reader(page(*all_kinds())).found
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"] for tag, attributes in found if tag == "a"}
    assert targets == {f"#listing-{number}" for number in range(1, 6)}
    assert {attributes["for"] for tag, attributes in found if tag == "label"} <= set(ids)


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs() -> None:
    text = page(*all_kinds())
    for tag, attributes in Reader(text).found:
        assert tag not in {"script", "link", "iframe", "object", "embed", "form", "base"}
        assert not any(name.startswith("on") or name == "srcset" for name in attributes)
        if "src" in attributes:
            assert str(attributes["src"]).startswith("data:image/webp;base64,")
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_hostile_names_are_shown_as_text() -> None:
    contract = check(file=f"in/{HOSTILE}", matches=[match(file=HOSTILE, owner=HOSTILE), match(file=HOSTILE)])
    text = page(entry(contract))
    assert "<script" not in text
    assert "\u202e" not in text
    assert "49.jpg" not in text
    text.encode("utf-8")
    said = Reader(text).text
    assert "\\u{202e}gpj.exe\\u{a}{{ 7*7 }}\\u{dcff}.jpg" in said


def test_hostile_error_text_and_unknown_reasons_are_shown_as_text() -> None:
    contract = failed() | {"reasons": ["<b>brand_new"]}
    text = page(ReportEntry(check=contract))
    assert "cut short <b>" not in text
    assert "cut short &lt;b&gt;" in text
    assert "&lt;b&gt;brand new" in text


def test_a_copy_is_told_in_plain_words() -> None:
    said = Reader(page(entry(check()))).text
    assert "Likely copy: this picture agrees pixel for pixel with the registered original “loafers.jpg”" in said
    assert "after mirroring and cropping" in said
    assert "34 % of the original is visible in the listing, and it makes up 98 % of the listing." in said
    assert "about 10,000 times more likely if this is the same photograph" in said
    for value in ("fnd_1", "ab" * 32, "cd" * 32, "ef" * 32, "22 November 2026, 01:02:03 UTC"):
        assert value in said


def test_who_signed_the_listing_is_told_beside_whether_that_is_trusted() -> None:
    signer = {"common_name": "Camera <b>\u202e", "organisation": "Test Cameras"}
    html = page(entry(check(content_credentials={"state": "valid", "signer": signer})))
    told = "intact; signer not in your trust list; signed by Camera &lt;b&gt;\\u{202e}, Test Cameras"
    assert told in html
    assert "Listing, credentials" not in page(entry(check(content_credentials=None)))


def test_words_that_are_not_ours_to_say_do_not_appear() -> None:
    said = Reader(page(*all_kinds())).text.lower()
    for word in ("infring", "stolen", "theft", "thief", "author", "plagia", "pirat"):
        assert word not in said
    assert "nor which of the two pictures came first" in said


def test_a_pair_to_switch_replaces_the_still_picture_of_the_same_two() -> None:
    said = Reader(page(entry(check()))).text
    assert wording.CAPTIONS["flip"].meaning in said
    assert wording.CAPTIONS["aligned"].meaning not in said


def test_the_same_input_gives_the_same_page() -> None:
    assert page(*all_kinds()) == page(*all_kinds())


def test_an_empty_report_is_a_page() -> None:
    assert "0 pictures checked" in Reader(page()).text


def test_pictures_are_compressed_further_to_keep_the_page_small(monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(page(entry(check())))
    monkeypatch.setattr(report, "PICTURE_BUDGET", 1000)
    assert len(page(entry(check()))) < before


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        when(MADE_AT.replace(tzinfo=None))


def test_reason_codes_become_sentences_and_unknown_ones_stay_readable() -> None:
    assert wording.reason_text("too_plain") == wording.REASONS["too_plain"]
    assert wording.reason_text("never_heard_of") == "never heard of"


def test_every_value_has_its_words() -> None:
    for table, values in (
        (wording.VERDICTS, Verdict),
        (wording.RELATIONS, Relation),
        (wording.STRENGTHS, Strength),
        (wording.EDITS, Edit),
    ):
        assert set(table) == set(values)
        assert all((phrase.label and phrase.meaning) for phrase in table.values())
    assert all(phrase.action for phrase in wording.EDITS.values())
    assert all(text.endswith(".") for text in wording.REASONS.values())


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("relation", [None, *Relation])
def test_every_verdict_and_relation_makes_a_page(verdict: Verdict, relation: Relation | None) -> None:
    best = match(verdict="copy", relation=relation.value if relation else None, edits=[edit.value for edit in Edit])
    for matches in ([], [best], [best | dict.fromkeys(["transform", "agreement", "query_coverage", "strength"])]):
        Reader(page(entry(check(verdict.value, matches=matches), pictures=False)))


@pytest.mark.parametrize(
    ("power", "words"),
    [
        (0.0, "equally well"),
        (0.6, "about 4 times"),
        (2.0, "about 100 times"),
        (6.48, "about 3 million times"),
        (-3.0, "about 1,000 times more likely if this is another photograph"),
        (40.0, "more than a thousand million times"),
        (float("nan"), "equally well"),
    ],
)
def test_a_likelihood_ratio_is_a_sentence(power: float, words: str) -> None:
    assert words in wording.ratio_sentence(power)


def test_shares_are_never_rounded_to_all_or_nothing() -> None:
    shares = [0.0, 0.001, 0.344, 0.999, 1.0]
    assert [wording.percent(share) for share in shares] == ["0 %", "less than 1 %", "34 %", "more than 99 %", "100 %"]


def test_names_are_shortened_in_the_middle_and_made_visible() -> None:
    assert short_name("C:\\shop\\a.jpg") == "a.jpg"
    assert short_name("in/" + "x" * 300 + ".jpg").endswith("x.jpg")
    assert len(short_name("x" * 300)) <= 90
    assert visible("a\u200bb\x1b[31m") == "a\\u{200b}b\\u{1b}[31m"
    assert short_name("Größe 照片.jpg") == "Größe 照片.jpg"


def test_a_page_that_does_not_list_all_says_how_many_it_leaves_out() -> None:
    def told(**counts: int) -> str:
        entries = [entry(check(), pictures=False), ReportEntry(check=check("no_match"))]
        return Reader(render_report(entries, title="Check", made_at=MADE_AT, version="0.1.0", counts=counts)).text

    assert "left out" not in told(copy=1, no_match=1)
    said = told(copy=1, no_match=1200)
    assert "1201 pictures checked" in said
    assert "This page lists 2 of them; 1199 are left out" in said
    assert "No match 1200" in said


def test_packed_pictures_make_nearly_the_same_page() -> None:
    whole = entry(check())
    packed = whole.packed()
    pictures = [packed.query, *packed.pictures.values(), *(packed.flip or ())]
    assert len(pictures) == 6
    assert all(isinstance(picture, Packed) for picture in pictures)
    assert packed.packed().query is packed.query
    for before, after in zip(Reader(page(whole)).found, Reader(page(packed)).found, strict=True):
        assert before[0] == after[0]
        assert {**before[1], "src": ""} == {**after[1], "src": ""}
    assert ReportEntry(check=failed()).packed().query is None


def test_a_packed_picture_looks_like_the_picture() -> None:
    smooth = np.linspace(0, 255, 90 * 120 * 3).reshape(90, 120, 3).astype(np.uint8)
    packed = Packed.of(smooth)
    assert len(packed.jpeg) < smooth.nbytes / 5
    assert np.abs(packed.pixels().astype(int) - smooth).max() < 12


def test_the_time_of_the_check_is_told_and_not_that_of_the_page() -> None:
    at = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    said = Reader(page(ReportEntry(check=check("no_match"), checked_at=at))).text
    assert "Checked on 3 February 2024, 04:05:06 UTC" in said
