"""Credentials in words: what the file says is never told as what is so."""

from dataclasses import replace
from datetime import UTC, datetime

from imgguard.evidence.credentials import GENERATED, REMARKS, REVOCATIONS, credential_facts
from imgguard.evidence.wording import CREDENTIAL_STATES
from imgguard.imaging.credentials import (
    Action,
    ContentCredentials,
    CredentialState,
    Generated,
    Ingredient,
    Remark,
    Revocation,
    Signer,
    Timestamp,
)

SIGNED = ContentCredentials(
    state=CredentialState.VALID,
    failures=("signingCredential.untrusted",),
    signer=Signer(
        common_name="Camera 1",
        organisation="Test Cameras",
        issuer="Test Root",
        serial="abc123",
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=None,
    ),
    signed_at=datetime(2026, 5, 2, 12, tzinfo=UTC),
    timestamp=Timestamp.UNTRUSTED,
    actions=(Action(code="c2pa.created", software=None, at=None, source_type="digitalCapture"),) * 9,
    action_count=10_000,
    ingredients=(Ingredient(title=None, relationship="parentOf"),),
    ingredient_count=1,
    ai_generated=Generated.WHOLLY,
    remarks=(Remark.OPENED_FROM_ANOTHER,),
)


def test_what_people_are_told() -> None:
    facts = credential_facts(SIGNED)
    assert facts[0] == ("Content Credentials", "intact; signer not in your trust list")
    assert ("Signed by", "Camera 1, Test Cameras") in facts
    certificate = "issued by Test Root, serial abc123, valid from 2026-01-01 to (unknown); revocation not known"
    assert dict(facts)["Certificate"].startswith(certificate)
    assert ("Signed at", "2 May 2026, 12:00:00 UTC (timestamp of somebody not in your trust list)") in facts
    assert [value for label, value in facts if label == "The file says"] == [
        *["c2pa.created (digitalCapture)"] * 8,
        "... 10000 steps in all",
    ]
    assert ("Made from", "(no title)") in facts
    assert ("Note", REMARKS[Remark.OPENED_FROM_ANOTHER]) in facts
    assert not any("made by" in f"{label} {value}".lower() for label, value in facts)


def test_nothing_is_told_of_a_file_that_says_nothing() -> None:
    assert credential_facts(None) == []


def test_what_could_not_be_read_is_told_with_its_reason() -> None:
    facts = credential_facts(replace(ContentCredentials(state=CredentialState.UNREADABLE), failures=("malformed",)))
    assert facts == [
        ("Content Credentials", CREDENTIAL_STATES[CredentialState.UNREADABLE]),
        ("Failed checks", "malformed"),
    ]


def test_every_word_has_a_meaning() -> None:
    assert set(CREDENTIAL_STATES) == set(CredentialState)
    assert (set(GENERATED), set(REVOCATIONS), set(REMARKS)) == (set(Generated), set(Revocation), set(Remark))
