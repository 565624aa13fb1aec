"""The folder of a witness: what is made, and when it refuses to go on."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from growing_log import GrowingLog
from small_log import ORIGIN
from witnesses import NAME, witness_in

from imgguard.errors import ConfigurationError, StoreUnavailable
from imgguard.provenance.keys import new_key, to_pem
from imgguard.provenance.notes import COSIGNATURE
from imgguard.witness import home as module
from imgguard.witness.home import KEY, STATE, existing_home, open_home
from imgguard.witness.state import WitnessState

GROWING = GrowingLog(9)


def test_a_first_start_makes_a_key_that_stays(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    made = open_home(folder, NAME)
    assert (made.signer.key.name, made.signer.key.key_type) == (NAME, COSIGNATURE)
    assert open_home(folder).signer.key == open_home(folder, NAME).signer.key == made.signer.key
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {KEY: 0o600, STATE: 0o600}


@pytest.mark.parametrize("name", [None, "", "two words", "a+b", "new\nline"])
def test_a_first_start_needs_a_name(tmp_path: Path, name: str | None) -> None:
    with pytest.raises(ConfigurationError):
        open_home(tmp_path / "home", name)
    assert not (tmp_path / "home").exists()


def test_a_name_does_not_change(tmp_path: Path) -> None:
    open_home(tmp_path, NAME)
    with pytest.raises(ConfigurationError, match=r"not other\.example\.org"):
        open_home(tmp_path, "other.example.org")


def test_a_key_whose_state_was_lost_signs_no_more(tmp_path: Path) -> None:
    open_home(tmp_path, NAME)
    (tmp_path / STATE).unlink()
    with pytest.raises(ConfigurationError, match="missing"):
        open_home(tmp_path, NAME)
    assert not (tmp_path / STATE).exists()
    (tmp_path / STATE).touch()
    with pytest.raises(ConfigurationError, match="empty"):
        open_home(tmp_path, NAME)


def test_a_state_whose_key_was_lost_or_replaced(tmp_path: Path) -> None:
    open_home(tmp_path, NAME)
    (tmp_path / KEY).unlink()
    with pytest.raises(ConfigurationError, match="missing"):
        open_home(tmp_path, NAME)
    (tmp_path / KEY).write_bytes(to_pem(new_key()))
    with pytest.raises(ConfigurationError, match="not the key"):
        open_home(tmp_path, NAME)
    (tmp_path / KEY).write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match="cannot sign"):
        open_home(tmp_path, NAME)


@pytest.mark.parametrize("step", ["write_once", "set_vkey", "rename"])
def test_a_first_start_that_ended_early_is_done_again(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr({"write_once": module, "set_vkey": WitnessState, "rename": Path}[step], step, end)
        with pytest.raises(KeyboardInterrupt):
            open_home(tmp_path, NAME)
    made = open_home(tmp_path, NAME)
    assert open_home(tmp_path).signer.key == made.signer.key


def test_what_is_shown_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not the folder"):
        existing_home(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE logs SET size = size - 1",
        "UPDATE logs SET root = zeroblob(32)",
        "UPDATE logs SET seconds = seconds - 1",
        "DELETE FROM logs",
    ],
)
def test_the_file_itself_refuses_to_forget(tmp_path: Path, change: str) -> None:
    witness_in(tmp_path).add_checkpoint(GROWING.submission(0, 9))
    with closing(sqlite3.connect(tmp_path / STATE)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(change)
    assert witness_in(tmp_path).logs()[ORIGIN].root == GROWING.root(9)


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / STATE)) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(ConfigurationError, match="not the state"):
        open_home(tmp_path, NAME)
    (tmp_path / STATE).write_bytes(os.urandom(5000))
    with pytest.raises(StoreUnavailable):
        open_home(tmp_path, NAME)
