"""`imgguard claim`, `attach`, and what is stated when registering."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgguard.provenance.leaves import open_leaf, parse_opening

Run = Callable[..., Any]
DOCS = Path(__file__).parents[2] / "docs"
OWNER = "Sample Studio"
SAID = {"dates": [{"what": "taken", "at": "2026-02-01"}], "places": ["Oslo"], "statement": "In our studio."}


def logged(cli: Run, object_id: str, folder: Path) -> dict[str, Any]:
    """The body of the record that the latest leaf about it opens to."""
    kind = "registration" if object_id.startswith("ref_") else "claim"
    leaf, opening = folder / "leaf.json", folder / "opening.json"
    options = ["--leaf", leaf, "--opening", opening, "--output", folder / "proof"]
    assert cli("log", "proof", object_id, "--kind", kind, *options).code == 0
    return dict(open_leaf(leaf.read_bytes(), parse_opening(opening.read_bytes())).body)


def some_reference(cli: Run) -> str:
    return str(cli("list", "--json").lines[0]["reference_id"])


def test_what_is_stated_when_registering_is_in_the_record(cli: Run, samples: Path, tmp_path: Path) -> None:
    claims = tmp_path / "claims.json"
    claims.write_text(json.dumps(SAID))
    url = "https://ann@studio.example/mug"
    options = ["--claims", claims, "--published", f"{url}@2026-02-14", "--published", "https://b.example", "--json"]
    line = cli("register", samples / "originals" / "mug.jpg", "--owner", OWNER, *options).line
    assert line["status"] == "registered"
    told = logged(cli, line["reference_id"], tmp_path)["claims"]
    assert told == {
        "dates": [{"what": f"published at {url}", "at": "2026-02-14"}, *SAID["dates"]],
        "places": ["Oslo"],
        "urls": [url, "https://b.example"],
        "statement": "In our studio.",
    }
    (stated,) = cli("show", line["reference_id"], "--json").line["claims"]
    assert (stated["urls"], stated["at_registration"]) == (told["urls"], True)
    shown = cli("show", line["reference_id"]).out
    assert "The claimant states (not verified)" in shown
    assert "taken: 2026-02-01" in shown


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_table_states_something_else_of_each_file(cli: Run, samples: Path, tmp_path: Path, kind: str) -> None:
    table = tmp_path / f"claims.{kind}"
    lines = {
        "csv": "file,taken,url,url\nmug.jpg,2026-01-01,https://a.example,https://b.example\n"
        "fork.jpg,2026-01-02,,\nelsewhere.jpg,2026,,\n",
        "jsonl": '{"file":"mug.jpg","dates":[{"what":"taken","at":"2026-01-01"}],'
        '"urls":["https://a.example","https://b.example"]}\n\n'
        '{"file":"fork.jpg","dates":[{"what":"taken","at":"2026-01-02"}]}\n'
        '{"file":"elsewhere.jpg","places":["Oslo"]}\n',
    }
    table.write_text(lines[kind])
    files = [samples / "originals" / name for name in ("mug.jpg", "fork.jpg", "scissors.jpg")]
    done = cli("register", *files, "--owner", OWNER, "--claims", table, "--json")
    assert done.code == 0, done.err
    assert "1 files of" in done.err
    mug, fork, scissors = (logged(cli, line["reference_id"], tmp_path)["claims"] for line in done.lines)
    assert mug == {"dates": [{"what": "taken", "at": "2026-01-01"}], "urls": ["https://a.example", "https://b.example"]}
    assert fork == {"dates": [{"what": "taken", "at": "2026-01-02"}]}
    assert scissors == {}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "not JSON"),
        ("a.json", '{"dates": [{"what": "taken", "at": "soon"}]}', "claims.dates[0].at"),
        ("a.csv", "file,taken\nmug.jpg,soon\n", "line 2, mug.jpg: claims.dates[0].at"),
        ("a.csv", "file,author\nmug.jpg,Ann\n", "author"),
        ("a.csv", "taken\n2026\n", "no column `file`"),
        ("a.csv", "file,taken\nmug.jpg\n", "line 2"),
        ("a.csv", 'file,taken\n"mug.jpg,2026\n', "CSV"),
        ("a.jsonl", '{"places": ["Oslo"]}\n', "line 1 names no file"),
        ("a.jsonl", "[]\n", "line 1 is not an object"),
        ("a.json", b"\xff", "UTF-8"),
    ],
)
def test_nothing_is_registered_with_claims_that_are_none(
    cli: Run, samples: Path, tmp_path: Path, name: str, text: str | bytes, said: str
) -> None:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = cli("register", samples / "originals" / "mug.jpg", "--owner", OWNER, "--claims", file)
    assert (done.code, said in done.err) == (4, True), done.err
    assert cli("list", "--json").lines == []


def test_claims_of_a_registered_reference(store: Path, cli: Run, tmp_path: Path) -> None:
    reference_id = some_reference(cli)
    made = cli("claim", reference_id, "--taken", "2026-02", "--json").line
    assert made["dates"] == [{"what": "taken", "at": "2026-02"}]
    told = logged(cli, made["claim_id"], tmp_path)
    assert (told["subject"], told["facts"]["claims"]["dates"]) == (reference_id, made["dates"])
    assert cli("show", reference_id, "--json").line["claims"] == [made]
    assert cli("claim", reference_id).code == 2
    assert cli("claim", "ref_nobody", "--taken", "2026").code == 4
    assert cli("claim", reference_id, "--published", "ftp://a.example").code == 4


def test_a_file_is_attached_and_kept(store: Path, cli: Run, tmp_path: Path) -> None:
    reference_id, raw = some_reference(cli), tmp_path / "DSC_1.NEF"
    raw.write_bytes(b"raw")
    made = cli("attach", reference_id, raw, "--kind", "raw", "--json").line
    sha256 = hashlib.sha256(b"raw").hexdigest()
    assert (made["name"], made["sha256"], made["keeping"]) == ("DSC_1.NEF", sha256, "stored")
    assert logged(cli, made["proof_id"], tmp_path)["digests"] == {"proof": sha256}
    assert "Attached (not examined)" in cli("show", reference_id).out
    assert cli("doctor", "--repair").code == 0
    assert cli("show", reference_id, "--json").line["proofs"] == [made]
    (kept,) = (store / "originals").rglob(sha256)
    assert kept.read_bytes() == b"raw"
    assert cli("remove", "--erase", "--yes", reference_id).code == 0
    assert not kept.exists()


def test_whatever_has_a_proof_is_named_where_people_look(cli: Run) -> None:
    pages = [cli("log", "proof", "--help").out, (DOCS / "transparency-log.md").read_text()]
    for page in pages:
        for prefix in ("ref_", "fnd_", "lic_", "dec_", "clm_", "prf_"):
            assert prefix in page


def test_a_digest_is_attached_and_the_file_stays_at_home(store: Path, cli: Run, tmp_path: Path) -> None:
    reference_id, frame = some_reference(cli), tmp_path / "frame.nef"
    frame.write_bytes(b"a frame")
    options = ["--kind", "neighbouring_frame", "--digest-only", "--name", "the frame before", "--json"]
    made = cli("attach", reference_id, frame, *options).line
    sha256 = hashlib.sha256(b"a frame").hexdigest()
    assert (made["name"], made["sha256"], made["byte_length"]) == ("the frame before", sha256, 7)
    assert made["keeping"] == "digest_only"
    assert logged(cli, made["proof_id"], tmp_path)["digests"] == {"proof": sha256}
    assert list((store / "originals").rglob(sha256)) == []


def test_an_attached_file_is_saved_and_removed(store: Path, cli: Run, tmp_path: Path) -> None:
    reference_id, raw, saved = some_reference(cli), tmp_path / "DSC_1.NEF", tmp_path / "saved.nef"
    raw.write_bytes(b"raw")
    proof_id = cli("attach", reference_id, raw, "--kind", "raw").out.strip()
    save = ["proof", "save", reference_id, proof_id, "--output", saved]
    assert cli(*save).code == 0
    assert saved.read_bytes() == b"raw"
    assert cli(*save).code == 2
    (kept,) = (store / "originals").rglob(hashlib.sha256(b"raw").hexdigest())
    kept.chmod(0o600)
    kept.write_bytes(b"altered")
    assert cli(*save, "--force").code == 4
    assert saved.read_bytes() == b"raw"
    remove = ["proof", "remove", reference_id, proof_id]
    assert cli(*remove).code == 2
    assert cli(*remove, "--yes", "--json").line["keeping"] == "removed"
    assert not kept.exists()
    facts = logged(cli, proof_id, tmp_path)["facts"]
    assert facts["event"] == "removed"
    assert cli(*remove, "--yes").code == 4


def test_what_cannot_be_attached_is_told(store: Path, cli: Run, tmp_path: Path) -> None:
    reference_id, empty = some_reference(cli), tmp_path / "empty"
    empty.touch()
    assert cli("attach", reference_id, empty, "--kind", "raw").code == 4
    assert cli("attach", reference_id, empty, "--kind", "raw", "--digest-only").code == 4
    assert cli("attach", reference_id, tmp_path / "nothing", "--kind", "raw").code == 4
    assert "Kinds are" in cli("attach", reference_id, empty, "--kind", "selfie").err
    assert cli("attach", reference_id, tmp_path, "--kind", "raw").code == 4
