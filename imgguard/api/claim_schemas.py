"""The JSON of claims and proofs, with the examples under which the API describes it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from imgguard.api.schemas import Number
from imgguard.services import claim_views

_REFERENCE = "ref_01jnv7kq6f8h0k2m4p6r8t0v2x"
_AT = "2026-03-01T12:00:00Z"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

CLAIMS: dict[str, Any] = {
    "dates": [{"what": "taken", "at": "2026-02-01"}, {"what": "published", "at": "2026-02-14T09:30:00Z"}],
    "places": ["Studio 3, Oslo"],
    "urls": ["https://studio.example/blue-dress"],
    "statement": "Taken in our studio for the spring catalogue.",
}
"""Also of the fields of forms that take claims as JSON."""

_PROOF: dict[str, Any] = {
    "proof_id": "prf_01jnv7m1b2d4f6h8k0m2p4r6t8",
    "reference_id": _REFERENCE,
    "kind": "raw",
    "name": "DSC_0412.NEF",
    "sha256": _SHA256,
    "byte_length": 31457280,
    "keeping": "stored",
    "added_at": _AT,
    "removed_at": None,
}

_Line = Annotated[str, Field(min_length=1, max_length=2_000)]


def _with(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [example]})


class ClaimedDate(BaseModel):
    model_config = _with(CLAIMS["dates"][0])

    what: str = Field(min_length=1, max_length=300, description="`taken`, `published`, or in other words.")
    at: str = Field(max_length=24, description="A year, month, day, or time in UTC: `2026`, `2026-02-14T09:30:00Z`.")


class ClaimsGiven(BaseModel):
    """What the claimant states; at least one of these. imgguard checks none of it."""

    model_config = _with(CLAIMS)

    dates: list[ClaimedDate] = Field(default=[], max_length=200)
    places: list[_Line] = Field(default=[], max_length=200)
    urls: list[_Line] = Field(default=[], max_length=200, description="Where it was published: http or https.")
    statement: str | None = Field(default=None, max_length=10_000)

    def plain(self) -> dict[str, Any]:
        """Without what is empty."""
        return {name: value for name, value in self.model_dump().items() if value}


class StatedClaims(claim_views.StatementView):
    """What the claimant states. Not verified."""

    model_config = _with(
        {
            "claim_id": "clm_01jnv7m0a1c3e5g7j9m1p3r5t7",
            "reference_id": _REFERENCE,
            **CLAIMS,
            "at_registration": False,
            "made_at": _AT,
        }
    )


class Proof(claim_views.ProofView):
    """A file that the claimant attached. Not examined. ``digest_only``: the file stayed with the claimant."""

    model_config = _with(_PROOF)


class ProofDigest(BaseModel):
    """A file that stays with the claimant."""

    model_config = _with({name: _PROOF[name] for name in ("kind", "name", "sha256", "byte_length")})

    kind: str = Field(max_length=40, description="As of a proof that is sent.")
    name: str = Field(max_length=300, description="What the file is called.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="64 hexadecimal digits, in lower case.")
    byte_length: Number = Field(ge=1, le=2**53 - 1)
