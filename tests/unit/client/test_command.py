"""`--server`: what the commands print and how they end, on a server that is not there."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from imgguard.cli import app, remote
from imgguard.client import Client
from imgguard.errors import ImgguardError
from imgguard.services.contract import CheckLine, CompareLine, Match, RegisterLine

from .server import (
    CHECK,
    DONE,
    FAILED,
    FEED,
    FEED_LINE,
    HERE,
    JOB,
    KEY,
    MATCH,
    REFERENCE,
    SKIPPED,
    Server,
    form,
    page,
    problem,
)
from .test_calls import COMPARISON, REGISTERED

FULL = {
    **MATCH,
    "disclosure": "full",
    "reference_id": "ref_1",
    "file": "mug.jpg",
    "log10_likelihood_ratio": 5.0,
    "cosine_similarity": 0.9,
    "hamming_distance": 10,
    "inlier_count": 80,
    "agreement": 0.9,
    "reference_coverage": 0.6,
    "transform": {
        "matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "mirrored": False,
        "rotation_degrees": 0.0,
        "scale": 1.0,
    },
    "reference_region": [[0, 0], [1, 0], [1, 1]],
}


class Outcome:
    def __init__(self, code: int, captured: Any) -> None:
        self.code, self.out, self.err = code, captured.out, captured.err

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


type Cli = Callable[..., Outcome]


@pytest.fixture
def server() -> Server:
    return Server([CHECK])


@pytest.fixture
def cli(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command with ``--server``; the answers are those of ``server``."""
    for name in list(os.environ):
        if name.startswith("IMGGUARD_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("IMGGUARD_API_KEY", KEY)

    def connected(address: str, key: str) -> Client:
        Client(address, key).close()  # refuses what it refuses
        server.key = key
        return Client(address, key, transport=httpx.MockTransport(server), sleep=server.slept.append)

    monkeypatch.setattr(remote, "Client", connected)

    def run(*arguments: object, at: str = HERE) -> Outcome:
        capsys.readouterr()
        code = app.run(["--home", str(tmp_path / "home"), *map(str, arguments), "--server", at])
        assert not (tmp_path / "home").exists()
        captured = capsys.readouterr()
        assert KEY not in captured.out + captured.err
        return Outcome(code, captured)

    return run


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.jpg" for number in range(6)]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


# check


def test_a_check_prints_the_line_of_the_contract(cli: Cli, images: list[Path], server: Server) -> None:
    done = cli("check", images[0], "--json", "--profile", "quick")
    assert done.code == 0
    (line,) = done.lines
    assert list(line) == list(CheckLine.model_fields)
    (match,) = line["matches"]
    assert list(match) == list(Match.model_fields)
    assert (line["file"], line["finding_id"], line["verdict"]) == (str(images[0]), "fnd_1", "copy")
    assert (match["owner"], match["edits"], match["relation"]) == ("Sample Studio", ["cropped"], "partial")
    withheld = {"reference_id", "file", "log10_likelihood_ratio", "transform", "cosine_similarity", "evidence"}
    assert [match[name] for name in withheld] == [None] * len(withheld)
    assert (line["timings_ms"], line["error"]) == (None, None)
    assert form(server.requests[0]) == [("profile", None, b"quick"), ("file", "0.jpg", b"0.jpg")]


def test_a_line_in_which_nothing_is_withheld_is_a_line_of_the_contract(
    cli: Cli, images: list[Path], server: Server
) -> None:
    server.answers = [{**CHECK, "matches": [FULL]}]
    CheckLine.model_validate(cli("check", images[0], "--json").lines[0])


def test_the_profile_is_the_servers_unless_one_is_named(cli: Cli, images: list[Path], server: Server) -> None:
    cli("check", images[0], "--json")
    assert [name for name, _, _ in form(server.requests[0])] == ["file"]
    assert cli("check", images[0], "--profile", "slow").code == 2


def test_lines_come_in_the_order_of_the_inputs_two_at_a_time(cli: Cli, images: list[Path], server: Server) -> None:
    under_way, most, lock, two = 0, 0, threading.Lock(), threading.Barrier(2, timeout=10)

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        two.wait()
        data = form(request)[-1][2]
        with lock:
            under_way -= 1
        return httpx.Response(200, json={**CHECK, "finding_id": f"fnd_{data.decode()}"})

    server.answers = [answer]
    done = cli("check", *images, "--json")
    assert [line["file"] for line in done.lines] == [str(path) for path in images]
    assert [line["finding_id"] for line in done.lines] == [f"fnd_{path.name}" for path in images]
    assert most == 2


def test_a_picture_that_cannot_be_used_costs_its_own_line_only(
    cli: Cli, images: list[Path], server: Server, tmp_path: Path
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/items"):
            return page(FAILED)
        if "/jobs/" in request.url.path:
            return httpx.Response(200, json=DONE)
        data = form(request)[-1][2]
        answers = {
            b"1.jpg": problem(422, "corrupt_image"),
            b"2.jpg": problem(413, "body_too_large"),
            b"3.jpg": problem(503, "worker_crashed", headers={"Retry-After": "1"}),
            b"4.jpg": httpx.Response(202, json=JOB),
        }
        return answers.get(data, httpx.Response(200, json=CHECK))

    server.answers = [answer]
    done = cli("check", *images, tmp_path / "missing.jpg", "--json")
    codes = [line["error"] and line["error"]["code"] for line in done.lines]
    wanted = [None, "corrupt_image", "body_too_large", "worker_crashed", "corrupt_image", None, "invalid_input"]
    assert codes == wanted
    assert done.code == 4
    for line in done.lines:
        assert list(line) == list(CheckLine.model_fields)
        if line["error"] is not None:
            CheckLine.model_validate(line)
            assert line["verdict"] == "error"
            assert (line["sha256"] is None) == line["file"].endswith("missing.jpg")


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        (lambda _: problem(401, "authentication_required"), 4, "authentication_required"),
        (lambda _: problem(403, "permission_denied"), 4, "permission_denied"),
        (lambda _: problem(404, "not_found"), 4, "not_found"),
        (lambda _: problem(429, "rate_limited", headers={"Retry-After": "1"}), 3, "rate_limited"),
        (lambda _: problem(503, "queue_full", headers={"Retry-After": "1"}), 3, "queue_full"),
        (lambda _: problem(503, "store_unavailable"), 3, "store_unavailable"),
        (lambda _: problem(500, "internal"), 3, "req_1"),
        (lambda _: httpx.Response(502, content=b"<html>"), 3, "502"),
        (lambda _: httpx.Response(200, content=b"<html>"), 3, "not JSON"),
        (httpx.ConnectError("refused"), 3, "refused"),
    ],
)
def test_what_others_would_meet_too_ends_the_run(
    answer: Any, code: int, told: str, cli: Cli, images: list[Path], server: Server
) -> None:
    server.answers = [answer]
    many = images * 8  # far more than are looked ahead at
    done = cli("check", *many, "--json")
    assert done.code == code
    assert told in done.err
    assert 1 <= len(done.lines) < len(many)
    assert done.lines[0]["error"] is not None


def test_a_copy_is_in_the_exit_code_when_asked_for(cli: Cli, images: list[Path], server: Server) -> None:
    assert cli("check", images[0], "--exit-code").code == 1
    server.answers = [{**CHECK, "verdict": "same_product"}]
    assert cli("check", images[0], "--exit-code").code == 0


def test_people_get_a_table(cli: Cli, images: list[Path], server: Server) -> None:
    withheld = {**MATCH, "disclosure": "contact", "owner": None, "edits": None, "reasons": None}
    answers = {
        b"0.jpg": CHECK,
        b"1.jpg": {**CHECK, "matches": [FULL]},
        b"2.jpg": {**CHECK, "matches": [withheld]},
        b"3.jpg": {**CHECK, "matches": [], "verdict": "a_new_one", "conclusion": "clear"},
        b"4.jpg": {**CHECK, "matches": [{**MATCH, "disclosure": "erased", "verdict": None, "strength": None}]},
    }
    server.answers = [lambda request: httpx.Response(200, json=answers[form(request)[-1][2]])]
    done = cli("check", *images[:5])
    rows = done.out.splitlines()[1:]
    assert "Likely copy" in rows[0]
    assert "unlicensed" in rows[0]
    assert "cropped" in rows[0].lower()
    assert "mug.jpg (Sample Studio)" in rows[1]
    assert "(not shown)" in rows[2]
    assert rows[3].startswith("a_new_one")
    assert "(erased)" in rows[4]
    assert "4 likely copy" in done.err


def _drawing(request: httpx.Request) -> httpx.Response:
    names = ["side_by_side", "../../escape", "aligned", "A", ""]
    if request.url.path.endswith("/pictures"):
        return httpx.Response(200, json={"pictures": names})
    if "/pictures/" in request.url.path:
        return httpx.Response(200, content=request.url.path.encode())
    other = {**MATCH, "number": 2, "verdict": "same_product"}
    return httpx.Response(200, json={**CHECK, "matches": [MATCH, other, {**MATCH, "number": 3}]})


def test_pictures_are_written_as_far_as_they_are_shown(
    cli: Cli, images: list[Path], server: Server, tmp_path: Path
) -> None:
    server.answers = [_drawing]
    folder = tmp_path / "evidence"
    done = cli("check", images[0], "--json", "--evidence", folder)
    first, second, third = (match["evidence"] for match in done.lines[0]["matches"])
    assert first == {name: str(folder / f"fnd_1-1-{name}.png") for name in ("side_by_side", "aligned")}
    assert (second, len(third)) == ({}, 2)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"fnd_1-{number}-{name}.png" for number in (1, 3) for name in ("side_by_side", "aligned")
    )
    assert (folder / "fnd_1-3-aligned.png").read_text() == "/v1/checks/fnd_1/matches/3/pictures/aligned"


def test_pictures_that_are_missing_are_told_once(cli: Cli, images: list[Path], server: Server, tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return problem(404, "not_found") if request.method == "GET" else httpx.Response(200, json=CHECK)

    server.answers = [answer]
    done = cli("check", *images[:3], "--json", "--evidence", tmp_path / "evidence")
    assert done.code == 4
    assert [line["verdict"] for line in done.lines] == ["copy"] * 3
    assert done.lines[0]["matches"][0]["evidence"] == {}
    assert done.err.count("no pictures of") == 1


def test_a_finding_that_no_file_can_be_named_after(
    cli: Cli, images: list[Path], server: Server, tmp_path: Path
) -> None:
    server.answers = [{**CHECK, "finding_id": "../../../fnd"}]
    done = cli("check", images[0], "--json", "--evidence", tmp_path / "evidence")
    assert done.code == 4
    assert list((tmp_path / "evidence").iterdir()) == []
    assert len(server.requests) == 1


# register, compare, list


def test_registering_prints_the_line_of_the_contract(cli: Cli, images: list[Path], server: Server) -> None:
    incomplete = {**REGISTERED, "error": {"code": "internal", "detail": "not all could be compared"}}
    answers = {
        b"0.jpg": httpx.Response(201, json=REGISTERED),
        b"1.jpg": httpx.Response(200, json={**REGISTERED, "status": "duplicate", "similar": []}),
        b"2.jpg": problem(422, "unsupported_format"),
        b"3.jpg": httpx.Response(201, json=incomplete | {"error": {"code": "digest_mismatch", "detail": "damaged"}}),
    }
    server.answers = [lambda request: answers[form(request)[-1][2]]]
    done = cli("register", *images[:4], "--json")
    assert done.code == 4
    assert [line["status"] for line in done.lines] == ["registered", "duplicate", "rejected", "registered"]
    assert all(list(line) == list(RegisterLine.model_fields) for line in done.lines)
    assert [line["reference_id"] for line in done.lines] == ["ref_1", "ref_1", None, "ref_1"]
    assert done.lines[0]["similar"][0]["owner"] == "Sample Studio"
    assert done.lines[2]["error"]["code"] == "unsupported_format"
    assert "2 registered, 1 duplicate, 1 rejected" in done.err
    table = cli("register", *images[:3]).out.splitlines()
    assert "Sample Studio: likely copy" in table[1]
    assert table[3].startswith("rejected")


def test_the_owner_is_whoever_the_key_is_of(
    cli: Cli, images: list[Path], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli("register", images[0], "--owner", "Sample Studio").code == 2
    assert server.requests == []
    assert app.run(["register", str(images[0])]) == 2
    assert "--owner is missing" in capsys.readouterr().err


def test_comparing_prints_the_line_of_the_contract(cli: Cli, images: list[Path], server: Server) -> None:
    server.answers = [{**COMPARISON, "match": FULL | {"reference_id": None, "owner": None}}]
    done = cli("compare", images[0], images[1], "--json", "--exit-code")
    assert done.code == 1
    line = CompareLine.model_validate(done.lines[0])
    assert list(done.lines[0]) == list(CompareLine.model_fields)
    assert line.match is not None
    assert (line.file, line.match.file) == (str(images[0]), str(images[1]))
    assert form(server.requests[0]) == [("query", "0.jpg", b"0.jpg"), ("reference", "1.jpg", b"1.jpg")]
    shown = cli("compare", images[0], images[1]).out
    assert "Likely copy" in shown
    assert "very strong" in shown
    server.answers = [{**COMPARISON, "verdict": "no_match", "match": None, "reasons": ["no_candidate"]}]
    assert "looks similar enough" in cli("compare", images[0], images[1]).out
    server.answers = [{**COMPARISON, "match": {**FULL, "relation": "a_new_one"}, "reasons": ["a_new_one"]}]
    assert "a new one" in cli("compare", images[0], images[1]).out


@pytest.mark.parametrize(
    ("answer", "code"), [(problem(422, "corrupt_image"), 4), (problem(401, "authentication_required"), 4)]
)
def test_comparing_may_fail(answer: httpx.Response, code: int, cli: Cli, images: list[Path], server: Server) -> None:
    server.answers = [answer]
    done = cli("compare", images[0], images[1])
    assert done.code == code
    assert "some detail" in done.err


def test_comparing_a_picture_that_cannot_be_used_has_a_line(cli: Cli, images: list[Path], server: Server) -> None:
    server.answers = [problem(422, "corrupt_image")]
    done = cli("compare", images[0], images[1], "--json")
    assert done.lines[0]["error"] == {"code": "corrupt_image", "detail": "some detail"}


def test_listing_references(cli: Cli, server: Server) -> None:
    server.answers = [page(REFERENCE, cursor="more"), page({**REFERENCE, "reference_id": "ref_2"})]
    done = cli("list", "--json", "--status", "active")
    assert [line["reference_id"] for line in done.lines] == ["ref_1", "ref_2"]
    assert done.lines[0] == {
        "reference_id": "ref_1",
        "owner": "Sample Studio",
        "file": "mug.jpg",
        "status": "active",
        "sha256": "0" * 64,
        "work_id": "wrk_1",
        "registered_at": "2026-03-01T12:00:00Z",
        "withdrawn_at": None,
        "erased_at": None,
    }
    assert server.asked[0] == "GET /v1/references?status=active"
    server.answers = [page()]
    assert "Nothing is registered." in cli("list").err


def test_listing_findings(cli: Cli, server: Server) -> None:
    server.answers = [page(CHECK, {**CHECK, "matches": [FULL]})]
    done = cli("list", "--json", "--findings")
    assert [line["reference_ids"] for line in done.lines] == [[None], ["ref_1"]]
    assert done.lines[0]["checked_at"] == "2026-03-01T12:00:00Z"
    assert server.asked == ["GET /v1/checks"]
    server.answers = [page(CHECK)]
    assert "Likely copy" in cli("list", "--findings").out


def test_a_list_that_breaks_off_is_told(cli: Cli, server: Server) -> None:
    server.answers = [page(REFERENCE, cursor="more"), problem(401, "authentication_required")]
    done = cli("list", "--json")
    assert (done.code, len(done.lines)) == (4, 1)
    assert "authentication_required" in done.err


# the key


def test_the_key_of_a_file_comes_before_that_of_the_environment(cli: Cli, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("imgguard_another_key\n")
    path.chmod(0o600)
    server.answers = [page()]
    done = cli("list", "--key-file", path)
    assert (done.code, server.key.strip()) == (0, "imgguard_another_key")
    assert "warning" not in done.err
    path.chmod(0o644)
    assert "can be read by others" in cli("list", "--key-file", path).err


def test_a_file_that_holds_no_key(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "key"
    for content in (b"", b"\n", b"two words of a key", b"\xff\xfe secret", b"x" * 5000):
        path.write_bytes(content)
        done = cli("list", "--key-file", path)
        assert done.code == 2
        assert "secret" not in done.err
        assert "two words" not in done.err
    assert cli("list", "--key-file", tmp_path / "missing").code == 2
    assert cli("list", "--key-file", tmp_path).code == 2


def test_without_a_key_nothing_is_asked(cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMGGUARD_API_KEY")
    assert cli("list").code == 2
    monkeypatch.setenv("IMGGUARD_API_KEY", "")
    assert cli("list").code == 2
    assert server.requests == []


@pytest.mark.parametrize(
    "address", ["http://imgguard.example.org", "imgguard.example.org", "", "https://u:p@a.example"]
)
def test_an_address_that_the_key_may_not_travel_to(address: str, cli: Cli, server: Server) -> None:
    done = cli("list", at=address)
    assert (done.code, server.requests) == (2, [])
    assert "[configuration]" in done.err


def test_the_key_is_not_shown_with_the_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMGGUARD_API_KEY", KEY)
    for arguments in (["config", "show"], ["config", "show", "--json"]):
        assert app.run(arguments) == 0
        assert KEY not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "a.jpg", "--report", "a.html", "--server", HERE],
        ["compare", "a.jpg", "b.jpg", "--evidence", "evidence", "--server", HERE],
        ["list", "--owner", "Sample Studio", "--server", HERE],
        ["list", "--key-file", "key"],
        ["feed", "a.csv", "--json", "--out", "a.csv", "--server", HERE],
        ["feed", "a.csv", "--form", "excel", "--server", HERE],
        ["feed", "a.csv", "--encoding", "big5", "--server", HERE],
        ["feed", "a.csv", "--key-file", "key"],
        ["check", "a.jpg", "--key-file", "key"],
        ["register", "a.jpg", "--key-file", "key"],
        ["compare", "a.jpg", "b.jpg", "--key-file", "key"],
    ],
)
def test_what_does_not_go_together(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMGGUARD_API_KEY", KEY)
    monkeypatch.setenv("IMGGUARD_HOME", str(tmp_path / "home"))
    assert app.run(arguments) == 2
    assert "[configuration]" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


SHEET = b"\xef\xbb\xbfproduct_id\r\nSKU-1\r\n"


@pytest.fixture
def feed(tmp_path: Path, server: Server) -> Path:
    """One of which a picture is a copy, in an hour of its server."""
    server.answers = [FEED, JOB, DONE, {"items": [FEED_LINE]}, httpx.Response(200, content=SHEET)]
    path = tmp_path / "feed.csv"
    path.write_bytes(b"id,image_link")
    return path


def test_the_result_of_a_feed_goes_to_a_file(cli: Cli, feed: Path, server: Server, tmp_path: Path) -> None:
    out = tmp_path / "new" / "result.csv"
    done = cli("feed", feed, "--out", out, "--platform", "aliexpress", "--encoding", "gb18030")
    assert (done.code, done.out, out.read_bytes()) == (0, "", SHEET)
    assert "fed_1: 1 pictures of 2 products" in done.err
    assert "1 likely copy" in done.err
    sent = form(server.requests[0])
    assert sent[-1] == ("file", "feed.csv", b"id,image_link")
    assert {("platform", None, b"aliexpress"), ("encoding", None, b"gb18030")} < set(sent)


def test_the_result_of_a_feed_goes_to_standard_output(cli: Cli, feed: Path) -> None:
    done = cli("feed", feed, "--exit-code", "--quiet")
    assert (done.code, done.out.encode(), done.err) == (1, SHEET, "")


def test_the_lines_of_a_feed(cli: Cli, feed: Path, server: Server) -> None:
    server.answers[3] = {"items": [FEED_LINE, SKIPPED]}
    done = cli("feed", "https://shop.example/feed.xml", "--json", "--exit-code")
    assert done.code == 4
    assert [(line["product_id"], line["state"]) for line in done.lines] == [("SKU-1", "done"), ("SKU-1", "skipped")]
    assert server.asked[0] == "POST /v1/feeds/by-url"
    assert json.loads(server.requests[0].content) == {"url": "https://shop.example/feed.xml"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [(problem(422, "invalid_input"), 4), (problem(503, "queue_full"), 3), (problem(403, "permission_denied"), 4)],
)
def test_a_feed_that_the_server_turns_down(
    answer: httpx.Response, code: int, cli: Cli, feed: Path, server: Server
) -> None:
    server.answers = [answer]
    done = cli("feed", feed)
    assert (done.code, done.out) == (code, "")
    assert "some detail" in done.err


def test_a_feed_that_is_not_there(cli: Cli, server: Server, tmp_path: Path) -> None:
    assert cli("feed", tmp_path / "none.csv").code == 4
    assert server.requests == []


def test_a_feed_needs_a_server(capsys: pytest.CaptureFixture[str], feed: Path, tmp_path: Path) -> None:
    assert app.run(["--home", str(tmp_path / "home"), "feed", str(feed)]) == 2
    assert "--server" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_every_code_of_ours_is_told_as_ours() -> None:
    from imgguard.client import ProblemError

    kinds = remote._kinds()
    assert {"corrupt_image", "queue_full", "stale_revision"} <= kinds.keys()
    assert ImgguardError.code not in kinds
    found = remote.translated(ProblemError(status=422, code="corrupt_image", title="", detail="cut short", hint="Do."))
    assert (type(found), found.detail, found.advice) == (kinds["corrupt_image"], "cut short", "Do.")
