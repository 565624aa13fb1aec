"""The log over HTTP: strangers verify it, owners get their proofs, nobody else learns anything."""

import io

import numpy as np
import pytest
from PIL import Image

from imgguard.asgi import build
from imgguard.bootstrap import Services
from imgguard.errors import LogInconsistent
from imgguard.provenance.checkpoints import open_checkpoint
from imgguard.provenance.leaves import open_leaf, parse_opening
from imgguard.provenance.merkle import leaf_hash, root_of
from imgguard.provenance.notes import VerifierKey
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.proofs import parse_proof, verify_proof
from imgguard.provenance.tiles import bundle_path, parse_bundle
from imgguard.settings import Settings

from .client import Client, assert_problem
from .conftest import Office, World, actor_of, signed_in


def test_a_monitor_reads_the_whole_log(client: Client, services: Services, world: World) -> None:
    services.transparency.publish()
    stranger = client.another()
    answer = stranger.get("/log/checkpoint")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
        "text/plain; charset=utf-8",
        "no-cache",
    )
    head = stranger.get("/v1/log").json()
    checkpoint = open_checkpoint(answer.content, [VerifierKey.parse(head["vkey"])]).checkpoint
    assert (head["origin"], head["size"], head["root"]) == (
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root.hex(),
    )
    bundle = stranger.get(f"/log/{bundle_path(0, checkpoint.size)}")
    assert bundle.headers["content-type"] == "application/octet-stream"
    assert "immutable" in bundle.headers["cache-control"]
    entries = parse_bundle(bundle.content, width=checkpoint.size)
    assert root_of(map(leaf_hash, entries)) == checkpoint.root
    everything = b"".join(entries)
    for private in (world.reference_id, world.finding_id, "Studio", "mug"):
        assert private.encode() not in everything


def test_an_owner_proves_a_registration(client: Client, services: Services, world: World) -> None:
    services.transparency.publish()
    owner = signed_in(client, "studio.rights_holder")
    record = owner.get(f"/v1/references/{world.reference_id}/record").json()
    proof = owner.get(f"/v1/references/{world.reference_id}/proof")
    assert proof.headers["content-type"] == "text/plain; charset=utf-8"
    policy = parse_policy(f"log {client.get('/v1/log').json()['vkey']}\nquorum none\n".encode())
    leaf = record["leaf"].encode()
    assert verify_proof(parse_proof(proof.content), leaf, policy).index == record["position"]
    body = open_leaf(leaf, parse_opening(record["opening"].encode())).body
    assert (body["reference_id"], body["claimant"]["name"]) == (world.reference_id, "Studio")


def test_a_new_leaf_is_proven_after_the_next_checkpoint(client: Client, services: Services, world: World) -> None:
    services.transparency.publish()
    owner = signed_in(client, "studio.rights_holder")
    path = f"/v1/references/{world.reference_id}"
    assert owner.delete(path).status_code == 200
    assert_problem(owner.get(f"{path}/proof?kind=withdrawal"), 409, "invalid_transition")
    services.transparency.publish()
    assert owner.get(f"{path}/proof?kind=withdrawal").status_code == 200
    assert owner.delete(f"{path}?erase=true").status_code == 200
    assert owner.get(f"{path}/proof").status_code == 200
    assert_problem(owner.get(f"{path}/record"), 404, "not_found")
    assert "erased" in owner.get(f"{path}/record?kind=withdrawal").json()["opening"]


@pytest.mark.parametrize(
    "path",
    [
        "0/001",
        "0/000.p/255",
        "0/000.p/0",
        "entries/0",
        "64/000",
        "..%2fcheckpoint",
        "..%2f..%2fimgguard.sqlite3",
        "0/000/../../../.lock",
        "0/000%00",
        "entries",
        "",
        "x" * 3000,
    ],
)
def test_there_is_nothing_but_the_log(client: Client, services: Services, path: str) -> None:
    services.transparency.publish()
    assert client.another().get(f"/log/tile/{path}").status_code == 404


def test_before_the_first_checkpoint(client: Client) -> None:
    assert_problem(client.another().get("/log/checkpoint"), 404, "not_found")
    assert client.another().get("/v1/log").json() == {
        "origin": None,
        "vkey": None,
        "earlier_vkeys": [],
        "size": 0,
        "root": None,
        "signed_at": None,
    }


def test_every_way_to_register_and_to_check_is_logged(office: Office) -> None:
    before = office.services.transparency.status().counts
    holder = office.as_("studio.rights_holder")

    def picture(shade: int) -> bytes:
        """One that nobody has registered: noise of its own."""
        noise = np.random.default_rng(shade).integers(0, 256, (300, 300, 3), dtype=np.uint8)
        data = io.BytesIO()
        Image.fromarray(noise).save(data, "PNG")
        return data.getvalue()

    url = office.server.put("/logged.png", picture(1))
    assert holder.post("/v1/references/by-url", json={"url": url}).status_code == 201
    assert holder.post("/v1/references", files={"file": ("a.png", picture(2))}).status_code == 201
    files = [("files", (f"{shade}.png", picture(shade))) for shade in (3, 4)]
    job = holder.post("/v1/references/bulk", files=files).json()
    actor = actor_of(office.services, office.world.members["studio.rights_holder"])
    assert office.services.jobs.wait(actor, job["job_id"], seconds=60).is_over
    assert office.as_("shop.seller").post("/v1/checks/by-url", json={"url": url}).status_code == 200
    after = office.services.transparency.status().counts
    made = {kind: count - before.get(kind, 0) for kind, count in after.items()}
    assert {kind: count for kind, count in made.items() if count} == {"registration": 4, "finding": 1, "capture": 1}
    assert list(office.services.log_store.without_leaf()) == []


def test_the_service_does_not_begin_with_another_database(world: World) -> None:
    home = world.home
    with Services(Settings(home=home)) as services:
        services.transparency.publish()
    checkpoint = home / "log" / "checkpoint"
    checkpoint.write_text("other" + checkpoint.read_text())
    with pytest.raises(LogInconsistent):
        build(Settings(home=home))
