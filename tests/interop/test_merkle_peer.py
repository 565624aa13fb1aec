"""Trees, tiles, proofs and checkpoints against other programs, each written by other people from the same texts.

pymerkle has RFC 6962 trees with proofs of its own form; aics-tlog and tlog-scales read C2SP logs. A test fails where
its peer is not installed. For Go see test_go_peer.py.
"""

import base64
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from large_log import LARGE, LARGE_ENTRIES, our_tree
from small_log import LOG, ONE, ORIGIN, SECONDS, TWO, checkpoint_of, entries, key, proof_of, subtree_of

from imgguard.provenance import merkle
from imgguard.provenance.checkpoints import open_checkpoint, verify_cosignatures
from imgguard.provenance.notes import VerifierKey, parse_note
from imgguard.provenance.proofs import Proof

pytestmark = pytest.mark.interop

MOST = 64
ENTRIES = entries(MOST)
HASHES = [merkle.leaf_hash(entry) for entry in ENTRIES]
SUBTREE = subtree_of(HASHES)
ROOTS = [merkle.root_of(HASHES[:size]) for size in range(MOST + 1)]


def test_pymerkle_has_the_same_roots_and_inclusion_proofs() -> None:
    pymerkle = import_module("pymerkle")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for size in range(1, MOST + 1):
        tree.append_entry(ENTRIES[size - 1])
        assert tree.get_root() == ROOTS[size]
        for index in range(size):
            ours = merkle.inclusion_proof(index, size, SUBTREE)
            theirs = tree.prove_inclusion(index + 1)
            assert tuple(theirs.path) == (HASHES[index], *ours)
            merkle.verify_inclusion(HASHES[index], index, size, tuple(theirs.path[1:]), tree.get_root())
            made = pymerkle.InclusionProof("sha256", True, size, index + 1, theirs.rule, [HASHES[index], *ours])
            made.verify(HASHES[index], ROOTS[size], index=index + 1, size=size)


def test_pymerkle_finds_our_roots_consistent_and_we_its() -> None:
    """Its proofs have digests that RFC 6962 leaves out, so they are compared by what they lead to."""
    pymerkle = import_module("pymerkle")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    tree.append_entries(ENTRIES)
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            tree.prove_consistency(old, new).verify(ROOTS[old], ROOTS[new], prior_size=old, later_size=new)
            ours = merkle.consistency_proof(old, new, SUBTREE)
            merkle.verify_consistency(old, tree.get_root(old), new, tree.get_root(new), ours)


def test_two_programs_verify_our_proofs_and_make_the_same() -> None:
    aics = import_module("aics_tlog")
    scales = import_module("tlog_scales.tlog")
    tree = aics.MerkleTree(ENTRIES)
    for new in range(1, MOST + 1):
        for index in range(new):
            ours = list(merkle.inclusion_proof(index, new, SUBTREE))
            assert ours == tree.inclusion_proof(index, new)
            assert aics.verify_inclusion(HASHES[index], index, new, ours, ROOTS[new])
            scales.InclusionProof(index, new, ours).check(HASHES[index], ROOTS[new])
        for old in range(1, new + 1):
            ours = list(merkle.consistency_proof(old, new, SUBTREE))
            assert ours == tree.consistency_proof(old, new)
            assert aics.verify_consistency(old, new, ROOTS[old], ROOTS[new], ours)
            scales.ConsistencyProof(old, new, ours).check(ROOTS[old], ROOTS[new])


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, LARGE - 1])
def test_tlog_scales_reads_our_files_and_makes_our_proofs(log_folder: Path, index: int) -> None:
    reader = import_module("tlog_scales.reader").TilesReader(
        import_module("tlog_scales.backend").LocalBackend(log_folder)
    )
    checkpoint = reader.get_checkpoint()
    assert reader.calculate_root_hash() == checkpoint.root_hash
    assert reader.get_entry(index) == LARGE_ENTRIES[index]
    ours = our_tree(log_folder, checkpoint.root_hash)
    assert tuple(reader.get_inclusion_proof(index, LARGE).node_hashes) == ours.inclusion_proof(index)
    size = index + 1
    assert tuple(reader.get_consistency_proof(size, LARGE).node_hashes) == ours.consistency_proof(size)


@pytest.mark.parametrize("index", [0, 65_536, LARGE - 1])
def test_tlog_scales_writes_the_same_proof_file(
    log_folder: Path, index: int, capsys: pytest.CaptureFixture[str]
) -> None:
    args = import_module("tlog_scales.cli").build_parser().parse_args(["gen-proof", str(log_folder), str(index)])
    args.func(args)
    note = (log_folder / "checkpoint").read_bytes()
    root = open_checkpoint(note, [LOG.key]).checkpoint.root
    ours = Proof(index=index, path=our_tree(log_folder, root).inclusion_proof(index), checkpoint=note)
    assert capsys.readouterr().out.encode() == ours.to_bytes()


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, LARGE - 1])
def test_aics_tlog_reads_our_files_and_makes_our_proofs(log_folder: Path, index: int) -> None:
    aics = import_module("aics_tlog")
    reader = aics.FileSystemTileReader(log_folder)
    root = aics.tree_root_from_tiles(reader, LARGE)
    ours = our_tree(log_folder, root)
    assert aics.read_entry(reader, index, LARGE) == LARGE_ENTRIES[index]
    assert tuple(aics.inclusion_proof_from_tiles(reader, index, LARGE)) == ours.inclusion_proof(index)
    size = index + 1
    assert tuple(aics.consistency_proof_from_tiles(reader, size, LARGE)) == ours.consistency_proof(size)


def keys_of(aics: Any) -> tuple[Any, Any, Any]:
    return tuple(aics.parse_vkey(one.key.text) for one in (LOG, ONE, TWO))


def test_aics_tlog_verifies_our_checkpoint_and_its_witnesses() -> None:
    aics = import_module("aics_tlog")
    log, one, two = keys_of(aics)
    rules = aics.WitnessPolicy(quorum=2, witnesses=(one, two))
    note = aics.parse_note(checkpoint_of(ENTRIES, ONE, TWO))
    found = aics.verify_checkpoint(note, log, policy=rules, expected_origin=ORIGIN)
    assert found.ok, found.error
    assert (found.size, found.root) == (MOST, ROOTS[MOST])
    assert set(found.timestamps.values()) == {SECONDS}
    short = aics.parse_note(checkpoint_of(ENTRIES, ONE))
    assert not aics.verify_checkpoint(short, log, policy=rules).ok


def test_tlog_scales_verifies_our_checkpoint_and_we_the_one_that_it_signs() -> None:
    scales = import_module("tlog_scales.tlog")
    signing = import_module("tlog_scales.signing")
    theirs = scales.Checkpoint.from_text(checkpoint_of(ENTRIES, ONE, TWO).decode())
    for signer in (LOG, ONE, TWO):
        theirs.verify(signing.Vkey.from_string(signer.key.text))
    made = scales.Checkpoint.make_signed(ORIGIN, MOST, ROOTS[MOST], [signing.PlainEd25519Signer(ORIGIN, key("log"))])
    assert made.serialize().encode() == checkpoint_of(ENTRIES)
    assert open_checkpoint(made.serialize().encode(), [LOG.key]).checkpoint.root == ROOTS[MOST]


def test_we_pass_over_the_ml_dsa_cosignature_that_tlog_scales_makes() -> None:
    scales = import_module("tlog_scales.tlog")
    signing = import_module("tlog_scales.signing")
    quantum = signing.MLDSA44CosignatureSigner("quantum.example.org", b"\1" * 32)
    made = scales.Checkpoint.make_signed(
        ORIGIN, MOST, ROOTS[MOST], [signing.PlainEd25519Signer(ORIGIN, key("log")), quantum]
    )
    note = parse_note(made.serialize().encode())
    assert len(note.signatures) == 2
    assert verify_cosignatures(note, [VerifierKey.parse(quantum.vkey.serialize())]) == ()


def test_aics_tlog_takes_our_proof_apart() -> None:
    """It has no reader of .tlog-proof files; the parts, taken from the lines, hold for it."""
    aics = import_module("aics_tlog")
    log, *_ = keys_of(aics)
    head, _, note = proof_of(ENTRIES, 41, ONE, TWO).to_bytes().partition(b"\n\n")
    _, number, *path = head.decode().split("\n")
    found = aics.verify_checkpoint(aics.parse_note(note), log)
    assert found.ok, found.error
    digests = [base64.b64decode(line) for line in path]
    index = int(number.removeprefix("index "))
    assert aics.verify_leaf_inclusion(ENTRIES[41], index, found.size, digests, found.root)
