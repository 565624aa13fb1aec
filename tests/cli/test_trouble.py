"""Trouble with a part of the store costs that part, and is told."""

import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgguard.errors import StoreUnavailable
from imgguard.storage.blobs import LocalBlobStore
from imgguard.storage.sql.catalogue import SqlCatalogue

Run = Callable[..., Any]
OWNER = "Sample Studio"
COPY = "copy-mirrored-mug.jpg"


def reference_of(cli: Run, name: str) -> str:
    (found,) = [line["reference_id"] for line in cli("list", "--json").lines if (line["file"] or "").endswith(name)]
    return str(found)


def change(store: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(store / "imgguard.sqlite3") as database:
        database.execute(statement, values)
    database.close()


def traces(home: Path, needle: bytes) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and needle in path.read_bytes()]


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch, samples: Path) -> str:
    """Bytes that cannot be deleted."""
    digest = hashlib.sha256((samples / "originals" / "mug.jpg").read_bytes()).hexdigest()
    real = LocalBlobStore.delete

    def delete(self: LocalBlobStore, sha256: str) -> None:
        if sha256 == digest:
            raise StoreUnavailable("Read-only file system")
        real(self, sha256)

    monkeypatch.setattr(LocalBlobStore, "delete", delete)
    return digest


def test_bytes_that_cannot_be_deleted_stop_nothing_else(
    store: Path, cli: Run, samples: Path, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug, scissors = reference_of(cli, "mug.jpg"), reference_of(cli, "scissors.jpg")
    other = hashlib.sha256((samples / "originals" / "scissors.jpg").read_bytes()).hexdigest()
    done = cli("remove", mug, scissors, "--erase", "--yes", "--json")
    assert done.code == 4
    assert [line["status"] for line in done.lines] == ["erased", "erased"]
    assert done.lines[0]["error"]["code"] == "store_unavailable"
    assert "could not be deleted yet" in done.lines[0]["error"]["detail"]
    assert done.lines[1]["error"] is None
    assert list(store.rglob(stuck))
    assert not list(store.rglob(other))
    checked = cli("check", samples / "listings" / COPY, "--json")
    assert checked.code == 0
    assert "warning" in checked.err
    assert "Read-only" in checked.err
    assert cli("register", samples / "originals" / "scissors.jpg", "--owner", OWNER).code == 0
    monkeypatch.undo()
    monkeypatch.setenv("COLUMNS", "200")
    assert "warning" not in cli("check", samples / "listings" / COPY).err
    assert not list(store.rglob(stuck))


def test_tidying_that_fails_is_a_warning(store: Path, cli: Run, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, **__: object) -> int:
        raise StoreUnavailable("the database refused: database is locked")

    monkeypatch.setattr(SqlCatalogue, "expire_queries", locked)
    done = cli("check", samples / "listings" / COPY, "--json")
    assert (done.code, done.line["verdict"]) == (0, "copy")
    assert "database is locked" in done.err


def test_erasing_takes_bytes_along_that_were_checked_too(store: Path, cli: Run, samples: Path) -> None:
    file = samples / "originals" / "mug.jpg"
    finding = cli("check", file, "--json").line
    assert list(store.rglob(finding["sha256"]))
    assert cli("remove", reference_of(cli, "mug.jpg"), "--erase", "--yes").code == 0
    assert not list(store.rglob(finding["sha256"]))
    assert cli("show", finding["finding_id"], "--json").code == 0
    assert cli("doctor", "--deep").code == 0


def test_erasing_the_last_reference_takes_the_name_along(home: Path, cli: Run, samples: Path) -> None:
    owner = "Ottilie Rosenzweig"
    identifier = cli("register", samples / "originals" / "mug.jpg", "--owner", owner, "--json").line["reference_id"]
    finding = cli("check", samples / "listings" / COPY, "--json").line
    assert finding["matches"][0]["owner"] == owner
    assert traces(home, b"Rosenzweig")
    assert cli("remove", identifier, "--erase", "--yes").code == 0
    assert traces(home, b"Rosenzweig") == []
    assert cli("list", "--json").line["owner"] is None
    assert cli("show", identifier, "--json").line["owner"] is None
    assert cli("show", finding["finding_id"], "--json").line["matches"][0]["owner"] is None
    for shown in (cli("list"), cli("show", identifier), cli("show", finding["finding_id"])):
        assert shown.code == 0
        assert "Rosenzweig" not in shown.out


@pytest.mark.parametrize("place", ["index", "index/lock"])
def test_an_index_that_cannot_be_written_is_a_warning(store: Path, cli: Run, samples: Path, place: str) -> None:
    """A cache: the database has everything that is in it."""
    for path in sorted((store / place).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    if (store / place).is_dir():
        (store / place).rmdir()
        (store / place).write_text("a file")
    else:
        (store / place).unlink()
        (store / place).mkdir()
    done = cli("check", samples / "listings" / COPY, "--json")
    assert (done.code, done.line["verdict"]) == (0, "copy")
    assert "was not saved" in done.err
    assert cli("register", samples / "originals" / "fork.jpg", "--owner", OWNER, "--json").code == 0
    erased = cli("remove", reference_of(cli, "mug.jpg"), "--erase", "--yes", "--json")
    assert (erased.code, erased.line["status"]) == (3, "erased")
    assert "still hold what was erased" in erased.err


def problems(cli: Run, *arguments: str) -> dict[str, str]:
    """Title and detail of what the doctor does not call ok."""
    return {
        line["title"]: line["detail"] for line in cli("doctor", "--json", *arguments).lines if line["status"] != "ok"
    }


def test_orphans_are_told_by_name_though_others_are_kept_as_queries(store: Path, cli: Run, samples: Path) -> None:
    """Even where the bytes of a kept query are those of an original."""
    cli("check", samples / "originals" / "mug.jpg", samples / "listings" / COPY)
    orphans = sorted(LocalBlobStore(store / "originals").put(f"orphan {n}".encode()) for n in range(2))
    detail = problems(cli)["Orphan files"]
    assert detail.startswith("2 stored files")
    assert all(digest in detail for digest in orphans)
    assert "Orphan files" in problems(cli, "--repair")  # too young: a registration may be under way
    place = next(store.rglob(orphans[0]))
    os.utime(place, (0, 0))
    assert orphans[1] in problems(cli, "--repair")["Orphan files"]
    assert not place.exists()
    os.utime(next(store.rglob(orphans[1])), (0, 0))
    done = cli("doctor", "--repair", "--deep", "--json")
    assert done.code == 0
    assert "1 deleted" in done.lines[9]["detail"]
    assert done.lines[6]["detail"].startswith("1 checked image")  # the other one is an original as well
    assert cli("check", samples / "listings" / COPY, "--json").line["verdict"] == "copy"


def test_withdrawn_originals_need_no_new_embedding(store: Path, cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("remove", reference_of(cli, "mug.jpg")).code == 0
    monkeypatch.setenv("IMGGUARD_WEIGHTS", "sscd_distilled")
    assert cli("index", "rebuild", "--json").line["embedded"] == 4
    assert problems(cli, "--deep") == {}


@pytest.mark.parametrize("damage", [b"not a database" * 1000, None])
def test_a_database_that_cannot_be_opened_is_a_diagnosis(store: Path, cli: Run, damage: bytes | None) -> None:
    file = store / "imgguard.sqlite3"
    if damage is None:
        change(store, "UPDATE alembic_version SET version_num = '9999'")
    else:
        file.write_bytes(damage)
    done = cli("doctor", "--json")
    assert done.code == (3 if damage else 2)
    statuses = [line["status"] for line in done.lines]
    assert statuses == ["ok", "problem", "ok", "ok", "ok", *["skipped"] * 8]
    assert cli("doctor").out.count("\nskipped") == 8


@pytest.mark.parametrize("kind", ["embedding", "phash", "pdq", "keypoints", "working_copy"])
def test_the_doctor_reads_descriptors(store: Path, cli: Run, kind: str) -> None:
    change(
        store,
        "UPDATE descriptors SET data = x'0102' WHERE kind = ? AND content_number ="
        " (SELECT content_number FROM refs WHERE file LIKE '%mug.jpg')",
        kind,
    )
    found = problems(cli, "--deep")
    assert list(found) == ["Descriptors"]
    assert found["Descriptors"].startswith("1 of 5 originals have damaged descriptors")


def test_an_examination_that_fails_unforeseen_spares_the_others(
    store: Path, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(SqlCatalogue, "kept_queries", broken)
    done = cli("doctor", "--json")
    assert done.code == 70
    assert [line["title"] for line in done.lines if line["status"] == "problem"] == ["Kept files", "Orphan files"]
    assert len(done.lines) == 13
