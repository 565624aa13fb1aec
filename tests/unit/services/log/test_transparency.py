"""What is given out follows from the leaves, and nothing that was signed is ever contradicted."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from imgguard.errors import ConfigurationError, InvalidTransition, LogInconsistent, NotFound, TileInvalid
from imgguard.provenance.checkpoints import open_checkpoint
from imgguard.provenance.keys import new_key
from imgguard.provenance.leaves import open_leaf
from imgguard.provenance.merkle import leaf_hash, root_of
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.proofs import parse_proof, verify_proof
from imgguard.provenance.records import Kind
from imgguard.provenance.tiles import parse_bundle
from imgguard.storage.sql import log as log_rows
from imgguard.storage.sql.migrate import open_database

from .conftest import Books


def verified(books: Books, object_id: str) -> int:
    """The position, after a stranger has verified the proof."""
    found = books.log.proof_of(object_id)
    vkey = books.log.status().keys[-1]
    policy = parse_policy(f"log {vkey.text}\nquorum none\n".encode())
    return verify_proof(parse_proof(found.proof), found.leaf.leaf, policy).index


class TestPublishing:
    @pytest.mark.parametrize("sizes", [[0], [1], [1, 2, 3], [255, 256, 257], [256], [700], [300, 301, 513]])
    def test_a_checkpoint_has_the_root_of_all_leaves(self, books: Books, sizes: list[int]) -> None:
        before = 0
        for size in sizes:
            books.append(size - before)
            before = size
            made = books.log.publish()
            leaves = [leaf.leaf for leaf in books.store.leaves(0, limit=1000)]
            assert (made.size, made.root) == (size, root_of(map(leaf_hash, leaves)))
            signed = open_checkpoint(books.files.read("checkpoint"), books.log.status().keys).checkpoint
            assert (signed.origin, signed.size, signed.root) == ("log.example.org", size, made.root)
            assert books.problems() == []

    def test_nothing_new_is_nothing_done(self, books: Books) -> None:
        books.append(3)
        made, files = books.log.publish(), books.tree()
        assert books.log.publish() == made
        assert (books.tree(), len(books.store.checkpoints())) == (files, 1)

    def test_growing_step_by_step_makes_the_same_files(self, books: Books) -> None:
        for _ in range(5):
            books.append(150)
            books.log.publish()
        stepwise = books.tree()
        shutil.rmtree(books.home / "log")
        books.log.publish()
        full = {path: data for path, data in stepwise.items() if ".p/" not in path}
        assert {path: data for path, data in books.tree().items() if ".p/" not in path} == full
        assert parse_bundle(stepwise["tile/entries/002.p/238"], width=238)

    def test_partial_tiles_go_when_full_ones_are_there(self, books: Books) -> None:
        for _ in range(3):
            books.append(100)
            books.log.publish()
        assert not [path for path in books.tree() if path.startswith(("tile/0/000.p", "tile/entries/000.p"))]
        assert {"tile/0/000", "tile/0/001.p/44", "tile/entries/000", "tile/1/000.p/1"} <= books.tree().keys()

    def test_a_folder_that_was_lost_is_made_again(self, books: Books) -> None:
        books.append(300)
        books.log.publish()
        before = books.tree()
        shutil.rmtree(books.home / "log")
        books.log.publish()
        assert books.tree() == before

    @pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(bytes(44 * 32))])
    def test_a_damaged_right_edge_is_made_again(self, books: Books, damage: object) -> None:
        books.append(300)
        books.log.publish()
        damage(books.home / "log/tile/0/001.p/44")  # type: ignore[operator]
        books.append(1)
        books.log.publish()
        assert books.problems() == []

    def test_leaves_of_several_batches_are_one_tree(self, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("imgguard.services.log_tiles.AT_ONCE", 256)
        books.append(700)
        books.log.publish()
        assert books.problems() == []


class TestProofs:
    def test_strangers_verify_every_leaf(self, books: Books) -> None:
        books.append(270)
        books.log.publish()
        books.append(30)
        books.log.publish()
        assert [verified(books, f"clm_{number}") for number in range(0, 300, 13)] == list(range(0, 300, 13))

    def test_the_opening_opens_the_leaf(self, books: Books) -> None:
        books.append(2)
        books.log.publish()
        found = books.log.proof_of("clm_1", Kind.CLAIM)
        assert found.opening is not None
        assert open_leaf(found.leaf.leaf, found.opening).body["subject"] == "clm_1"

    def test_there_is_none_before_a_checkpoint(self, books: Books) -> None:
        books.append(1)
        with pytest.raises(InvalidTransition):
            books.log.proof_of("clm_0")
        books.log.publish()
        books.append(1)
        with pytest.raises(InvalidTransition):
            books.log.proof_of("clm_1")
        with pytest.raises(NotFound):
            books.log.proof_of("clm_2")

    def test_a_damaged_tile_gives_no_proof(self, books: Books) -> None:
        books.append(5)
        books.log.publish()
        (books.home / "log/tile/0/000.p/5").write_bytes(bytes(160))
        with pytest.raises(TileInvalid):
            books.log.proof_of("clm_0")


def restored(books: Books, copy: bytes) -> Books:
    """The database as a backup had it, and the files as they are."""
    books.database.close()
    for path in books.home.glob("imgguard.db*"):
        path.unlink()
    (books.home / "imgguard.db").write_bytes(copy)
    return Books(books.home, open_database(books.home / "imgguard.db"))


def backup(books: Books) -> bytes:
    books.database.scrub()
    return (books.home / "imgguard.db").read_bytes()


class TestContradictions:
    def test_an_older_backup_is_refused(self, books: Books) -> None:
        books.append(5)
        books.log.publish()
        copy = backup(books)
        books.append(5)
        books.log.publish()
        old = restored(books, copy)
        for refused in (old.log.publish, old.log.check):
            with pytest.raises(LogInconsistent, match="10 leaves"):
                refused()
        old.append(7)  # other leaves in their places
        with pytest.raises(LogInconsistent):
            old.log.publish()
        assert len(old.store.checkpoints()) == 1
        old.database.close()

    def test_a_backup_from_before_any_checkpoint_is_refused(self, books: Books) -> None:
        copy = backup(books)
        books.append(1)
        books.log.publish()
        old = restored(books, copy)
        with pytest.raises(LogInconsistent, match="not one of this database"):
            old.log.publish()
        old.database.close()

    def test_a_backup_that_lacks_the_checkpoint_only_goes_on(self, books: Books) -> None:
        books.append(5)
        books.log.publish()
        books.append(5)
        copy = backup(books)
        given_out = books.log.publish()
        old = restored(books, copy)
        old.append(1)
        old.log.check()
        assert old.log.publish().size == 11
        assert [one.note for one in old.store.checkpoints()][1] == given_out.note
        assert old.problems() == []
        old.database.close()

    def test_a_leaf_that_was_altered_in_the_database(self, books: Books) -> None:
        books.append(600)
        books.log.publish()
        alter(books, "UPDATE log_leaves SET leaf = CAST('{}' AS BLOB), leaf_hash = zeroblob(32) WHERE position = 3")
        with pytest.raises(LogInconsistent, match="not those that were signed"):
            books.log.check()
        books.append(1)
        assert books.log.publish().size == 601  # of the files as they were signed
        told = books.problems()
        assert any(one.startswith("leaf 3") for one in told)
        assert any("checkpoint of 600" in one for one in told)
        assert any("tile/0/000 " in one for one in told)

    def test_the_last_leaf_altered_stops_everything(self, books: Books) -> None:
        books.append(10)
        books.log.publish()
        alter(books, "UPDATE log_leaves SET leaf = CAST('{}' AS BLOB) WHERE position = 9")
        books.append(1)
        with pytest.raises(LogInconsistent, match="leaf 9"):
            books.log.publish()

    def test_a_missing_leaf_stops_everything(self, books: Books) -> None:
        books.append(10)
        alter(books, "DELETE FROM log_openings WHERE position = 4", "DELETE FROM log_leaves WHERE position = 4")
        with pytest.raises(LogInconsistent, match="not all leaves"):
            books.log.publish()
        assert any("4 to 4 are missing" in one for one in books.problems())

    def test_a_checkpoint_of_somebody_else(self, books: Books, tmp_path: Path) -> None:
        books.append(1)
        books.log.publish()
        other = Books(tmp_path / "other", open_database(tmp_path / "other" / "imgguard.db"))
        other.append(3)
        other.log.publish()
        shutil.copy(other.home / "log/checkpoint", books.home / "log/checkpoint")
        with pytest.raises(LogInconsistent, match="not one of this database"):
            books.log.publish()
        other.database.close()


def alter(books: Books, *statements: str) -> None:
    """As whoever has the file can."""
    connection = sqlite3.connect(books.database.path)
    for change in ("update", "delete"):
        connection.execute(f"DROP TRIGGER log_leaves_no_{change}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


class TestExamining:
    def test_an_opening_that_does_not_fit_is_told(self, books: Books) -> None:
        books.append(3)
        books.log.publish()
        with books.database.write() as connection:
            connection.execute(text("UPDATE log_openings SET salt = zeroblob(32) WHERE position = 1"))
            log_rows.close(connection, "clm_2")
        assert [one.split(":")[0] for one in books.problems()] == ["leaf 1"]

    def test_files_that_are_missing_or_altered_are_told(self, books: Books) -> None:
        books.append(300)
        books.log.publish()
        (books.home / "log/tile/entries/000").unlink()
        (books.home / "log/tile/1/000.p/1").write_bytes(bytes(32))
        (books.home / "log/checkpoint").write_bytes(b"")
        assert sorted(books.problems()) == [
            "the checkpoint that is given out is not the newest one of the database",
            "the file tile/1/000.p/1 is not what the leaves make",
            "the file tile/entries/000 is missing",
        ]


class TestKeys:
    def test_the_origin_is_chosen_once(self, books: Books) -> None:
        books.origin = None
        books.log.publish()
        origin = books.log.status().keys[0].name
        assert origin.startswith("imgguard.invalid/")
        books.append(1)
        books.log.publish()
        assert {key.name for key in books.log.status().keys} == {origin}
        books.origin = "log.example.org"
        with pytest.raises(ConfigurationError, match=origin):
            books.log.publish()

    def test_a_key_in_a_file_is_not_in_the_store(self, books: Books) -> None:
        books.key = new_key()
        books.append(1)
        books.log.publish()
        assert books.store.log_keys()[0].private_key is None
        key, books.key = books.key, None
        books.append(1)
        with pytest.raises(ConfigurationError, match="not in the store"):
            books.log.publish()
        books.key = new_key()
        with pytest.raises(ConfigurationError, match="not one of this log"):
            books.log.publish()
        books.key = key
        assert books.log.publish().size == 2

    def test_whoever_knows_the_old_key_learns_the_new_one(self, books: Books) -> None:
        books.append(2)
        books.log.publish()
        made = books.log.rotate_key()
        old, new = books.log.status().keys
        assert open_checkpoint(made.note, [old]).checkpoint == open_checkpoint(made.note, [new]).checkpoint
        leaf = books.store.leaf_about(new.key_id.hex(), Kind.KEY_ROTATION)
        assert leaf.position == 2
        opening = books.log.proof_of(leaf.object_id).opening
        assert opening is not None
        assert open_leaf(leaf.leaf, opening).body["facts"] == {"old_key": old.text, "new_key": new.text}
        books.append(1)
        later = books.log.publish()
        assert [line.key_id for line in open_checkpoint(later.note, [new]).note.signatures] == [new.key_id]
        assert books.problems() == []

    def test_a_rotation_that_was_stopped_is_finished_with_both_keys(self, books: Books) -> None:
        books.append(2)
        books.log.publish()
        books.log._keys.rotate(None)
        books.append(1)
        made = books.log.publish()
        old, new = books.log.status().keys
        assert open_checkpoint(made.note, [old]).log_key == old
        assert open_checkpoint(made.note, [new]).log_key == new

    def test_a_key_may_move_into_a_file_and_on_to_another(self, books: Books) -> None:
        books.append(1)
        books.log.publish()
        for _ in range(2):
            new = new_key()
            made = books.log.rotate_key(new)
            books.key = new
            keys = books.log.status().keys
            assert {open_checkpoint(made.note, [key]).log_key for key in keys[-2:]} == set(keys[-2:])
        with pytest.raises(ConfigurationError, match="signed for this log before"):
            books.log.rotate_key(new)
        assert books.problems() == []
