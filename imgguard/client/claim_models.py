"""What the server tells of claims and proofs, as frozen objects."""

from datetime import datetime

from imgguard.client.told import Told


class ClaimedDate(Told):
    """``at``: a year, month, day, or time in UTC, as it was stated."""

    what: str
    at: str


class StatedClaims(Told):
    """What the claimant states. Nobody has verified it."""

    claim_id: str
    reference_id: str
    dates: tuple[ClaimedDate, ...] = ()
    places: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    statement: str | None = None
    at_registration: bool = False
    made_at: datetime


class AttachedProof(Told):
    """A file that the claimant attached. ``keeping``: ``stored``, ``digest_only`` or ``removed``."""

    proof_id: str
    reference_id: str
    kind: str
    name: str
    sha256: str
    byte_length: int
    keeping: str
    added_at: datetime
    removed_at: datetime | None = None
