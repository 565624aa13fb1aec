"""A log, a claimant and witnesses with fixed keys, for tests of what is made of them."""

from collections.abc import Sequence
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imgguard.provenance import merkle
from imgguard.provenance.checkpoints import Checkpoint, cosign, sign_checkpoint
from imgguard.provenance.leaves import Opening, commitment, leaf_of, signed_by
from imgguard.provenance.notes import COSIGNATURE, Signer
from imgguard.provenance.policy import Policy, parse_policy
from imgguard.provenance.proofs import Proof
from imgguard.provenance.records import (
    ClaimantFacts,
    Claims,
    FileFacts,
    HeldFile,
    PixelFacts,
    ProofKind,
    Record,
    registration_record,
)

ORIGIN = "log.example.org/imgguard"
RECEIVED_AT = "2026-03-01T12:00:00Z"
SECONDS = 1_772_366_460


def key(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()).digest())


LOG = Signer(ORIGIN, key("log"))
ONE = Signer("one.example.org", key("witness one"), key_type=COSIGNATURE)
TWO = Signer("two.example.org", key("witness two"), key_type=COSIGNATURE)
CLAIMANT = key("claimant")


def registration(*, is_signed: bool = True) -> Record:
    return registration_record(
        "ref_01jnv7w3d5f7h9k1n3q5s7v9x1",
        file=FileFacts(sha256=sha256(b"file").hexdigest(), byte_length=2_480_113, format="JPEG"),
        pixels=PixelFacts(sha256=sha256(b"pixels").hexdigest(), width=4000, height=3000, decoder="pillow 13.0.0"),
        claimant=ClaimantFacts(
            name="Ada Studio", public_key=CLAIMANT.public_key().public_bytes_raw() if is_signed else None
        ),
        metadata={"exif": {"Model": "X-T5", "FNumber": 5.6}},
        claims=Claims(dates=[("taken", "2026-02-27")], statement="Taken in our studio."),
        proofs=[HeldFile(kind=ProofKind.RAW, sha256=sha256(b"raw").hexdigest(), byte_length=41_000_000, name="1.raf")],
    )


def opening(record: Record | None = None, *, is_signed: bool = True) -> Opening:
    data = (record or registration(is_signed=is_signed)).to_bytes()
    salt = sha256(b"salt").digest()
    claimant = None
    if is_signed:
        claimant = signed_by(CLAIMANT, commitment(data, salt), salt=sha256(b"claimant salt").digest())
    return Opening(salt=salt, record=data, claimant=claimant)


def leaf(*, is_signed: bool = True) -> bytes:
    return leaf_of(opening(is_signed=is_signed), received_at=RECEIVED_AT)


def entries(count: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(count)]


def subtree_of(hashes: Sequence[bytes]) -> merkle.Subtree:
    """Joined anew every time, straight after the definition of the tree (RFC 6962, 2.1)."""

    def subtree(level: int, index: int) -> bytes:
        part = list(hashes[index << level : (index + 1) << level])
        assert len(part) == 1 << level, "it is asked for complete subtrees only"
        while len(part) > 1:
            part = [sha256(b"\x01" + part[at] + part[at + 1]).digest() for at in range(0, len(part), 2)]
        return part[0]

    return subtree


def checkpoint_of(all_entries: Sequence[bytes], *witnesses: Signer) -> bytes:
    root = merkle.root_of(map(merkle.leaf_hash, all_entries))
    note = sign_checkpoint(Checkpoint(ORIGIN, len(all_entries), root), LOG)
    for witness in witnesses:
        note = cosign(note, witness, seconds=SECONDS)
    return note


def proof_of(all_entries: Sequence[bytes], index: int, *witnesses: Signer) -> Proof:
    hashes = [merkle.leaf_hash(entry) for entry in all_entries]
    path = merkle.inclusion_proof(index, len(hashes), subtree_of(hashes))
    return Proof(index=index, path=path, checkpoint=checkpoint_of(all_entries, *witnesses))


def policy(quorum: str = "both") -> Policy:
    return parse_policy(
        f"log {LOG.key.text}\nwitness one {ONE.key.text}\nwitness two {TWO.key.text}\n"
        f"group both all one two\nquorum {quorum}\n".encode()
    )
