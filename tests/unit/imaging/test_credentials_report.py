"""What is taken from the report of the library, for cases that take more than a certificate authority to make."""

from datetime import UTC, datetime
from typing import Any

import pytest

from imgguard.imaging.credentials import ContentCredentials, CredentialState, Generated, Revocation, Timestamp
from imgguard.imaging.credentials_reader import _facts

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
STAMP = {"timestamp": "2026-05-01T12:00:00+02:00"}


def facts(*, trusting: bool = True, claim: str = "claim.v2", earlier: Any = (), **active: Any) -> ContentCredentials:
    manifest = {"assertions": {}, claim: {}, "signature": {}, "validationResults": {}} | active
    report = {"manifests": [manifest, *earlier], "jsonGenerator": {"name": "c2pa-rs", "version": "1"}}
    return _facts("Valid", report, trusting=trusting)


def results(success: tuple[str, ...] = (), failure: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"success": [{"code": code} for code in success], "failure": [{"code": code} for code in failure]}


@pytest.mark.parametrize(
    ("claim", "trusting", "codes", "timestamp"),
    [
        ("claim.v2", True, ("timeStamp.trusted",), Timestamp.TRUSTED),
        ("claim.v2", True, ("timeStamp.validated",), Timestamp.UNTRUSTED),
        ("claim.v2", False, ("timeStamp.trusted",), Timestamp.UNTRUSTED),
        ("claim", True, ("timeStamp.trusted",), Timestamp.UNTRUSTED),
    ],
)
def test_a_timestamp_is_trusted_by_our_list_only(
    claim: str, trusting: bool, codes: tuple[str, ...], timestamp: Timestamp
) -> None:
    found = facts(
        claim=claim, trusting=trusting, signature={"timeStampInfo": STAMP}, validationResults=results(success=codes)
    )
    assert (found.signed_at, found.timestamp) == (datetime(2026, 5, 1, 10, tzinfo=UTC), timestamp)


@pytest.mark.parametrize(
    ("codes", "revocation"),
    [
        ({}, Revocation.NOT_KNOWN),
        ({"success": ("signingCredential.ocsp.notRevoked",)}, Revocation.NOT_REVOKED),
        ({"failure": ("signingCredential.ocsp.revoked",)}, Revocation.REVOKED),
        ({"failure": ("signingCredential.ocsp.unknown",)}, Revocation.NOT_KNOWN),
    ],
)
def test_revocation_is_not_known_unless_it_is_told(codes: dict[str, tuple[str, ...]], revocation: Revocation) -> None:
    assert facts(validationResults=results(**codes)).revocation is revocation


def test_what_an_earlier_file_was_generated_by_counts_in_part() -> None:
    generated = {"c2pa.actions.v2": {"actions": [{"action": "c2pa.created", "digitalSourceType": GENERATED}]}}
    assert facts(assertions=generated).ai_generated is Generated.WHOLLY
    assert facts(earlier=[{"assertions": generated}]).ai_generated is Generated.PARTLY
    assert facts().ai_generated is Generated.NOT_STATED


def test_failures_of_what_it_was_made_from_are_told_apart() -> None:
    delta = {"validationDeltas": results(failure=("claimSignature.mismatch", "claimSignature.mismatch"))}
    found = facts(ingredientDeltas=[delta])
    assert (found.state, found.failures) == (CredentialState.VALID, ())
    assert found.ingredient_failures == ("claimSignature.mismatch",)
