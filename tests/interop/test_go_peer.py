"""A log of ours, read by Go's golang.org/x/mod/sumdb, the code behind Go's checksum database.

Debian has it as golang-go and golang-golang-x-mod-dev; the test fails where it is missing.
"""

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from large_log import LARGE, LARGE_ENTRIES, our_tree
from small_log import LOG, ORIGIN, checkpoint_of, key

from imgguard.provenance import merkle
from imgguard.provenance.checkpoints import open_checkpoint
from imgguard.provenance.notes import Signer

pytestmark = pytest.mark.interop

SOURCE = Path(__file__).parent / "go" / "main.go"
WITHOUT_MODULES = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go")
    binary = folder / "reader"
    environment = os.environ | WITHOUT_MODULES | {"GOCACHE": str(folder / "cache")}
    subprocess.run(["go", "build", "-o", str(binary), str(SOURCE)], check=True, env=environment, timeout=300)
    return binary


def read(reader: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([reader, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def lines(*paths: tuple[bytes, ...]) -> list[str]:
    return [base64.b64encode(digest).decode() for path in paths for digest in path]


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, LARGE - 1])
def test_go_opens_our_checkpoint_and_makes_our_proofs(reader: Path, log_folder: Path, index: int) -> None:
    older = index + 1
    older_root = merkle.root_of(map(merkle.leaf_hash, LARGE_ENTRIES[:older]))
    told = read(reader, log_folder, LOG.key.text, index, older, base64.b64encode(older_root).decode())
    assert told.returncode == 0, told.stderr
    root = open_checkpoint((log_folder / "checkpoint").read_bytes(), [LOG.key]).checkpoint.root
    ours = our_tree(log_folder, root)
    assert told.stdout.splitlines() == lines(ours.inclusion_proof(index), ours.consistency_proof(older))


def test_go_finds_another_history_inconsistent(reader: Path, log_folder: Path) -> None:
    another = merkle.root_of(map(merkle.leaf_hash, [b"another", *LARGE_ENTRIES[1:300]]))
    told = read(reader, log_folder, LOG.key.text, 7, 300, base64.b64encode(another).decode())
    assert told.returncode == 1
    assert told.stderr


def test_go_refuses_a_checkpoint_by_another_key(reader: Path, log_folder: Path) -> None:
    told = read(reader, log_folder, Signer(ORIGIN, key("somebody else")).key.text, 7)
    assert told.returncode == 1
    assert "note" in told.stderr


def test_go_refuses_an_entry_that_was_altered(reader: Path, log_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(log_folder, tmp_path / "log")
    bundle = copy / "tile/entries/000"
    data = bytearray(bundle.read_bytes())
    data[2] ^= 1
    bundle.write_bytes(data)
    assert read(reader, copy, LOG.key.text, 0).returncode == 1
    assert read(reader, copy, LOG.key.text, 1).returncode == 0


def test_go_refuses_a_rolled_back_checkpoint(reader: Path, log_folder: Path, tmp_path: Path) -> None:
    """Signed by the log, but of a shorter history than the one it is held against."""
    copy = shutil.copytree(log_folder, tmp_path / "log")
    (copy / "checkpoint").write_bytes(checkpoint_of(LARGE_ENTRIES[:256]))
    newer = base64.b64encode(merkle.root_of(map(merkle.leaf_hash, LARGE_ENTRIES))).decode()
    assert read(reader, copy, LOG.key.text, 7, LARGE, newer).returncode != 0
