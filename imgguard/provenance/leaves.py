"""What is public: one leaf of the log for each record, and what opens it.

    commit   = SHA-256("imgguard record v1\\n" + salt + record)
    signed   = "imgguard commitment v1\\n" + commit, by the claimant's Ed25519 key
    claimant = SHA-256("imgguard claimant v1\\n" + claimant salt + public key + signature)

A leaf says that there is a record, of which kind, and when it was received. The kind tells strangers how much of what
happens, and no more: leaves of one claimant are not to be told from those of others, nor can a known file or key be
tried on them, since both digests are salted. Whoever destroys the salts has erased what the leaf said.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imgguard.errors import InputError, LeafInvalid, NotCanonical, RecordInvalid
from imgguard.provenance import shapes
from imgguard.provenance.canonical import parse_canonical, to_canonical
from imgguard.provenance.ed25519 import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    InvalidSignature,
    public_bytes,
    verify_ed25519,
)
from imgguard.provenance.records import DEEPEST_RECORD, LONGEST_RECORD, Kind, Record, parse_record

VERSION = 1
SALT_BYTES = 32
LONGEST_LEAF = 1024
LONGEST_OPENING = LONGEST_RECORD + 1024

_RECORD = b"imgguard record v1\n"
_COMMITMENT = b"imgguard commitment v1\n"
_CLAIMANT = b"imgguard claimant v1\n"


def _hex(byte_count: int) -> shapes.Check:
    def check(value: object, where: str) -> None:
        if not shapes.is_hex(value, byte_count):
            shapes.fail(where, f"{byte_count} bytes in lower-case hex")

    return check


_LEAF = shapes.members(
    {
        "v": shapes.integer(1),
        "kind": shapes.one_of(frozenset(Kind)),
        "commit": shapes.digest,
        "received_at": shapes.time,
    },
    {"claimant": shapes.digest},
)
_OPENING = shapes.members(
    {"v": shapes.integer(1), "salt": _hex(SALT_BYTES), "record": shapes.any_object},
    {
        "claimant": shapes.members(
            {"salt": _hex(SALT_BYTES), "public_key": _hex(KEY_BYTES), "signature": _hex(SIGNATURE_BYTES)}
        )
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimantOpening:
    """Who has signed the commitment."""

    salt: bytes = field(repr=False)
    public_key: bytes
    signature: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """The leaf's ``claimant``."""
        return hashlib.sha256(_CLAIMANT + self.salt + self.public_key + self.signature).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What shows what a leaf is about: private, and to be destroyed when the record is erased.

    ``record`` is in canonical JSON. ``claimant`` is None when nobody has signed.
    """

    salt: bytes = field(repr=False)
    record: bytes = field(repr=False)
    claimant: ClaimantOpening | None = None

    @property
    def commit(self) -> bytes:
        """The leaf's ``commit``."""
        return commitment(self.record, self.salt)

    def to_bytes(self) -> bytes:
        """In canonical JSON. Raises NotCanonical, RecordInvalid when its record is none."""
        parse_record(self.record)
        value: dict[str, Any] = {
            "v": VERSION,
            "salt": self.salt.hex(),
            "record": parse_canonical(self.record, most_bytes=LONGEST_RECORD),
        }
        if self.claimant is not None:
            value["claimant"] = {
                "salt": self.claimant.salt.hex(),
                "public_key": self.claimant.public_key.hex(),
                "signature": self.claimant.signature.hex(),
            }
        return to_canonical(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """``received_at`` is what the log says; times that others vouch for are those of checkpoints."""

    kind: Kind
    commit: bytes
    received_at: str
    claimant: bytes | None = None

    def to_bytes(self) -> bytes:
        """The entry of the log, in canonical JSON. Raises InputError for what is no leaf."""
        value: dict[str, Any] = {
            "v": VERSION,
            "kind": self.kind.value,
            "commit": self.commit.hex(),
            "received_at": self.received_at,
        }
        if self.claimant is not None:
            value["claimant"] = self.claimant.hex()
        try:
            _LEAF(value, "the leaf")
        except RecordInvalid as error:
            raise InputError(f"this is no leaf: {error.detail}") from error
        return to_canonical(value)


def new_salt() -> bytes:
    """32 random bytes. Each commitment needs its own: two with one salt can be compared."""
    return secrets.token_bytes(SALT_BYTES)


def commitment(record: bytes, salt: bytes) -> bytes:
    """The digest that stands for a record. Raises InputError for a salt of another length."""
    if len(salt) != SALT_BYTES:
        raise InputError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return hashlib.sha256(_RECORD + salt + record).digest()


def statement_of(commit: bytes) -> bytes:
    """What the claimant signs."""
    return _COMMITMENT + commit


def signed_by(private_key: Ed25519PrivateKey, commit: bytes, *, salt: bytes | None = None) -> ClaimantOpening:
    """The claimant's signature of ``commit``, for whoever has the key at hand. ``salt``: a new one by default."""
    return ClaimantOpening(
        salt=new_salt() if salt is None else salt,
        public_key=public_bytes(private_key),
        signature=private_key.sign(statement_of(commit)),
    )


def leaf_of(opening: Opening, *, received_at: str) -> bytes:
    """The leaf that ``opening`` opens. Raises InputError for a time of another form, LeafInvalid when it opens none."""
    try:
        kind = parse_record(opening.record).kind
    except (NotCanonical, RecordInvalid) as error:
        raise LeafInvalid(f"the record cannot be read: {error.detail}") from error
    claimant = None if opening.claimant is None else opening.claimant.digest
    data = Leaf(kind=kind, commit=opening.commit, received_at=received_at, claimant=claimant).to_bytes()
    open_leaf(data, opening)
    return data


def parse_leaf(data: bytes) -> Leaf:
    """Raises LeafInvalid."""
    value = _parsed(data, _LEAF, "the leaf", most_bytes=LONGEST_LEAF)
    claimant = value.get("claimant")
    return Leaf(
        kind=Kind(value["kind"]),
        commit=bytes.fromhex(value["commit"]),
        received_at=value["received_at"],
        claimant=None if claimant is None else bytes.fromhex(claimant),
    )


def parse_opening(data: bytes) -> Opening:
    """As `Opening.to_bytes` writes it. Raises LeafInvalid."""
    value = _parsed(data, _OPENING, "the opening", most_bytes=LONGEST_OPENING)
    claimant = value.get("claimant")
    found = Opening(
        salt=bytes.fromhex(value["salt"]),
        record=to_canonical(value["record"]),
        claimant=None
        if claimant is None
        else ClaimantOpening(**{name: bytes.fromhex(text) for name, text in claimant.items()}),
    )
    _record_of(found)
    return found


def open_leaf(data: bytes, opening: Opening) -> Record:
    """The record that the leaf ``data`` stands for.

    1  it is a leaf
    2  salt and record are what it commits to
    3  the record is one, and of the kind that the leaf says
    4  the leaf has a claimant when, and only when, somebody has signed
    5  salt, key and signature of the claimant are what the leaf stands for
    6  the signature is right
    7  a registration names the key of whoever has signed, and none when nobody has

    Raises LeafInvalid.
    """
    # 1
    leaf = parse_leaf(data)
    # 2
    if len(opening.salt) != SALT_BYTES or opening.commit != leaf.commit:
        raise LeafInvalid("the salt and the record are not what the leaf commits to")
    # 3
    record = _record_of(opening)
    if record.kind is not leaf.kind:
        raise LeafInvalid(f"the leaf says {leaf.kind}, and the record {record.kind}")
    # 4
    claimant = opening.claimant
    if (claimant is None) != (leaf.claimant is None):
        raise LeafInvalid("the leaf is signed and the opening is not, or the other way round")
    if claimant is not None:
        # 5
        lengths = (len(claimant.salt), len(claimant.public_key), len(claimant.signature))
        if lengths != (SALT_BYTES, KEY_BYTES, SIGNATURE_BYTES) or claimant.digest != leaf.claimant:
            raise LeafInvalid("the leaf stands for another claimant, or another signature")
        # 6
        try:
            verify_ed25519(claimant.public_key, claimant.signature, statement_of(leaf.commit))
        except InvalidSignature as error:
            raise LeafInvalid("the signature of the claimant is wrong") from error
    # 7
    if record.kind is Kind.REGISTRATION and record.claimant_key != (claimant.public_key if claimant else None):
        raise LeafInvalid("the record names another key than the one that has signed")
    return record


def _record_of(opening: Opening) -> Record:
    try:
        return parse_record(opening.record)
    except (NotCanonical, RecordInvalid) as error:
        raise LeafInvalid(f"the record cannot be read: {error.detail}") from error


def _parsed(data: bytes, shape: shapes.Check, where: str, *, most_bytes: int) -> dict[str, Any]:
    try:
        value = parse_canonical(data, most_bytes=most_bytes, deepest=DEEPEST_RECORD + 1)
        found: dict[str, Any] = shapes.checked(value, shape, where)
    except (NotCanonical, RecordInvalid) as error:
        raise LeafInvalid(f"{where} cannot be read: {error.detail}") from error
    if found["v"] != VERSION:
        raise LeafInvalid(f"{where} is of version {found['v']}, which is not known")
    return found
