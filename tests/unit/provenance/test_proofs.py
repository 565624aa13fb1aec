"""The file that proves an entry: its form, and what makes it fail."""

import base64
from dataclasses import replace

import pytest
from small_log import LOG, ONE, SECONDS, TWO, checkpoint_of, entries, key, policy, proof_of

from imgguard.errors import (
    CheckpointInvalid,
    InclusionProofInvalid,
    InputError,
    NoteInvalid,
    PolicyInvalid,
    QuorumNotReached,
    VerificationError,
)
from imgguard.provenance.checkpoints import Checkpoint, sign_checkpoint
from imgguard.provenance.merkle import EMPTY_ROOT
from imgguard.provenance.notes import Signer
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.proofs import Proof, parse_proof, verify_proof

ENTRIES = entries(11)
PROOF = proof_of(ENTRIES, 6, ONE, TWO)


def test_the_file_has_the_form_of_the_specification() -> None:
    lines = PROOF.to_bytes().decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 6"]
    assert [base64.b64decode(line) for line in lines[2:6]] == list(PROOF.path)
    assert "\n".join(lines[6:]) == "\n" + PROOF.checkpoint.decode()
    with_extra = replace(PROOF, extra=b"more").to_bytes()
    assert with_extra.decode().split("\n")[1] == "extra bW9yZQ=="
    assert parse_proof(with_extra) == replace(PROOF, extra=b"more")


def test_a_proof_says_what_it_proves() -> None:
    proven = verify_proof(parse_proof(PROOF.to_bytes()), ENTRIES[6], policy())
    assert (proven.index, proven.checkpoint.size, proven.log_key) == (6, 11, LOG.key)
    assert [(one.key, one.seconds) for one in proven.cosignatures] == [(ONE.key, SECONDS), (TWO.key, SECONDS)]


def test_every_entry_of_a_log_is_proven_and_no_other() -> None:
    for index in range(11):
        proof = proof_of(ENTRIES, index)
        verify_proof(proof, ENTRIES[index], policy("none"))
        for other in (ENTRIES[index - 1], b"", ENTRIES[index] + b"\0"):
            with pytest.raises(InclusionProofInvalid):
                verify_proof(proof, other, policy("none"))


def test_less_than_the_quorum_is_refused_and_a_wrong_cosignature_too() -> None:
    with pytest.raises(QuorumNotReached, match=r"one\.example\.org"):
        verify_proof(proof_of(ENTRIES, 6, ONE), ENTRIES[6], policy())
    with pytest.raises(QuorumNotReached, match="no witness"):
        verify_proof(proof_of(ENTRIES, 6), ENTRIES[6], policy("one"))
    elsewhere = checkpoint_of(ENTRIES[:10], ONE, TWO).split(b"\n")[-2]
    mixed = replace(PROOF, checkpoint=checkpoint_of(ENTRIES, ONE) + elsewhere + b"\n")
    with pytest.raises(CheckpointInvalid, match=r"two\.example\.org"):
        verify_proof(mixed, ENTRIES[6], policy())


def test_the_keys_come_from_the_policy_only() -> None:
    thief = Signer(LOG.key.name, key("thief"))
    forged = replace(PROOF, checkpoint=sign_checkpoint(Checkpoint(LOG.key.name, 1, EMPTY_ROOT), thief))
    with pytest.raises(NoteInvalid, match="no known key"):
        verify_proof(forged, ENTRIES[6], policy("none"))
    with pytest.raises(NoteInvalid, match="no known key"):
        verify_proof(PROOF, ENTRIES[6], parse_policy(b"quorum none\n"))


def test_no_altered_byte_passes() -> None:
    data, rules = PROOF.to_bytes(), policy()
    for at in range(len(data)):
        for bit in (1, 4, 32, 128):
            altered = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
            with pytest.raises(VerificationError):
                verify_proof(parse_proof(altered), ENTRIES[6], rules)
        with pytest.raises(VerificationError):
            verify_proof(parse_proof(data[:at]), ENTRIES[6], rules)
        with pytest.raises(VerificationError):
            verify_proof(parse_proof(data[:at] + data[at + 1 :]), ENTRIES[6], rules)


HASH = base64.b64encode(b"\1" * 32).decode()


@pytest.mark.parametrize(
    "head",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v2\nindex 0",
        " c2sp.org/tlog-proof@v1\nindex 0",
        "c2sp.org/tlog-proof@v1\r\nindex 0",
        "c2sp.org/tlog-proof@v1\nindex",
        "c2sp.org/tlog-proof@v1\nindex ",
        "c2sp.org/tlog-proof@v1\nindex 00",
        "c2sp.org/tlog-proof@v1\nindex 01",
        "c2sp.org/tlog-proof@v1\nindex -1",
        "c2sp.org/tlog-proof@v1\nindex  1",
        "c2sp.org/tlog-proof@v1\nindex 1 ",
        "c2sp.org/tlog-proof@v1\nindex ١",
        f"c2sp.org/tlog-proof@v1\nindex {2**63}",
        f"c2sp.org/tlog-proof@v1\nindex {'1' * 5000}",
        f"c2sp.org/tlog-proof@v1\n{HASH}",
        "c2sp.org/tlog-proof@v1\nextra AAAA",
        "c2sp.org/tlog-proof@v1\nextra AAA\nindex 0",
        "c2sp.org/tlog-proof@v1\nextra AAB=\nindex 0",
        "c2sp.org/tlog-proof@v1\nextra\nindex 0",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nextra AAAA\nindex 0",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH[:-1]}",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH} ",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH.replace('E=', 'F=')}",
        "c2sp.org/tlog-proof@v1\nindex 0" + f"\n{HASH}" * 65,
        f"c2sp.org/tlog-proof@v1\nextra {'A' * 87_400}\nindex 0",
    ],
)
def test_other_heads_are_refused(head: str) -> None:
    with pytest.raises(InclusionProofInvalid):
        parse_proof(head.encode() + b"\n\n" + PROOF.checkpoint)


def test_a_proof_is_bounded() -> None:
    with pytest.raises(InclusionProofInvalid, match="at most"):
        parse_proof(PROOF.to_bytes() + b"x" * 300_000)


@pytest.mark.parametrize(
    "proof",
    [
        Proof(index=-1, path=(), checkpoint=b""),
        Proof(index=2**63, path=(), checkpoint=b""),
        Proof(index=0, path=(b"short",), checkpoint=b""),
        Proof(index=0, path=(b"\1" * 32,) * 65, checkpoint=b""),
        Proof(index=0, path=(), checkpoint=b"x" * 300_000),
    ],
)
def test_what_is_no_proof_is_not_written(proof: Proof) -> None:
    with pytest.raises(InputError):
        proof.to_bytes()


def test_an_error_of_the_policy_is_not_one_of_the_proof() -> None:
    assert not issubclass(PolicyInvalid, VerificationError)
