"""Keys by which owners sign what is logged for them. Each function runs inside the caller's transaction."""

from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, insert, select

from imgguard.provenance.keys import new_key, parse_pem, public_bytes, to_pem
from imgguard.storage.sql.schema import claimant_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Whoever signs: the key is in this store."""

    public_key: bytes
    private_key: Ed25519PrivateKey = field(repr=False)


def ensure(connection: Connection, owner_id: str, *, at: datetime) -> Claimant | None:
    """The owner's key, made now if there is none; None when the owner keeps it elsewhere, and signs there."""
    mine = claimant_keys.c.owner_id == owner_id, claimant_keys.c.retired_at.is_(None)
    row = connection.execute(select(claimant_keys).where(*mine)).one_or_none()
    if row is None:
        made = new_key()
        public_key = public_bytes(made)
        connection.execute(
            insert(claimant_keys).values(
                public_key=public_key, owner_id=owner_id, private_key=to_pem(made), created_at=at
            )
        )
        return Claimant(public_key=public_key, private_key=made)
    if row.private_key is None:
        return None
    return Claimant(public_key=row.public_key, private_key=parse_pem(row.private_key))


def forget(connection: Connection, owner_id: str) -> None:
    """Destroy the owner's keys: nothing is signed for that owner any more."""
    connection.execute(delete(claimant_keys).where(claimant_keys.c.owner_id == owner_id))
