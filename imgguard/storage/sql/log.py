"""The transparency log as it is written: each function runs inside the transaction of the change that it tells of.

So there is no change without its leaf, and no leaf without its change. docs/transparency-log.md has the life of a leaf.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select

from imgguard.provenance.leaves import Leaf, commitment, new_salt, signed_by
from imgguard.provenance.merkle import leaf_hash
from imgguard.provenance.records import (
    ClaimantFacts,
    Claims,
    FileFacts,
    Kind,
    PixelFacts,
    Record,
    event_record,
    registration_record,
)
from imgguard.storage.sql import claimants
from imgguard.storage.sql.claimants import Claimant
from imgguard.storage.sql.counting import next_number
from imgguard.storage.sql.schema import contents, log_leaves, log_openings

_COUNTER = "log_leaves"
_NEW_LEAF, _NEW_OPENING = insert(log_leaves), insert(log_openings)


def second(at: datetime) -> str:
    """``at`` as records and leaves write it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def append(
    connection: Connection,
    record: Record,
    *,
    object_id: str,
    owner_id: str | None,
    at: datetime,
    claimant: Claimant | None = None,
) -> int:
    """The position of the leaf of ``record``, which is about ``object_id`` and received at ``at``.

    ``owner_id``: whose it is, and who may see the record; ``claimant`` signs. Positions are given out in the order of
    commits: the row of the counter stays locked. Raises InputError for what cannot be logged.
    """
    data, salt = record.to_bytes(), new_salt()
    commit = commitment(data, salt)
    signed = None if claimant is None else signed_by(claimant.private_key, commit)
    leaf = Leaf(
        kind=record.kind, commit=commit, received_at=second(at), claimant=None if signed is None else signed.digest
    ).to_bytes()
    position = next_number(connection, _COUNTER) - 1
    row = {"position": position, "leaf": leaf, "leaf_hash": leaf_hash(leaf), "kind": record.kind.value}
    connection.execute(_NEW_LEAF, {**row, "object_id": object_id, "owner_id": owner_id, "logged_at": at})
    opening = {
        "claimant_salt": None if signed is None else signed.salt,
        "claimant_key": None if signed is None else signed.public_key,
        "claimant_signature": None if signed is None else signed.signature,
    }
    connection.execute(_NEW_OPENING, {"position": position, "salt": salt, "record": data, **opening})
    return position


def close(connection: Connection, object_id: str) -> None:
    """Destroy what opens the leaves about ``object_id``. The leaves stay, and say nothing any more."""
    about = select(log_leaves.c.position).where(log_leaves.c.object_id == object_id)
    connection.execute(delete(log_openings).where(log_openings.c.position.in_(about)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A registration: of the stored content ``number``, under the name ``file``."""

    reference_id: str
    owner_id: str
    owner: str
    number: int
    file: str
    claims: Claims | None = None


def register(connection: Connection, handed: Handed, *, at: datetime) -> None:
    """That an original was handed in, signed by its owner. Raises InputError for what cannot be in a record."""
    content = connection.execute(select(contents).where(contents.c.number == handed.number)).one()
    claimant = claimants.ensure(connection, handed.owner_id, at=at)
    record = registration_record(
        handed.reference_id,
        file=FileFacts(sha256=content.sha256, byte_length=content.byte_length, format=content.media_type),
        pixels=PixelFacts(
            sha256=content.pixel_digest,
            width=content.width,
            height=content.height,
            decoder=f"{content.decoder} {content.decoder_version}",
        ),
        claimant=ClaimantFacts(name=handed.owner, public_key=None if claimant is None else claimant.public_key),
        metadata={"file_name": handed.file, "declared_times": json.loads(content.declared_times)},
        claims=handed.claims,
    )
    append(connection, record, object_id=handed.reference_id, owner_id=handed.owner_id, at=at, claimant=claimant)


def withdraw(connection: Connection, reference_id: str, *, owner_id: str, at: datetime) -> None:
    """That the reference is withdrawn, signed by its owner."""
    record = event_record(Kind.WITHDRAWAL, subject=reference_id, occurred_at=second(at), facts={"event": "withdrawn"})
    claimant = claimants.ensure(connection, owner_id, at=at)
    append(connection, record, object_id=reference_id, owner_id=owner_id, at=at, claimant=claimant)


def erase(connection: Connection, reference_id: str, *, owner_id: str, at: datetime) -> None:
    """That the reference is erased, and with it what opened its leaves. The new one names nobody, and nobody signs."""
    close(connection, reference_id)
    record = event_record(Kind.WITHDRAWAL, subject=reference_id, occurred_at=second(at), facts={"event": "erased"})
    append(connection, record, object_id=reference_id, owner_id=owner_id, at=at)
