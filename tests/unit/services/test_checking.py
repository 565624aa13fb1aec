"""The check around the pipeline: one match per owner, what a finding keeps, generations that change underway."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from imgguard.errors import (
    ConfigurationError,
    DecodeTimeout,
    DigestMismatch,
    ImgguardError,
    IndexUnavailable,
    NotFound,
    StoreUnavailable,
)
from imgguard.imaging.credentials import NO_CREDENTIALS
from imgguard.pipeline import Profile, Tools
from imgguard.ports import Generation, StoredFinding
from imgguard.registry.records import Content, Reference, ReferenceStatus
from imgguard.services import checking, findings
from imgguard.services.checking import Checking, Request
from imgguard.services.sources import source_of
from imgguard.verdict.finding import Finding, Judgement, Verdict

QUICK = Request(profile="quick")


class Clockwork:
    """A Checking whose surroundings are mocks, with a pipeline that returns a given finding."""

    def __init__(self, clock: Any, retention: timedelta = timedelta(days=3)) -> None:
        self.generation = Mock(spec=Generation, generation_id="gen_1", weights_sha256="e" * 64)
        self.catalogue = Mock()
        self.catalogue.active_generation.return_value = self.generation
        self.blobs = Mock()
        self.index = Mock(generation=self.generation)
        self.checking = Checking(
            catalogue=self.catalogue,
            blobs=self.blobs,
            index=self.index,
            decoder=Mock(),
            credentials=Mock(**{"credentials.return_value": NO_CREDENTIALS}),
            models=Mock(),
            calibration=Mock(),
            clock=clock,
            retention=retention,
            max_bytes=1000,
        )

    def stored(self) -> StoredFinding:
        (call,) = self.catalogue.add_finding.call_args_list
        stored = call.args[0]
        assert isinstance(stored, StoredFinding)
        return stored


@pytest.fixture
def clockwork(clock: Any) -> Clockwork:
    return Clockwork(clock)


def examined(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> Mock:
    examine = Mock(side_effect=findings)
    monkeypatch.setattr(checking, "examine", examine)
    return examine


def test_every_owner_of_a_content_has_a_match(
    clockwork: Clockwork,
    monkeypatch: pytest.MonkeyPatch,
    finding: Callable[..., Finding],
    judgement: Judgement,
    reference: Callable[..., Reference],
) -> None:
    examined(monkeypatch, finding(judgement))
    clockwork.catalogue.references_of.return_value = [reference(), reference(reference_id="ref_2", owner="Bob")]
    line = clockwork.checking.check(b"abc", QUICK, file="q.jpg").line
    assert [(match.reference_id, match.owner) for match in line.matches] == [("ref_1", "Ann"), ("ref_2", "Bob")]
    assert line.verdict is Verdict.COPY


def test_a_finding_keeps_grounds_but_no_names(
    clockwork: Clockwork,
    monkeypatch: pytest.MonkeyPatch,
    finding: Callable[..., Finding],
    judgement: Judgement,
    reference: Callable[..., Reference],
) -> None:
    examined(monkeypatch, finding(judgement))
    clockwork.catalogue.references_of.return_value = [reference()]
    line = clockwork.checking.check(b"abc", QUICK, file="q.jpg").line
    stored = clockwork.stored()
    document = json.loads(stored.document)
    assert document["matches"][0]["features"] == judgement.features
    assert (document["profile"], document["generation_id"]) == ("quick", "gen_1")
    for name in ("Ann", "a.jpg", "c" * 64):
        assert name not in stored.document
    clockwork.catalogue.reference.return_value = reference()
    shown = findings.line_of(findings.read(stored), clockwork.catalogue)
    assert shown == line.model_copy(update={"timings_ms": None})
    erased = reference(status=ReferenceStatus.ERASED, file=None, sha256=None, work_id=None)
    clockwork.catalogue.reference.return_value = erased
    assert findings.line_of(findings.read(stored), clockwork.catalogue).matches[0].file is None
    clockwork.catalogue.reference.side_effect = NotFound("gone")
    assert findings.line_of(findings.read(stored), clockwork.catalogue).matches[0].owner is None


def test_a_damaged_finding_is_noticed(clock: Any) -> None:
    stored = StoredFinding(finding_id="fnd_1", created_at=clock.now(), file="q", query_sha256="a" * 64, document="{}")
    with pytest.raises(DigestMismatch, match="fnd_1"):
        findings.read(stored)


@pytest.mark.parametrize("days", [0, 3])
def test_the_query_is_kept_for_its_time(
    clock: Any, monkeypatch: pytest.MonkeyPatch, finding: Callable[..., Finding], days: int
) -> None:
    clockwork = Clockwork(clock, timedelta(days=days))
    examined(monkeypatch, finding())
    clockwork.checking.check(b"abc", QUICK, file="q.jpg")
    expires = clockwork.catalogue.add_finding.call_args.kwargs["query_expires_at"]
    assert expires == (clock.now() + timedelta(days=days) if days else None)
    assert clockwork.blobs.put.called is bool(days)


def test_withdrawn_since_the_search_is_not_listed_and_does_not_decide(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, finding: Callable[..., Finding], judgement: Judgement
) -> None:
    examined(monkeypatch, finding(judgement))
    clockwork.catalogue.references_of.return_value = []
    line = clockwork.checking.check(b"abc", QUICK, file="q.jpg").line
    assert (line.verdict, line.matches, line.reasons) == (Verdict.NO_MATCH, [], ["no_candidate"])


def test_a_generation_swapped_underway_means_again(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, finding: Callable[..., Finding]
) -> None:
    first = finding()
    examine = examined(monkeypatch, first, replace(first, generation_id="gen_2"))
    newer = Mock(spec=Generation, generation_id="gen_2", weights_sha256="b" * 64)
    examine.side_effect = [first, replace(first, generation_id="gen_2")]
    swapped = iter([clockwork.generation, newer, newer, newer])  # read before and after each examination
    type(clockwork.index).generation = property(lambda _: next(swapped))
    try:
        clockwork.checking.check(b"abc", QUICK, file="q.jpg")
    finally:
        del type(clockwork.index).generation
    assert examine.call_count == 2
    assert json.loads(clockwork.stored().document)["generation_id"] == "gen_2"


def test_weights_of_another_dimension_activated_underway_mean_again(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, finding: Callable[..., Finding]
) -> None:
    found = replace(finding(), generation_id="gen_2")
    examine = examined(monkeypatch, found)
    examine.side_effect = [IndexUnavailable("vectors of shape (1, 512) cannot search dimension 256"), found]
    newer = Mock(spec=Generation, generation_id="gen_2", weights_sha256="b" * 64)
    swapped = iter([clockwork.generation, newer, newer, newer])
    type(clockwork.index).generation = property(lambda _: next(swapped))
    try:
        clockwork.checking.check(b"abc", QUICK, file="q.jpg")
    finally:
        del type(clockwork.index).generation
    assert json.loads(clockwork.stored().document)["generation_id"] == "gen_2"


def test_an_index_that_fails_for_another_reason_is_told(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, finding: Callable[..., Finding]
) -> None:
    examine = examined(monkeypatch, finding())
    examine.side_effect = IndexUnavailable("gone")
    with pytest.raises(IndexUnavailable):
        clockwork.checking.check(b"abc", QUICK, file="q.jpg")
    assert examine.call_count == 1


@pytest.mark.parametrize("others", [False, True])
def test_a_damaged_candidate_is_passed_over_and_said_to_be(
    clockwork: Clockwork,
    monkeypatch: pytest.MonkeyPatch,
    finding: Callable[..., Finding],
    judgement: Judgement,
    reference: Callable[..., Reference],
    content: Content,
    caplog: pytest.LogCaptureFixture,
    others: bool,
) -> None:
    """What could not be compared is no ground for saying that there is nothing."""
    clockwork.catalogue.content_numbered.return_value = content
    clockwork.catalogue.descriptors.return_value = []
    clockwork.catalogue.references_of.return_value = [reference()]

    def examine(data: bytes, tools: Tools, profile: Profile) -> Finding:
        assert tools.library.load(7) is None
        return finding(judgement) if others else finding()

    monkeypatch.setattr(checking, "examine", examine)
    line = clockwork.checking.check(b"abc", QUICK, file="q.jpg").line
    assert line.verdict is (Verdict.COPY if others else Verdict.INCONCLUSIVE)
    assert line.reasons == [*(judgement.reasons if others else ()), "reference_damaged"]
    assert json.loads(clockwork.stored().document)["reasons"] == line.reasons
    assert "lacks its keypoints" in caplog.text


def test_what_goes_wrong_with_a_file_is_a_line(clockwork: Clockwork, tmp_path: Path) -> None:
    checked = clockwork.checking.line(source_of(tmp_path / "none.jpg"), QUICK)
    assert (checked.line.verdict, checked.fatal) == (Verdict.ERROR, None)
    assert checked.line.error is not None
    assert checked.line.error.code == "invalid_input"


def test_what_goes_wrong_with_the_store_is_a_line_and_the_end(clockwork: Clockwork, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"abc")
    clockwork.catalogue.active_generation.side_effect = StoreUnavailable("disk full")
    checked = clockwork.checking.line(source_of(path), QUICK)
    assert checked.line.sha256 is not None
    assert isinstance(checked.fatal, ImgguardError)


@pytest.mark.parametrize(
    ("profile", "candidates", "used"), [("quick", 10, 4), ("quick", 2, 2), ("thorough", 25, 25), ("thorough", None, 10)]
)
def test_how_many_candidates_are_examined(
    clockwork: Clockwork,
    monkeypatch: pytest.MonkeyPatch,
    finding: Callable[..., Finding],
    profile: str,
    candidates: int | None,
    used: int,
) -> None:
    examine = examined(monkeypatch, finding())
    clockwork.checking.check(b"abc", Request(profile=profile, candidates=candidates), file="q.jpg")
    assert examine.call_args.args[2].candidates == used


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("cannot write to /full: No space left on device"), "configuration"),
        (DecodeTimeout("too slow the second time"), "decode_timeout"),
        (StoreUnavailable("locked"), "store_unavailable"),
        (ZeroDivisionError("boom"), "internal"),
    ],
)
def test_what_was_found_outlives_a_failed_drawing(
    clockwork: Clockwork,
    monkeypatch: pytest.MonkeyPatch,
    finding: Callable[..., Finding],
    judgement: Judgement,
    reference: Callable[..., Reference],
    tmp_path: Path,
    error: Exception,
    code: str,
) -> None:
    examined(monkeypatch, finding(judgement))
    clockwork.catalogue.references_of.return_value = [reference()]
    monkeypatch.setattr(checking, "illustrate", Mock(side_effect=error))
    path = tmp_path / "q.jpg"
    path.write_bytes(b"abc")
    request = Request(profile="quick", evidence=tmp_path, illustrated=lambda _: True)
    checked = clockwork.checking.line(source_of(path), request)
    assert (checked.line.verdict, checked.line.error) == (Verdict.COPY, None)
    assert checked.line.finding_id == clockwork.stored().finding_id
    assert [match.evidence for match in checked.line.matches] == [{}]
    assert (checked.illustration, checked.fatal) == (None, None)
    assert checked.undrawn is not None
    assert checked.undrawn.code == code


def test_without_evidence_asked_for_a_failed_drawing_leaves_it_null(
    clockwork: Clockwork,
    monkeypatch: pytest.MonkeyPatch,
    finding: Callable[..., Finding],
    judgement: Judgement,
    reference: Callable[..., Reference],
) -> None:
    examined(monkeypatch, finding(judgement))
    clockwork.catalogue.references_of.return_value = [reference()]
    monkeypatch.setattr(checking, "illustrate", Mock(side_effect=DecodeTimeout("slow")))
    checked = clockwork.checking.check(b"abc", Request(profile="quick", illustrated=lambda _: True), file="q.jpg")
    assert [match.evidence for match in checked.line.matches] == [None]
    assert checked.undrawn is not None


def test_a_check_has_the_time_of_its_finding(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, finding: Callable[..., Finding], clock: Any, tmp_path: Path
) -> None:
    examined(monkeypatch, finding())
    assert clockwork.checking.check(b"abc", QUICK, file="q.jpg").checked_at == clock.now()
    assert clockwork.checking.line(source_of(tmp_path / "none.jpg"), QUICK).checked_at == clock.now()
