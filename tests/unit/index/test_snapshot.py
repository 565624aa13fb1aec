"""A snapshot is whole or it is none."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgguard.index import snapshot
from imgguard.index.faiss_index import FaissIndex
from imgguard.index.snapshot import Label

DIMENSION = 16


def label(sequence: int = 1) -> Label:
    return Label(generation_id="gen_1", weights_sha256="a" * 64, sequence=sequence, token=f"token {sequence}")


def unit_vectors(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def index() -> FaissIndex:
    made = FaissIndex(DIMENSION, tail_rows=64)
    made.add(range(200), unit_vectors(200))
    return made


def files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_what_was_saved_is_found(index: FaissIndex, tmp_path: Path) -> None:
    index.remove([3, 190])
    snapshot.save(index.state, tmp_path / "new" / "folder", label(7))
    found = snapshot.load(tmp_path / "new" / "folder")
    assert found is not None
    loaded, stated = found
    assert stated == label(7) == snapshot.label_of(tmp_path / "new" / "folder")
    queries = unit_vectors(200)
    assert loaded.search(queries, 5) == index.search(queries, 5)
    loaded.add([1], unit_vectors(1, seed=9))  # goes on as if it had never been away
    assert len(loaded) == 198


def test_only_new_segments_are_written_and_old_ones_removed(index: FaissIndex, tmp_path: Path) -> None:
    snapshot.save(index.state, tmp_path, label(1))
    before = files(tmp_path)
    index.add(range(200, 300), unit_vectors(100, seed=1))
    snapshot.save(index.state, tmp_path, label(2))
    after = files(tmp_path)
    kept = {name for name in before if name.startswith(("segment", "codec"))}
    assert len(kept) == 4
    assert all(before[name] == after[name] for name in kept)
    assert {name.partition("-")[0] for name in after if name not in before} == {"segment", "tail"}
    assert sum(name.startswith("tail") for name in after) == 1
    found = snapshot.load(tmp_path)
    assert found is not None
    snapshot.save(found[0].state, tmp_path, label(3))  # by another process: nothing to write again either
    assert all(files(tmp_path)[name] == after[name] for name in after if name.startswith(("segment", "codec")))


def test_removed_vectors_leave_the_files(index: FaissIndex, tmp_path: Path) -> None:
    snapshot.save(index.state, tmp_path, label(1))
    index.remove(range(10))
    index.compact()
    snapshot.save(index.state, tmp_path, label(2))
    numbers = [np.load(path) for path in tmp_path.glob("segment-*")]
    assert sorted(np.concatenate(numbers).tolist()) == list(range(10, 192))


def test_none_is_none(tmp_path: Path) -> None:
    assert snapshot.load(tmp_path) is None
    assert snapshot.load(tmp_path / "missing") is None


@pytest.mark.parametrize("kind", ["segment", "codec", "tail", "manifest"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped"])
def test_a_damaged_file_makes_it_none(
    index: FaissIndex, tmp_path: Path, kind: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    snapshot.save(index.state, tmp_path, label())
    victim = next(iter(sorted(tmp_path.glob(f"{kind}*"))))
    data = victim.read_bytes()
    if damage == "missing":
        victim.unlink()
    else:
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        victim.write_bytes({"empty": b"", "cut": data[:-1], "flipped": flipped}[damage])
    with caplog.at_level(logging.WARNING):
        assert snapshot.load(tmp_path) is None
    assert caplog.records or (kind, damage) == ("manifest", "missing")


@pytest.mark.parametrize(
    "text",
    ["null", "[]", '{"body": 1, "sha256": 2}', '{"body": "{}", "sha256": ""}', "[" * 100_000, "\xff", "1" * 5000],
)
def test_a_manifest_of_another_shape_makes_it_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="latin-1")
    assert snapshot.load(tmp_path) is None
    assert snapshot.label_of(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": "7"},
        {"sequence": True},
        {"token": None},
        {"generation_id": ["gen_1"]},
        {"format": [2]},
        {"tail": "{codec}"},
        {"tail": "{segment}"},
        {"tail": None},
        {"tail": "../manifest.json"},
        {"tail": "\0"},
        {"codec": "{tail}"},
        {"codec": "{segment}"},
        {"codec": 5},
        {"segments": None},
        {"segments": [None]},
        {"segments": [{"file": "{tail}", "codec": "{codec}"}]},
        {"segments": [{"file": "{codec}", "codec": "{codec}"}]},
        {"segments": [{"file": "{segment}", "codec": "{tail}"}]},
        {"segments": [{"file": "{segment}", "codec": None}]},
        {"segments": []},
        {"segments": {}},
    ],
    ids=str,
)
def test_an_altered_manifest_with_the_right_digest_makes_it_none(
    index: FaissIndex, tmp_path: Path, change: dict[str, Any]
) -> None:
    index.remove([3])  # so that a row of a segment is marked
    snapshot.save(index.state, tmp_path, label())
    body = snapshot._body(tmp_path)
    text = json.dumps(change)
    for kind in ("codec", "tail", "segment"):
        text = text.replace("{" + kind + "}", next(tmp_path.glob(f"{kind}-*")).name)
    (tmp_path / "manifest.json").write_bytes(snapshot._sealed({**body, **json.loads(text)}))
    assert snapshot.load(tmp_path) is None


def test_another_format_makes_it_none(index: FaissIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot.save(index.state, tmp_path, label())
    monkeypatch.setattr(snapshot, "_FORMAT", snapshot._FORMAT + 1)
    assert snapshot.load(tmp_path) is None


def test_a_save_that_fails_leaves_the_former_snapshot(
    index: FaissIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot.save(index.state, tmp_path, label(1))
    index.add(range(200, 400), unit_vectors(200, seed=1))
    real, calls = snapshot._replace, 0

    def fail_later(path: Path, data: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls > allowed:
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(snapshot, "_replace", fail_later)
    new_files = 5  # two segments and a tail, but not the segments written before; codec; manifest
    for allowed in range(new_files):
        calls = 0
        try:
            snapshot.save(index.state, tmp_path, label(2))
        except OSError:
            assert snapshot.label_of(tmp_path) == label(1)
            found = snapshot.load(tmp_path)
            assert found is not None
            assert len(found[0]) == 200
        else:
            assert allowed > 2, "saved with less than its files"
            return
    pytest.fail("never saved")
