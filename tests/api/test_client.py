"""`imgguard.client`, and the commands with `--server`, on the real application."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from imgguard import client as public
from imgguard.api.app import create_app
from imgguard.bootstrap import Services
from imgguard.cli import app, remote
from imgguard.client import (
    AccessProblem,
    Client,
    ConflictProblem,
    InvalidProblem,
    NotFoundProblem,
    ProblemError,
    Retries,
    TooLargeProblem,
)
from imgguard.services.contract import CheckLine, CompareLine, RegisterLine
from imgguard.settings import Settings

from .client import Client as Asking
from .client import serving
from .conftest import Office, fast

SAMPLES = Path(__file__).parents[2] / "sample_images"
MUG = SAMPLES / "originals" / "mug.jpg"
BASE = "http://localhost"


class Wire(httpx.BaseTransport):
    """From a client without a loop to the application in this process. ``lose``: that many answers get lost."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self.lose = 0
        self.statuses: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        path = request.url.raw_path.decode()
        answer = self._asking.request(request.method, path, content=request.read(), headers=headers)
        self.statuses.append(answer.status_code)
        if self.lose:
            self.lose -= 1
            raise httpx.ReadError("the connection broke", request=request)
        fields = [(name, value) for name, value in answer.headers.items() if name != "content-encoding"]
        return httpx.Response(answer.status_code, headers=fields, content=answer.content)


type As = Callable[[str], Client]


@pytest.fixture
def as_(office: Office) -> Iterator[As]:
    """``as_("studio.seller")``: a client with the key of that member."""
    made: list[Client] = []

    def chosen(name: str) -> Client:
        wire = Wire(office.client.another())
        made.append(Client(BASE, office.world.keys[name], transport=wire, sleep=lambda _: None))
        made[-1].wire = wire  # type: ignore[attr-defined]
        return made[-1]

    yield chosen
    for client in made:
        client.close()


def crop(path: Path) -> bytes:
    """A listing made from an original: a part of it, as another file."""
    with Image.open(path) as image:
        width, height = image.size
        part = image.convert("RGB").crop((width // 10, height // 10, width - width // 12, height - height // 10))
    file = io.BytesIO()
    part.save(file, format="JPEG", quality=80)
    return file.getvalue()


# the whole way


def test_an_original_is_registered_and_a_strangers_listing_checked(as_: As) -> None:
    studio, shop = as_("studio.rights_holder"), as_("shop.seller")
    made = studio.register(MUG, title="A mug")
    assert made.status in ("registered", "duplicate")
    reference = made.reference
    assert studio.register(MUG.read_bytes(), file="mug.jpg").status == "duplicate"
    assert studio.original(reference.reference_id) == MUG.read_bytes()
    assert studio.picture(reference.reference_id, side=64).startswith(b"\xff\xd8")
    assert reference.reference_id in {one.reference_id for one in studio.references(status="active")}

    check = shop.check(crop(MUG), file="listing.jpg", platform="aliexpress", territory="DE")
    assert (check.verdict, check.conclusion, check.file) == ("copy", "unlicensed", "listing.jpg")
    assert check.use is not None
    assert (check.use.platform, check.use.territory) == ("aliexpress", "DE")
    match = check.matches[0]
    assert (match.disclosure, match.owner, match.reference_id) == ("outline", "Studio", None)
    assert shop.check_of(check.finding_id) == check
    assert next(shop.checks()).finding_id == check.finding_id
    assert shop.match_pictures(check.finding_id, 1) == ["outline", "thumbnail"]
    assert shop.match_picture(check.finding_id, 1, "outline").startswith(b"\x89PNG")
    assert shop.checked_picture(check.finding_id).startswith(b"\x89PNG")

    own = studio.check(crop(MUG), profile="quick")
    assert (own.conclusion, own.profile) == ("own", "quick")
    assert own.matches[0].reference_id == reference.reference_id
    assert own.matches[0].transform is not None
    assert {"aligned", "side_by_side"} <= set(studio.match_pictures(own.finding_id, 1))


def test_what_belongs_to_others_is_not_there(as_: As) -> None:
    studio, shop = as_("studio.rights_holder"), as_("shop.seller")
    check = shop.check(crop(MUG))
    with pytest.raises(NotFoundProblem) as caught:
        studio.check_of(check.finding_id)
    assert caught.value.request_id is not None
    assert caught.value.request_id.startswith("req_")
    with pytest.raises(AccessProblem):
        shop.register(MUG)
    with pytest.raises(AccessProblem):
        as_("studio.admin.narrow").check(crop(MUG))


def test_who_asks(as_: As, office: Office) -> None:
    account = as_("studio.admin").account()
    assert account.organisation_id == office.world.organisations["studio"]
    assert (account.organisation, account.key_id) == ("Studio", office.world.key_ids["studio.admin"])
    assert as_("studio.admin").organisation().etag is not None
    assert {member.member_id for member in as_("studio.admin").members()} >= {office.world.members["studio.seller"]}
    assert [key.key_id for key in as_("studio.rights_holder").api_keys()] == [
        office.world.key_ids["studio.rights_holder"]
    ]
    with Client(BASE, "imgguard_no_such_key", transport=Wire(office.client.another())) as stranger:
        with pytest.raises(AccessProblem) as caught:
            stranger.account()
        assert (caught.value.status, caught.value.code) == (401, "authentication_required")
    assert any(event.action == "key.issued" for event in as_("studio.admin").audit_events())


def test_an_upload_whose_answer_is_lost_is_done_once(as_: As) -> None:
    shop = as_("shop.seller")
    before = sum(1 for _ in shop.checks())
    shop.wire.lose = 1  # type: ignore[attr-defined]
    check = shop.check(crop(MUG))
    assert sum(1 for _ in shop.checks()) == before + 1
    assert next(shop.checks()).finding_id == check.finding_id


def test_what_is_refused_says_why(as_: As) -> None:
    shop = as_("shop.seller")
    for data, kind, code in (
        (b"no picture", InvalidProblem, "unsupported_format"),
        (MUG.read_bytes()[:3000], InvalidProblem, "corrupt_image"),
        (b"\0" * 1_000_001, TooLargeProblem, "body_too_large"),
    ):
        with pytest.raises(ProblemError) as caught:
            shop.check(data)
        assert (type(caught.value), caught.value.code) == (kind, code)
        assert caught.value.hint
    with pytest.raises(InvalidProblem) as caught:
        shop.check(crop(MUG), profile="slow")
    assert caught.value.fields[0].pointer == "/body/profile"


def test_a_title_is_changed_only_as_it_was_read(as_: As) -> None:
    studio = as_("studio.rights_holder")
    read = studio.register(SAMPLES / "originals" / "scissors.jpg").reference
    read = studio.reference(read.reference_id)
    changed = studio.change_reference(read, title="Scissors, open")
    assert (changed.title, changed.etag) != (read.title, read.etag)
    with pytest.raises(ConflictProblem) as caught:
        studio.change_reference(read, title="Scissors, closed")
    assert (caught.value.status, caught.value.code) == (412, "stale_revision")
    assert studio.withdraw(read.reference_id).reference.status == "withdrawn"
    with pytest.raises(ConflictProblem):
        studio.withdraw(read.reference_id)
    removed = studio.erase(read.reference_id)
    assert (removed.reference.status, removed.unfinished) == ("erased", None)


def test_a_busy_server_is_waited_for(office: Office) -> None:
    """It answers with a job at once; whoever else has workers does the work."""
    settings = Settings(home=office.world.home, sync_seconds=0, max_image_bytes=1_000_000, rate_per_minute=100_000)
    with fast(Services(settings)) as services, serving(create_app(services)) as asking:
        wire = Wire(asking)
        with Client(BASE, office.world.keys["shop.seller"], transport=wire) as shop:
            check = shop.check(crop(MUG))
        assert 202 in wire.statuses
        assert check.verdict in ("copy", "no_match")
        with Client(BASE, office.world.keys["studio.rights_holder"], transport=wire) as studio:
            assert studio.register(MUG).reference.file == "mug.jpg"


def test_licences_and_decisions(as_: As) -> None:
    studio, shop = as_("studio.rights_holder"), as_("shop.seller")
    reference = studio.register(MUG).reference
    granted = studio.grant(by_link=True, work_ids=[reference.work_id or ""], platforms=["aliexpress"])
    assert granted.secret is not None
    assert granted.secret not in repr(granted)
    licence_id = granted.licence.licence_id
    studio.add_document(licence_id, b"%PDF-1.7 a contract", title="Contract", file="contract.pdf")
    accepted = shop.accept_licence(granted.secret)
    assert accepted.documents is not None
    document = accepted.documents[0]
    assert shop.document(licence_id, document.document_id) == b"%PDF-1.7 a contract"
    assert [one.licence_id for one in shop.licences(direction="received")] == [licence_id]
    assert list(shop.licences(direction="given")) == []
    licensed = shop.check(crop(MUG), platform="aliexpress")
    assert (licensed.conclusion, licensed.matches[0].licence and licensed.matches[0].licence.status) == (
        "licensed",
        "licensed",
    )
    assert shop.check(crop(MUG)).conclusion == "unlicensed"
    stale = studio.licence(licence_id)
    assert studio.extend_licence(licence_id, ends_at=None).ends_at is None
    assert studio.revoke_licence(stale).state == "revoked"

    decision = studio.decide(licensed.finding_id, reference.reference_id, "not_a_copy", note="Another one")
    assert decision.decision_id in {one.decision_id for one in studio.decisions()}
    shown = shop.check_of(licensed.finding_id).matches[0].decision
    assert shown is not None
    assert shown.kind == "not_a_copy"
    assert studio.retract(decision.decision_id).retracted_at is not None


def test_works_and_collections(as_: As) -> None:
    studio = as_("studio.rights_holder")
    mug = studio.register(MUG).reference
    cap = studio.register(SAMPLES / "originals" / "pinstripe-cap.jpg").reference
    work_id = mug.work_id or ""
    collection = studio.create_collection("Spring")
    assert studio.add_to_collection(collection.collection_id, work_id).work_count == 1
    assert [work.work_id for work in studio.works(collection_id=collection.collection_id)] == [work_id]
    with pytest.raises(ConflictProblem):
        studio.rename_collection(collection, "Summer")  # it was changed since
    read = studio.collection(collection.collection_id)
    assert studio.rename_collection(read, "Summer").name == "Summer"
    assert studio.move(cap.reference_id, work_id).work_id == work_id
    assert {mug.reference_id, cap.reference_id} <= set(studio.work(work_id).reference_ids)
    assert {one.reference_id for one in studio.references(work_id=work_id)} >= {cap.reference_id}
    assert studio.take_from_collection(collection.collection_id, work_id).work_count == 0
    assert collection.collection_id in {one.collection_id for one in studio.collections()}
    studio.delete_collection(collection.collection_id)
    with pytest.raises(NotFoundProblem):
        studio.collection(collection.collection_id)


def test_many_at_once(as_: As, tmp_path: Path) -> None:
    shop = as_("shop.seller")
    paths = [tmp_path / "listing.jpg", tmp_path / "broken.jpg"]
    paths[0].write_bytes(crop(MUG))
    paths[1].write_bytes(b"no picture")
    job = shop.wait(shop.check_many(paths, profile="quick"), seconds=120)
    assert (job.is_over, job.item_count, job.done_count, job.failed_count) == (True, 2, 1, 1)
    first, second = shop.job_items(job)
    assert (first.file, second.file) == ("listing.jpg", "broken.jpg")
    assert first.result is not None
    assert shop.check_of(first.result["finding_id"]).profile == "quick"
    assert second.error is not None
    assert second.error.code == "unsupported_format"
    assert next(shop.jobs()).job_id == job.job_id == shop.job(job.job_id).job_id
    with pytest.raises(ConflictProblem):
        shop.cancel(job.job_id)
    registered = as_("studio.rights_holder").register_many([MUG])
    assert registered.kind == "register"


def test_what_is_fetched(as_: As) -> None:
    with pytest.raises(InvalidProblem) as caught:
        as_("shop.seller").check_url("http://10.0.0.1/a.jpg", territory="DE")
    assert caught.value.code == "fetch_refused"
    with pytest.raises(InvalidProblem) as caught:
        as_("studio.rights_holder").register_url("http://10.0.0.1/a.jpg", title="A mug")
    assert caught.value.code == "fetch_refused"


def test_questions_of_which_nothing_is_stored(as_: As) -> None:
    shop = as_("shop.seller")
    found = shop.compare(crop(MUG), MUG, file="listing.jpg", profile="quick")
    assert (found.verdict, found.file, found.reference_file) == ("copy", "listing.jpg", "mug.jpg")
    assert found.match is not None
    assert found.match.transform is not None
    assert shop.search_hash("0" * 64, distance=0) == []
    with pytest.raises(InvalidProblem):
        shop.search_hash("xyz")


# the models fit what is sent

SHAPES = {
    "Check": "Check",
    "Reference": "Reference",
    "Registered": "Registered",
    "Removed": "Removed",
    "Job": "Job",
    "JobItem": "JobItem",
    "Work": "Work",
    "Collection": "Collection",
    "Comparison": "Comparison",
    "HashMatch": "HashMatchView",
    "Match": "MatchView",
    "Transform": "TransformObject",
    "Licence": "WholeLicence",
    "LicenceDocument": "LicenceDocument",
    "Granted": "GrantedLicence",
    "Decision": "Decision",
    "Organisation": "Organisation",
    "Member": "Member",
    "Key": "Key",
    "Event": "Event",
    "Account": "Who",
}
SHAPES |= {"Feed": "Feed", "FeedLine": "FeedLine", "FeedMatch": "FeedMatchView"}
_OWN = {"etag"}
_LEFT_OUT = {
    "Job": {"organisation_id", "member_id", "key_id", "options"},
    "Account": {"csrf_token"},
    "Feed": {"organisation_id", "member_id", "sha256"},
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_models_have_what_the_server_describes(name: str, office: Office) -> None:
    described = office.client.app.openapi()["components"]["schemas"][SHAPES[name]]["properties"]
    fields = set(getattr(public, name).model_fields)
    assert fields - _OWN == set(described) - _LEFT_OUT.get(name, set())


# the command line


@pytest.fixture
def cli(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    def connected(address: str, key: str) -> Client:
        return Client(address, key, transport=Wire(office.client.another()), retries=Retries(attempts=1))

    monkeypatch.setattr(remote, "Client", connected)
    monkeypatch.setenv("IMGGUARD_HOME", str(tmp_path / "nowhere"))

    def run(name: str, *arguments: object) -> tuple[int, list[dict[str, Any]]]:
        monkeypatch.setenv("IMGGUARD_API_KEY", office.world.keys[name])
        capsys.readouterr()
        code = app.run([*map(str, arguments), "--server", BASE, "--json"])
        assert not (tmp_path / "nowhere").exists()
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_the_commands_with_a_server(cli: Callable[..., tuple[int, list[dict[str, Any]]]], tmp_path: Path) -> None:
    listing, broken = tmp_path / "listing.jpg", tmp_path / "broken.jpg"
    listing.write_bytes(crop(MUG))
    broken.write_bytes(b"no picture")
    code, lines = cli("studio.rights_holder", "register", MUG, broken)
    assert (code, lines[1]["status"]) == (4, "rejected")
    RegisterLine.model_validate(lines[1])
    assert (lines[0]["file"], lines[0]["status"]) == (str(MUG), lines[0]["status"])
    reference_id = lines[0]["reference_id"]
    code, lines = cli("studio.rights_holder", "list")
    assert reference_id in {line["reference_id"] for line in lines}

    evidence = tmp_path / "evidence"
    code, lines = cli("studio.rights_holder", "check", listing, "--exit-code", "--evidence", evidence)
    assert code == 1
    own = CheckLine.model_validate(lines[0])
    assert (own.verdict, own.matches[0].reference_id) == ("copy", reference_id)
    assert Path((own.matches[0].evidence or {})["aligned"]).read_bytes().startswith(b"\x89PNG")
    code, lines = cli("shop.seller", "check", listing, broken)
    assert (code, [line["verdict"] for line in lines]) == (4, ["copy", "error"])
    assert lines[1]["error"]["code"] == "unsupported_format"
    assert (lines[0]["matches"][0]["owner"], lines[0]["matches"][0]["reference_id"]) == ("Studio", None)
    assert list(lines[0]) == list(CheckLine.model_fields)
    code, compared = cli("shop.seller", "compare", listing, MUG)
    assert (code, CompareLine.model_validate(compared[0]).verdict) == (0, "copy")
    code, found = cli("shop.seller", "list", "--findings")
    assert found[0]["finding_id"] == lines[0]["finding_id"]
    code, lines = cli("shop.seller", "register", MUG)
    assert (code, lines[0]["error"]["code"]) == (4, "permission_denied")


def test_a_feed_on_the_command_line(
    cli: Callable[..., tuple[int, list[dict[str, Any]]]], office: Office, tmp_path: Path
) -> None:
    copy = office.server.put("/cli/copy.jpg", crop(MUG))
    feed = tmp_path / "feed.csv"
    feed.write_text(f"id,title,image_link\n1,Mug,{copy}\n")
    code, lines = cli("studio.rights_holder", "feed", feed, "--profile", "quick", "--exit-code")
    assert (code, [line["conclusion"] for line in lines]) == (1, ["own"])
    feed.write_text(f"id,title,image_link\n1,Mug,{copy}\n2,Bare,\n")
    code, lines = cli("shop.seller", "feed", office.server.put("/cli/feed.csv", feed.read_bytes()), "--exit-code")
    assert (code, [line["state"] for line in lines]) == (4, ["done", "skipped"])
    assert lines[0]["matches"][0]["owner"] == "Studio"
