"""The catalogue of report and README: complete in both languages, and claiming no more than can be known."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest

from imgguard.evidence.packet.model import Purpose
from imgguard.evidence.packet.reference import Basis, Trust
from imgguard.evidence.packet.words import LANGUAGES, Language, listed_in, not_proven, share_in, time_in, words
from imgguard.registry.decisions import DecidedBy, DecisionKind
from imgguard.registry.licences import Because, LicenceStatus
from imgguard.registry.records import ReferenceStatus
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict

FORBIDDEN = {
    "en": r"\bauthors?\b|\bauthorship\b|\bfirst\b|\bowners?\b|infring|stolen|\bsteal|\btheft|\bthief|plagiar|pirat|"
    r"\bguilty\b|\billegal|\bfake\b|\bproves that\b|\bprove ownership\b",
    "zh": r"作者|首次|首先|首发|第一|所有人|所有权|权利人|侵权|侵犯|盗|抄袭|剽窃|原创|违法|偷|假冒",
}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{number}")
    else:
        yield path, value


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_languages_say_the_same_things_with_the_same_places() -> None:
    english, chinese = dict(leaves(words("en"))), dict(leaves(words("zh")))
    assert english.keys() == chinese.keys()
    assert all(text.strip() for key, text in (english | chinese).items() if key != ".sentence_separator")
    assert [key for key in english if places(english[key]) != places(chinese[key])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_claims_what_cannot_be_found(language: Language) -> None:
    for path, text in leaves(words(language)):
        assert not re.search(FORBIDDEN[language], text, re.IGNORECASE), (path, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_copy_is_a_likely_copy_and_a_time_is_a_latest_time(language: Language) -> None:
    likely, latest = {"en": ("likely copy", "xisted no later than"), "zh": ("很可能", "不晚于此时已存在")}[language]
    said = words(language)
    assert all(likely in said["says"][key] for key in ("copy", "copy_identical", "copy_unnamed"))
    assert latest in said["first_page"]["existed"]
    assert latest in said["labels"]["times"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_product_has_its_name(language: Language) -> None:
    said = words(language)
    for key, kind in {
        "purposes": Purpose,
        "trust": Trust,
        "basis": Basis,
        "statuses": ReferenceStatus,
        "because": Because,
        "verdicts": Verdict,
        "relations": Relation,
        "strengths": Strength,
        "edits": Edit,
    }.items():
        assert set(said[key]) == {one.value for one in kind}
    assert {one.value for one in LicenceStatus} < set(said["licences"])
    assert {one.value for one in DecisionKind} | {f"by_{one.value}" for one in DecidedBy} < set(said["decisions"])
    assert len(said["glossary"]) == 9


def test_self_issued_times_are_labelled_in_so_many_words() -> None:
    assert words("en")["trust"]["self_issued"] == "SELF-ISSUED, NOT INDEPENDENT"
    assert words("zh")["trust"]["self_issued"] == "自行签发，无独立第三方证明"
    for language in LANGUAGES:
        assert words(language)["trust"]["self_issued"] in words(language)["own_clock"]


def test_what_is_not_proven_is_in_both_languages() -> None:
    remarks = not_proven()
    assert [remark.code for remark in remarks] == ["maker", "permission", "right", "latest_time", "statements"]
    assert all(re.search("[一-鿿]", remark.zh) and not re.search("[一-鿿]", remark.en) for remark in remarks)


def test_times_shares_and_lists_are_said_as_each_language_says_them() -> None:
    at = datetime(2026, 1, 5, 9, 8, 7, tzinfo=UTC)
    assert [time_in(at, language) for language in LANGUAGES] == [
        "5 January 2026, 09:08:07 UTC",
        "2026年1月5日 09:08:07 UTC",
    ]
    assert [share_in(0.995, language) for language in LANGUAGES] == ["more than 99 %", "99% 以上"]
    assert [share_in(0.001, "zh"), share_in(1.0, "zh"), share_in(float("nan"), "zh")] == ["不到 1%", "100%", "未知部分"]
    assert [listed_in(["a", "b", "c"], language) for language in LANGUAGES] == ["a, b and c", "a、b和c"]
    with pytest.raises(ValueError, match="without offset"):
        time_in(datetime(2026, 1, 5), "zh")  # noqa: DTZ001
