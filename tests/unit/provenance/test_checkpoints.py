"""Heads of logs, and those who say that they have seen them."""

import base64
import struct
from dataclasses import replace

import pytest
from small_log import LOG, ONE, ORIGIN, SECONDS, TWO, checkpoint_of, entries, key

from imgguard.errors import CheckpointInvalid, InputError, NoteInvalid
from imgguard.provenance.checkpoints import (
    Checkpoint,
    Cosignature,
    cosign,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
    verify_cosignatures,
)
from imgguard.provenance.ed25519 import verify_ed25519
from imgguard.provenance.notes import COSIGNATURE, Note, NoteSignature, Signer, VerifierKey, parse_note, sign_note

ROOT = base64.b64encode(b"\1" * 32).decode()


def test_a_checkpoint_is_written_as_specified_and_read_back() -> None:
    checkpoint = Checkpoint(ORIGIN, 20_852_163, b"\1" * 32, ("more", "and — more"))
    assert checkpoint.text == f"{ORIGIN}\n20852163\n{ROOT}\nmore\nand — more\n"
    opened = open_checkpoint(sign_checkpoint(checkpoint, LOG), [LOG.key])
    assert (opened.checkpoint, opened.log_key) == (checkpoint, LOG.key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"a\n1\n{ROOT}",
        f"a\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
        f"a\n\n{ROOT}\n",
        f"a\n1\n{ROOT}\n\n",
        f"a\n1\n{ROOT}\n\nmore\n",
        f"a\n01\n{ROOT}\n",
        f"a\n00\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n1_0\n{ROOT}\n",
        f"a\n 1\n{ROOT}\n",
        f"a\n１\n{ROOT}\n",
        f"a\n{2**63}\n{ROOT}\n",
        f"a\n{'9' * 5000}\n{ROOT}\n",
        f"a\n1\n{ROOT[:-1]}\n",
        f"a\n1\n{ROOT} \n",
        "a\n1\nAAAA\n",
        "a\n1\n" + ROOT.replace("E=", "F=") + "\n",
        "a\n1\n" + base64.b64encode(b"\1" * 33).decode() + "\n",
    ],
)
def test_other_texts_are_no_checkpoints(text: str) -> None:
    with pytest.raises(CheckpointInvalid):
        parse_checkpoint(text)
    if text.endswith("\n"):
        with pytest.raises(CheckpointInvalid):
            open_checkpoint(sign_note(text, [LOG]), [LOG.key])


@pytest.mark.parametrize("size", [0, 1, 10, 2**63 - 1])
def test_sizes(size: int) -> None:
    assert parse_checkpoint(f"a\n{size}\n{ROOT}\n").size == size


def test_no_log_speaks_for_another() -> None:
    other = Signer("other.example.org", key("other"))
    foreign = sign_note(Checkpoint(ORIGIN, 1, b"\1" * 32).text, [other])
    with pytest.raises(CheckpointInvalid, match="of another log"):
        open_checkpoint(foreign, [LOG.key, other.key])
    with pytest.raises(InputError, match="does not sign"):
        sign_checkpoint(Checkpoint(ORIGIN, 1, b"\1" * 32), other)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint(ORIGIN, -1, b"\1" * 32),
        Checkpoint(ORIGIN, 1, b"\1" * 31),
        Checkpoint(ORIGIN, 1, b"\1" * 32, ("",)),
        Checkpoint(ORIGIN, 1, b"\1" * 32, ("a\nb",)),
        Checkpoint(f"{ORIGIN}\n7", 1, b"\1" * 32),
    ],
)
def test_what_is_no_checkpoint_is_not_signed(checkpoint: Checkpoint) -> None:
    with pytest.raises(InputError):
        sign_checkpoint(checkpoint, LOG)


def test_witnesses_cosign_time_and_text() -> None:
    data = checkpoint_of(entries(5), ONE, TWO)
    opened = open_checkpoint(data, [LOG.key])
    cosignatures = verify_cosignatures(opened.note, [TWO.key, ONE.key, ONE.key])
    assert cosignatures == (Cosignature(ONE.key, SECONDS), Cosignature(TWO.key, SECONDS))
    line = opened.note.signatures[1].signature
    message = f"cosignature/v1\ntime {SECONDS}\n{opened.note.text}".encode()
    assert len(line) == 72
    assert struct.unpack(">Q", line[:8]) == (SECONDS,)
    verify_ed25519(ONE.key.public_key, line[8:], message)


def test_a_published_cosigned_checkpoint_is_of_the_form_that_is_read() -> None:
    """From C2SP tlog-cosignature; the keys are not published there."""
    text = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 \
jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""
    note = parse_note(text.encode())
    assert parse_checkpoint(note.text).size == 20_852_163
    assert struct.unpack(">Q64x", note.signatures[1].signature) == (1_679_315_147,)


def test_unknown_witnesses_and_types_are_passed_over() -> None:
    note = parse_note(checkpoint_of(entries(5), ONE))
    quantum = VerifierKey.of(ONE.key.name, 0x06, b"\1" * 1312)
    assert verify_cosignatures(note, [TWO.key, quantum, LOG.key]) == ()
    assert verify_cosignatures(note, []) == ()


def test_one_wrong_cosignature_of_a_known_witness_refuses_the_note() -> None:
    note = parse_note(checkpoint_of(entries(5), ONE))
    (log, line) = note.signatures
    wrong = [line.signature[:-1], line.signature + b"\0", b"\0", LOG.sign(b"x"), bytes(8) + line.signature[8:]]
    wrong += [line.signature[:at] + bytes([line.signature[at] ^ 1]) + line.signature[at + 1 :] for at in range(72)]
    late = struct.pack(">Q", 2**63)
    wrong.append(late + ONE.sign(f"cosignature/v1\ntime {2**63}\n{note.text}".encode()))
    for signature in wrong:
        bad = Note(note.text, (log, replace(line, signature=signature)))
        with pytest.raises(CheckpointInvalid, match=r"one\.example\.org"):
            verify_cosignatures(bad, [ONE.key])
        with pytest.raises(CheckpointInvalid):
            verify_cosignatures(Note(note.text, (log, line, replace(line, signature=signature))), [ONE.key])


def test_a_cosignature_is_no_signature_of_a_note_and_the_other_way_round() -> None:
    private = key("both")
    as_log, as_witness = Signer(ORIGIN, private), Signer(ORIGIN, private, key_type=COSIGNATURE)
    assert as_log.key.key_id != as_witness.key.key_id
    text = Checkpoint(ORIGIN, 1, b"\1" * 32).text
    note = parse_note(sign_note(text, [as_log]))
    moved = NoteSignature(ORIGIN, as_witness.key.key_id, bytes(8) + note.signatures[0].signature)
    with pytest.raises(CheckpointInvalid, match="wrong"):
        verify_cosignatures(Note(text, (moved,)), [as_witness.key])
    with pytest.raises(NoteInvalid, match="no known key"):
        open_checkpoint(sign_checkpoint(Checkpoint(ORIGIN, 1, b"\1" * 32), as_log), [as_witness.key])


def test_what_cannot_be_cosigned() -> None:
    data = checkpoint_of(entries(5))
    for witness, seconds in ((LOG, SECONDS), (ONE, -1), (ONE, 2**63)):
        with pytest.raises(InputError):
            cosign(data, witness, seconds=seconds)
    with pytest.raises(CheckpointInvalid):
        cosign(sign_note("text\n", [LOG]), ONE, seconds=SECONDS)
