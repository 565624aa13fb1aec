"""The example of docs/evidence-format.md is what the code makes, and the figures there are those of the code."""

import re
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from small_log import ONE, leaf, opening, proof_of

from imgguard.provenance import leaves, notes, policy, proofs, records
from imgguard.provenance.canonical import DEEPEST
from imgguard.provenance.checkpoints import Cosignature
from imgguard.provenance.leaves import ClaimantOpening, Opening, open_leaf
from imgguard.provenance.records import Kind, ProofKind

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evidence-format.md").read_text()


def block(name: str) -> bytes:
    """What stands in the page between the fences of this name, with its last newline."""
    (found,) = re.findall(rf"^```\w+ {name}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    return str(found).encode()


SECRETS = {
    name: bytes.fromhex(value)
    for name, _, value in (line.rpartition(" ") for line in block("secrets").decode().splitlines())
}
RECORD, LEAF = block("record").removesuffix(b"\n"), block("leaf").removesuffix(b"\n")


def test_the_example_is_what_the_code_makes() -> None:
    made = opening()
    assert made.claimant is not None
    assert made.record == RECORD
    assert {
        "salt": made.salt,
        "claimant salt": made.claimant.salt,
        "public key": made.claimant.public_key,
        "signature": made.claimant.signature,
    } == SECRETS
    assert leaf() == LEAF
    assert len(LEAF) == 220
    assert proof_of([b"entry 0", LEAF, b"entry 2"], 1, ONE).to_bytes() == block("proof")


def test_the_example_holds() -> None:
    given = Opening(
        salt=SECRETS["salt"],
        record=RECORD,
        claimant=ClaimantOpening(
            salt=SECRETS["claimant salt"], public_key=SECRETS["public key"], signature=SECRETS["signature"]
        ),
    )
    assert open_leaf(LEAF, given).kind is Kind.REGISTRATION
    proven = proofs.verify_proof(proofs.parse_proof(block("proof")), LEAF, policy.parse_policy(block("policy")))
    assert proven.cosignatures == (Cosignature(ONE.key, 1_772_366_460),)


def test_the_digests_follow_from_the_text_alone() -> None:
    """Without any of our code: as somebody would who has read the page."""
    commit = sha256(b"imgguard record v1\n" + SECRETS["salt"] + RECORD).digest()
    claimant = sha256(
        b"imgguard claimant v1\n" + SECRETS["claimant salt"] + SECRETS["public key"] + SECRETS["signature"]
    ).hexdigest()
    assert f'"claimant":"{claimant}","commit":"{commit.hex()}"'.encode() in LEAF
    key = Ed25519PublicKey.from_public_bytes(SECRETS["public key"])
    key.verify(SECRETS["signature"], b"imgguard commitment v1\n" + commit)
    digest = sha256(b"\0" + LEAF).digest()
    assert digest.hex() in PAGE
    lines = block("proof").decode().split("\n")
    left, right = sha256(b"\0entry 0").digest(), sha256(b"\0entry 2").digest()
    assert [b64decode(line) for line in lines[2:4]] == [left, right]
    root = sha256(b"\1" + sha256(b"\1" + left + digest).digest() + right).digest()
    assert b64decode(lines[7]) == root


@pytest.mark.parametrize("kinds", [Kind, ProofKind])
def test_kinds_are_named(kinds: type[Kind] | type[ProofKind]) -> None:
    assert [kind for kind in kinds if f"`{kind.value}`" not in PAGE] == []


def test_the_limits_are_those_of_the_code() -> None:
    text = " ".join(PAGE.split())
    assert f"more than {DEEPEST} arrays and objects" in text
    assert f"At most {records.LONGEST_RECORD:,} bytes, nested at most {records.DEEPEST_RECORD} deep" in text
    assert f"at most {leaves.LONGEST_LEAF:,} bytes, and all of the entry" in text
    assert f"at most {notes.LONGEST_NOTE:,} bytes and {notes.MOST_SIGNATURES} signatures" in text
    assert f"At most {policy.LONGEST_POLICY:,} bytes, and {policy.MOST_OF_EACH} logs" in text
