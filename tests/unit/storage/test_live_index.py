"""The index follows the catalogue, across processes, restarts, damage and new weights."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from sqlalchemy import text

from imgguard.errors import IndexNotReady, IndexUnavailable, NotFound
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, pack_vector
from imgguard.index import faiss_index, snapshot
from imgguard.registry.records import Content
from imgguard.storage.live_index import LiveIndex
from imgguard.storage.sql.catalogue import SqlCatalogue

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WEIGHTS, OTHER = "a" * 64, "b" * 64
DIMENSION = 16


def vector(name: str, weights: str = WEIGHTS) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256((name + weights).encode()).digest()[:8])
    found = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    return found / np.linalg.norm(found)


def embedding(name: str, weights: str = WEIGHTS) -> Descriptor:
    data = pack_vector(vector(name, weights))
    return Descriptor(
        kind=DescriptorKind.EMBEDDING, algorithm="sscd", version="onnx", weights_sha256=weights, data=data
    )


def register(catalogue: SqlCatalogue, name: str) -> str:
    content = Content(
        number=0,
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        byte_length=len(name),
        pixel_digest="d" * 64,
        media_type="image/png",
        width=1,
        height=1,
        decoder="pillow",
        decoder_version="13",
        declared_times="[]",
    )
    return catalogue.add_reference("ann", content, [embedding(name)], file=name, at=NOW).reference_id


def found(index: LiveIndex, name: str, weights: str = WEIGHTS) -> bool:
    hits = index.search(vector(name, weights)[None], 3)
    return bool(hits) and hits[0].cosine_similarity == pytest.approx(1, abs=1e-6)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[SqlCatalogue]:
    opened = SqlCatalogue.open(tmp_path / "imgguard.db")
    begun = opened.begin_generation(WEIGHTS, at=NOW)
    opened.activate_generation(begun.generation_id, at=NOW)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def small_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments, compaction and codecs from a few dozen vectors on."""
    monkeypatch.setattr(faiss_index.FaissIndex.__init__, "__kwdefaults__", {"tail_rows": 32, "segment_rows": 128})


def test_without_a_generation_it_is_not_ready(tmp_path: Path) -> None:
    empty = SqlCatalogue.open(tmp_path / "empty.db")
    index = LiveIndex(empty, tmp_path / "index")
    for use in (index.refresh, index.rebuild, lambda: index.search(vector("a")[None], 1)):
        with pytest.raises(IndexNotReady):
            use()
    index.save()
    assert index.generation is None
    empty.close()


def test_an_empty_one_finds_nothing(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    index = LiveIndex(catalogue, tmp_path / "index")
    assert index.search(vector("a")[None], 5) == []
    index.save()
    assert len(index) == index.rebuild() == 0


def test_it_sees_what_was_registered_withdrawn_and_erased_elsewhere(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    elsewhere = SqlCatalogue.open(tmp_path / "imgguard.db")
    index = LiveIndex(catalogue, tmp_path / "index")
    made = {name: register(elsewhere, name) for name in "abc"}
    assert all(found(index, name) for name in "abc")
    elsewhere.withdraw(made["a"], at=NOW)
    elsewhere.erase(made["b"], at=NOW)
    assert [found(index, name) for name in "abc"] == [False, False, True]
    assert (len(index), index.refresh()) == (1, 0)
    register(elsewhere, "a")
    assert index.refresh() == 1
    assert found(index, "a")
    elsewhere.close()


def test_hits_are_exact_and_name_the_view(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    names = [str(n) for n in range(200)]
    for name in names:
        register(catalogue, name)
    index = LiveIndex(catalogue, tmp_path / "index")
    views = np.stack([vector("7"), vector("fresh"), vector("150")])
    hits = index.search(views, 20)
    stored = np.stack([vector(name) for name in names])
    cosines = views @ stored.T
    assert len(hits) == 20
    assert [hit.view for hit in hits[:2]] == [0, 2]
    for hit in hits:
        assert hit.cosine_similarity == pytest.approx(cosines[:, hit.number - 1].max(), abs=1e-6)
        assert hit.view == cosines[:, hit.number - 1].argmax()
    assert hits == sorted(hits, key=lambda hit: (-hit.cosine_similarity, hit.number))


def test_it_goes_on_from_what_was_saved(
    catalogue: SqlCatalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [register(catalogue, str(n)) for n in range(100)]
    index = LiveIndex(catalogue, tmp_path / "index")
    index.refresh()
    index.save()
    catalogue.erase(made[3], at=NOW)
    register(catalogue, "late")
    again = LiveIndex(catalogue, tmp_path / "index")
    monkeypatch.setattr(LiveIndex, "_build", None)  # not read from the catalogue
    assert again.refresh() == 2
    assert found(again, "late")
    assert not found(again, "3")
    assert len(again) == 100
    again.save()
    assert LiveIndex(catalogue, tmp_path / "index").refresh() == 0


def test_what_was_erased_leaves_the_files_with_the_next_save(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    made = [register(catalogue, str(n)) for n in range(100)]
    index = LiveIndex(catalogue, tmp_path / "index")
    index.refresh()
    index.save()
    numbers = {int(catalogue.content(catalogue.reference(one).sha256 or "").number): one for one in made}
    for one in made[:50]:
        catalogue.erase(one, at=NOW)
    index.refresh()
    index.save()
    (folder,) = [path for path in (tmp_path / "index").iterdir() if path.is_dir()]
    left = np.concatenate([np.load(path) for path in [*folder.glob("segment-*"), *folder.glob("tail-*")]])
    assert sorted(left.tolist()) == sorted(number for number, one in numbers.items() if one in made[50:])


def files_hold(folder: Path, name: str) -> bool:
    secret = pack_vector(vector(name))[:16]
    return any(secret in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_another_process_erased_leaves_the_files_too(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    made = [register(catalogue, str(n)) for n in range(10)]
    index = LiveIndex(catalogue, folder)
    index.drop_removed()
    assert index.generation is None  # who does not search has not to load it
    index.refresh()
    index.save()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    index.drop_removed()
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    catalogue.erase(made[3], at=NOW)
    assert files_hold(folder, "3")
    index.drop_removed()
    assert not files_hold(folder, "3")
    catalogue.erase(made[4], at=NOW)
    later = LiveIndex(catalogue, folder)  # a process that began after the erasure, with the files of before
    later.refresh()
    later.drop_removed()
    assert not files_hold(folder, "4")


def test_files_that_cannot_be_written_are_tried_again(
    catalogue: SqlCatalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    made = [register(catalogue, str(n)) for n in range(10)]
    index = LiveIndex(catalogue, folder)
    index.refresh()
    index.save()
    catalogue.erase(made[3], at=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "save", Mock(side_effect=OSError("read only")))
        with pytest.raises(IndexUnavailable):
            index.drop_removed()
    assert files_hold(folder, "3")
    index.drop_removed()
    assert not files_hold(folder, "3")


@pytest.mark.parametrize("kind", ["segment", "tail", "codec", "manifest"])
def test_damaged_files_are_replaced_from_the_catalogue(
    catalogue: SqlCatalogue, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(100):
        register(catalogue, str(n))
    index = LiveIndex(catalogue, tmp_path / "index")
    index.refresh()
    index.save()
    for path in (tmp_path / "index").rglob(f"{kind}*"):
        path.write_bytes(path.read_bytes()[:-7])
    again = LiveIndex(catalogue, tmp_path / "index")
    assert all(found(again, str(n)) for n in range(100))
    again.save()  # although nothing changed
    third = LiveIndex(catalogue, tmp_path / "index")
    monkeypatch.setattr(LiveIndex, "_build", None)  # not read from the catalogue
    third.refresh()
    assert len(third) == 100


def backed_up(catalogue: SqlCatalogue) -> Callable[[], None]:
    """Take a backup of the database; the function that is returned puts it back."""
    path = catalogue._database.path
    catalogue._database.scrub()
    data = path.read_bytes()

    def restore() -> None:
        catalogue.close()
        path.with_name(path.name + "-wal").unlink(missing_ok=True)
        path.write_bytes(data)

    return restore


def test_a_snapshot_ahead_of_a_restored_catalogue_is_not_believed(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    restore = backed_up(catalogue)
    register(catalogue, "first")
    index = LiveIndex(catalogue, tmp_path / "index")
    index.refresh()
    index.save()
    restore()
    assert not found(LiveIndex(catalogue, tmp_path / "index"), "first")


@pytest.mark.parametrize("later", [19, 20, 21])
def test_a_snapshot_of_another_history_is_not_believed(catalogue: SqlCatalogue, tmp_path: Path, later: int) -> None:
    """Restored from a backup, then changed otherwise: the numbers of changes say nothing of that, nor do those of
    contents, which are given out a second time."""
    register(catalogue, "kept")
    restore = backed_up(catalogue)
    for n in range(20):
        register(catalogue, f"lost {n}")
    index = LiveIndex(catalogue, tmp_path / "index")
    index.refresh()
    index.save()
    restore()
    for n in range(later):
        register(catalogue, f"new {n}")
    again = LiveIndex(catalogue, tmp_path / "index")
    assert found(again, "kept")
    assert all(found(again, f"new {n}") for n in range(later))
    assert not any(found(again, f"lost {n}") for n in range(20))
    again.save()
    third = LiveIndex(catalogue, tmp_path / "index")
    assert all(found(third, f"new {n}") for n in range(later))
    assert len(third) == later + 1


def test_a_restored_catalogue_is_noticed_by_an_index_in_memory(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    restore = backed_up(catalogue)
    for n in range(20):
        register(catalogue, f"lost {n}")
    index = LiveIndex(catalogue, tmp_path / "index")
    assert index.refresh() == 0
    assert len(index) == 20
    restore()
    index.refresh()
    assert len(index) == 0
    for n in range(20):
        register(catalogue, f"new {n}")
    assert all(found(index, f"new {n}") for n in range(20))
    restore()
    for n in range(21):
        register(catalogue, f"other {n}")
    assert all(found(index, f"other {n}") for n in range(21))
    assert not any(found(index, f"new {n}") for n in range(20))


def test_new_weights_take_over_in_every_process(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    for name in "abc":
        register(catalogue, name)
    index, bystander = LiveIndex(catalogue, tmp_path / "index"), LiveIndex(catalogue, tmp_path / "index")
    assert found(index, "a")
    assert found(bystander, "a")
    index.save()
    new = catalogue.begin_generation(OTHER, at=NOW)
    for content in catalogue.contents_without_embedding(OTHER):
        catalogue.add_descriptor(content.sha256, embedding(_name(content.sha256), OTHER))
    assert found(index, "a")  # the old one serves until the swap
    active = catalogue.activate_generation(new.generation_id, at=NOW)
    assert all(found(bystander, name, OTHER) for name in "abc")
    assert bystander.generation == active
    assert index.rebuild() == 3
    assert [path.name for path in (tmp_path / "index").iterdir() if path.is_dir()] == [active.generation_id]


def _name(sha256: str) -> str:
    return next(name for name in "abc" if hashlib.sha256(name.encode()).hexdigest() == sha256)


def test_rebuilding_replaces_the_files(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    for n in range(50):
        register(catalogue, str(n))
    index = LiveIndex(catalogue, tmp_path / "index")
    assert index.rebuild() == 50
    assert list((tmp_path / "index").glob("gen_*/manifest.json"))
    index.close()
    assert len(index) == 0
    assert found(index, "1")


def test_vectors_of_another_dimension_are_told(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    register(catalogue, "a")
    index = LiveIndex(catalogue, tmp_path / "index")
    with pytest.raises(IndexUnavailable, match="dimension"):
        index.search(np.zeros((1, 7), dtype=np.float32), 1)


DAMAGED = {
    "short": b"1234",
    "odd": pack_vector(vector("9"))[:-1],
    "empty": b"",
    "endless": pack_vector(np.full(DIMENSION, np.nan, dtype=np.float32)),
    "overlong": pack_vector(1000 * vector("9")),
    "wide": pack_vector(np.eye(1, 2 * DIMENSION, dtype=np.float32)[0]),
}


def damage(catalogue: SqlCatalogue, name: str, data: bytes) -> int:
    """Overwrite the stored embedding as a bad disk would: no change is announced. Returns the content's number."""
    number = catalogue.content(hashlib.sha256(name.encode()).hexdigest()).number
    with catalogue._database.write() as connection:
        connection.execute(
            text("UPDATE descriptors SET data = :data WHERE content_number = :number"),
            {"data": data, "number": number},
        )
    return number


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
@pytest.mark.parametrize("victim", ["0", "9"])
def test_a_damaged_embedding_costs_one_picture_and_no_other(
    catalogue: SqlCatalogue, tmp_path: Path, data: bytes, victim: str, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(10):
        register(catalogue, str(n))
    damage(catalogue, victim, data)
    index = LiveIndex(catalogue, tmp_path / "index")
    assert [found(index, str(n)) for n in range(10)] == [str(n) != victim for n in range(10)]
    assert hashlib.sha256(victim.encode()).hexdigest()[:12] in caplog.text


def test_an_embedding_damaged_since_it_was_indexed_is_still_found(
    catalogue: SqlCatalogue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The index has a vector of its own, whose cosines are nearly exact."""
    for n in range(100):
        register(catalogue, str(n))
    index = LiveIndex(catalogue, tmp_path / "index")
    index.refresh()
    number = damage(catalogue, "3", DAMAGED["short"])
    (hit,) = index.search(vector("3")[None], 1)
    assert (hit.number, hit.view) == (number, 0)
    assert hit.cosine_similarity == pytest.approx(1, abs=0.05)
    assert "damaged" in caplog.text


def test_an_embedding_replaced_by_a_damaged_one_is_no_longer_found(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    for n in range(10):
        register(catalogue, str(n))
    index = LiveIndex(catalogue, tmp_path / "index")
    index.refresh()
    sha256 = hashlib.sha256(b"3").hexdigest()
    catalogue.add_descriptor(sha256, replace(embedding("3"), data=b"1234"))
    assert not found(index, "3")
    assert len(index) == 9


def test_without_a_folder_that_can_be_written_it_works_from_the_catalogue(
    catalogue: SqlCatalogue, tmp_path: Path
) -> None:
    register(catalogue, "a")
    (tmp_path / "index").write_text("a file")
    index = LiveIndex(catalogue, tmp_path / "index")
    assert found(index, "a")
    with pytest.raises(IndexUnavailable):
        index.save()
    with pytest.raises(NotFound):
        catalogue.reference("ref_none")


def test_a_lock_that_cannot_be_had_means_no_snapshot(
    catalogue: SqlCatalogue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    register(catalogue, "a")
    index = LiveIndex(catalogue, tmp_path / "index")
    index.refresh()
    index.save()
    (tmp_path / "index" / "lock").unlink()
    (tmp_path / "index" / "lock").mkdir()
    again = LiveIndex(catalogue, tmp_path / "index")
    assert found(again, "a")
    assert "lock" in caplog.text
    with pytest.raises(IndexUnavailable, match="lock"):
        again.save()


def test_what_was_removed_from_the_tail_leaves_memory_and_files(catalogue: SqlCatalogue, tmp_path: Path) -> None:
    made = [register(catalogue, str(n)) for n in range(10)]
    index = LiveIndex(catalogue, tmp_path / "index")
    index.refresh()
    catalogue.erase(made[3], at=NOW)
    index.refresh()
    index.save()
    secret = pack_vector(vector("3"))
    assert not any(secret[:16] in path.read_bytes() for path in (tmp_path / "index").rglob("*") if path.is_file())
    assert index._loaded is not None
    assert index._loaded.index is not None
    assert secret not in index._loaded.index.state.tail.vectors.tobytes()
