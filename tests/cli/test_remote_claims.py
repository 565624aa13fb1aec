"""`imgguard claim` and `attach` with `--server`, on a service that runs as its own process."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imgguard.client import Client
from imgguard.provenance.leaves import open_leaf, parse_opening

type Run = Callable[..., Any]

IMGGUARD = Path(sys.executable).with_name("imgguard")
LARGEST = 5_000


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service on ``home``, and the files with the keys of a studio and of a shop."""

    home: Path
    place: str
    studio: Path
    shop: Path


def _key(process: Run, home: Path, organisation: str, role: str, folder: Path) -> Path:
    email = f"{role}@{organisation.lower()}.example"
    who = ["--organisation", organisation, "--email", email, "--role", "admin", "--role", role, "--password-stdin"]
    made = process("admin", "create", *who, home=home, stdin=b"correct horse battery staple\n")
    assert made.code == 0, made.err
    made = process("admin", "key", "create", "--email", email, home=home)
    assert made.code == 0, made.err
    path = folder / f"{organisation}.key"
    path.touch(mode=0o600)
    path.write_text(made.out)
    return path


@pytest.fixture(scope="module")
def running(made_store: Path, process: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    home = Path(shutil.copytree(made_store, folder / "home"))
    _key(process, home, "Platform", "reviewer", folder)
    studio = _key(process, home, "Sample-Studio", "rights_holder", folder)
    shop = _key(process, home, "Shop", "rights_holder", folder)
    command = [IMGGUARD, "serve", "--port", "0", "--home", home]
    environment = os.environ | {"IMGGUARD_MAX_PROOF_BYTES": str(LARGEST), "IMGGUARD_JOBS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as service:
        assert service.stderr is not None
        place = service.stderr.readline().strip().rpartition(" ")[2]
        assert place.startswith("http://")
        yield Running(home=home, place=place, studio=studio, shop=shop)
        service.kill()


@pytest.fixture
def there(running: Running, cli: Run, home: Path) -> Iterator[Run]:
    """Run a command on the server, with the studio's key; nothing of it is done here."""

    def run(*arguments: object, key: Path | None = None) -> Any:
        return cli(*arguments, "--server", running.place, "--key-file", key or running.studio)

    yield run
    assert not home.exists()


@pytest.fixture
def reference_id(there: Run, samples: Path) -> str:
    """The studio's own."""
    return str(there("register", samples / "originals" / "fork.jpg", "--json").line["reference_id"])


def shown(cli: Run, running: Running, reference_id: str) -> dict[str, Any]:
    return dict(cli("show", reference_id, "--json", at=running.home).line)


def logged(cli: Run, running: Running, identifier: str, folder: Path) -> dict[str, Any]:
    """The body of the record that its leaf opens to, asked for beside the service."""
    leaf, opening = folder / "leaf.json", folder / "opening.json"
    files = ["--leaf", leaf, "--opening", opening, "--output", folder / "proof"]
    assert cli("log", "proof", identifier, *files, at=running.home).code == 0
    return dict(open_leaf(leaf.read_bytes(), parse_opening(opening.read_bytes())).body)


def test_what_is_stated_is_kept_and_logged(
    running: Running, there: Run, cli: Run, reference_id: str, tmp_path: Path
) -> None:
    claims = tmp_path / "claims.json"
    claims.write_text(json.dumps({"places": ["Oslo"], "statement": "In our studio."}))
    options = ["--claims", claims, "--taken", "2026-02", "--published", "https://studio.example/a@2026-02-14"]
    made = there("claim", reference_id, *options, "--json")
    assert made.code == 0, made.err
    assert made.line["places"] == ["Oslo"]
    assert {"what": "taken", "at": "2026-02"} in made.line["dates"]
    assert made.line in shown(cli, running, reference_id)["claims"]
    told = logged(cli, running, made.line["claim_id"], tmp_path)
    assert told["facts"]["claims"]["urls"] == ["https://studio.example/a"]
    assert there("claim", reference_id, "--taken", "2026").out.startswith("clm_")


def test_a_file_is_attached_under_its_name_and_without_its_folder(
    running: Running, there: Run, cli: Run, reference_id: str, tmp_path: Path
) -> None:
    raw = tmp_path / "DSC_1 ü.NEF"
    raw.write_bytes(b"raw")
    made = there("attach", reference_id, raw, "--kind", "raw", "--json")
    assert made.code == 0, made.err
    sha256 = hashlib.sha256(b"raw").hexdigest()
    assert (made.line["name"], made.line["sha256"], made.line["keeping"]) == (raw.name, sha256, "stored")
    assert made.line in shown(cli, running, reference_id)["proofs"]
    assert logged(cli, running, made.line["proof_id"], tmp_path)["digests"] == {"proof": sha256}
    (kept,) = (running.home / "originals").rglob(sha256)
    assert kept.read_bytes() == b"raw"
    assert there("attach", reference_id, raw, "--kind", "raw").out.startswith("prf_")


def test_a_digest_is_attached_and_the_file_stays_at_home(
    running: Running, there: Run, reference_id: str, tmp_path: Path
) -> None:
    frame = tmp_path / "frame.nef"
    frame.write_bytes(b"f" * (LARGEST + 1))
    options = ["--kind", "neighbouring_frame", "--digest-only", "--name", "the frame before", "--json"]
    made = there("attach", reference_id, frame, *options)
    assert made.code == 0, made.err
    sha256 = hashlib.sha256(frame.read_bytes()).hexdigest()
    assert (made.line["name"], made.line["sha256"]) == ("the frame before", sha256)
    assert (made.line["byte_length"], made.line["keeping"]) == (LARGEST + 1, "digest_only")
    assert list((running.home / "originals").rglob(sha256)) == []


def test_a_name_that_is_no_text(there: Run, reference_id: str, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.nef"))
    odd.write_bytes(b"odd")
    assert there("attach", reference_id, odd, "--kind", "raw", "--json").line["name"] == "a\\xff.nef"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["empty", "--kind", "raw"], "invalid_input"),
        (["empty", "--kind", "raw", "--digest-only"], "invalid"),
        (["large", "--kind", "raw"], f"at most {LARGEST} bytes"),
        (["missing", "--kind", "raw"], "cannot read"),
        ([".", "--kind", "raw"], "cannot read"),
        (["file", "--kind", "selfie"], "Kinds are"),
        (["file", "--kind", "raw", "--name", " "], "name"),
    ],
)
def test_what_cannot_be_attached_is_told_and_nothing_is(
    running: Running, there: Run, cli: Run, reference_id: str, tmp_path: Path, options: list[str], said: str
) -> None:
    before = shown(cli, running, reference_id)["proofs"]
    for name, data in (("empty", b""), ("large", b"l" * (LARGEST + 1)), ("file", b"file")):
        (tmp_path / name).write_bytes(data)
    done = there("attach", reference_id, tmp_path / options[0], *options[1:])
    assert (done.code, said in done.err) == (4, True), done.err
    assert shown(cli, running, reference_id)["proofs"] == before


def test_who_does_not_own_it_finds_nothing(running: Running, there: Run, reference_id: str, tmp_path: Path) -> None:
    raw, wrong = tmp_path / "a.nef", tmp_path / "wrong.key"
    raw.write_bytes(b"a")
    wrong.touch(mode=0o600)
    wrong.write_text(running.studio.read_text().replace("imgguard_", "imgguard-"))
    for command in (["claim", reference_id, "--taken", "2026"], ["attach", reference_id, raw, "--kind", "raw"]):
        done = there(*command, key=running.shop)
        assert (done.code, "not_found" in done.err) == (4, True), done.err
        done = there(*command, key=wrong)
        assert done.code in (2, 4), done.err
        assert running.studio.read_text().strip() not in done.err


def test_an_attached_file_is_saved_and_removed(
    running: Running, there: Run, cli: Run, reference_id: str, tmp_path: Path
) -> None:
    raw, saved = tmp_path / "a.nef", tmp_path / "saved" / "a.nef"
    raw.write_bytes(b"\0raw\n")
    proof_id = there("attach", reference_id, raw, "--kind", "raw").out.strip()
    save = ["proof", "save", reference_id, proof_id, "--output", saved]
    assert there(*save, key=running.shop).code == 4
    assert not saved.exists()
    done = there(*save)
    assert (done.code, saved.read_bytes()) == (0, b"\0raw\n"), done.err
    saved.write_bytes(b"mine")
    done = there(*save)
    assert (done.code, "--force" in done.err, saved.read_bytes()) == (2, True, b"mine")
    assert there(*save, "--force").code == 0
    assert saved.read_bytes() == b"\0raw\n"
    remove = ["proof", "remove", reference_id, proof_id]
    assert there(*remove).code == 2
    assert there(*remove, "--yes", key=running.shop).code == 4
    removed = there(*remove, "--yes", "--json").line
    assert (removed["proof_id"], removed["keeping"]) == (proof_id, "removed")
    assert removed in shown(cli, running, reference_id)["proofs"]
    assert list((running.home / "originals").rglob(removed["sha256"])) == []
    assert there(*remove, "--yes").code == 4
    saved.unlink()
    assert there(*save).code == 4
    assert list(saved.parent.iterdir()) == []


def test_what_does_not_have_its_digest_is_not_saved(
    there: Run, reference_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, saved = tmp_path / "a.nef", tmp_path / "saved.nef"
    raw.write_bytes(b"raw")
    proof_id = there("attach", reference_id, raw, "--kind", "raw").out.strip()
    monkeypatch.setattr(Client, "proof", lambda *_: b"other")
    done = there("proof", "save", reference_id, proof_id, "--output", saved)
    assert (done.code, "digest_mismatch" in done.err, saved.exists()) == (4, True, False)
    done = there("proof", "save", reference_id, "prf_none", "--output", saved)
    assert (done.code, "not_found" in done.err) == (4, True)


def test_a_server_that_is_not_there_and_a_key_without_one(running: Running, cli: Run, tmp_path: Path) -> None:
    raw = tmp_path / "a.nef"
    raw.write_bytes(b"a")
    for command in (["claim", "ref_1", "--taken", "2026"], ["attach", "ref_1", raw, "--kind", "raw"]):
        assert cli(*command, "--key-file", running.studio).code == 2
        assert cli(*command, "--server", running.place).code == 2
    done = cli("claim", "ref_1", "--server", running.place, "--key-file", running.studio)
    assert (done.code, "nothing is stated" in done.err) == (2, True)
