"""What is sent to a witness over the network, and which answers are taken."""

import ssl
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from growing_log import GrowingLog
from small_log import ONE, SECONDS, TWO
from witnesses import witness_in

from imgguard.errors import FetchRefused, InputError, WitnessRefused, WitnessSizeDiffers, WitnessUnavailable
from imgguard.net.policy import FetchPolicy
from imgguard.net.witnessing import RemoteWitness
from imgguard.ports import LogWitness
from imgguard.provenance.checkpoints import cosign, verify_cosignatures
from imgguard.provenance.notes import parse_note
from imgguard.provenance.submissions import SIZE_TYPE, parse_submission, with_cosignatures

from .conftest import Serve
from .hostile import Names, Server, Visit, redirect, response

GROWING = GrowingLog(20)
NOTE = parse_note(GROWING.note(20))

type MakeWitness = Callable[..., RemoteWitness]


def signed_by(signer: Any, note: bytes = GROWING.note(20)) -> bytes:
    """The line that a witness answers with."""
    return parse_note(cosign(note, signer, seconds=SECONDS)).signatures[-1].line.encode()


@pytest.fixture
def asking(trusting: ssl.SSLContext) -> MakeWitness:
    """One on loopback, which the operator allows unless the test says otherwise."""

    def make(server: Server, *, path: str = "", scheme: str = "http", **policy: Any) -> RemoteWitness:
        policy = {
            "seconds": 0.6,
            "connect_seconds": 0.4,
            "allowed_networks": (IPv4Network("127.0.0.0/8"),),
            **policy,
        }
        return RemoteWitness(
            "one",
            f"{scheme}://shop.example:{server.port}{path}",
            ONE.key,
            FetchPolicy(**policy),
            resolve=Names({"shop.example": ["127.0.0.1"]}),
            tls=trusting,
        )

    return make


@pytest.mark.parametrize(
    ("scheme", "path", "asked"),
    [("http", "", "/add-checkpoint"), ("https", "/", "/add-checkpoint"), ("http", "/w/1/", "/w/1/add-checkpoint")],
)
def test_a_checkpoint_is_cosigned(
    serve: Serve, asking: MakeWitness, shop_tls: ssl.SSLContext, scheme: str, path: str, asked: str
) -> None:
    server = serve(response(signed_by(ONE)), tls=shop_tls if scheme == "https" else None)
    witness: LogWitness = asking(server, path=path, scheme=scheme)
    lines = witness.cosign(NOTE, old_size=7, proof=GROWING.proof(7, 20))
    (found,) = verify_cosignatures(parse_note(with_cosignatures(NOTE, lines)), [ONE.key])
    assert (found.key, found.seconds) == (ONE.key, SECONDS)
    (visit,) = server.visits
    assert visit.request.startswith(f"POST {asked} HTTP/1.1\r\n".encode())
    sent = parse_submission(visit.request.partition(b"\r\n\r\n")[2])
    assert (sent.old_size, sent.proof, sent.checkpoint) == (7, tuple(GROWING.proof(7, 20)), GROWING.note(20))


def test_a_real_witness_is_understood(serve: Serve, asking: MakeWitness, tmp_path: Path) -> None:
    real = witness_in(tmp_path)

    def script(visit: Visit) -> None:
        response(real.add_checkpoint(visit.request.partition(b"\r\n\r\n")[2]))(visit)

    server = serve(script)
    witness = RemoteWitness(
        "real",
        f"http://127.0.0.1:{server.port}",
        real.key,
        FetchPolicy(allowed_networks=(IPv4Network("127.0.0.0/8"),)),
    )
    assert witness.cosign(parse_note(GROWING.note(9)), old_size=0, proof=())
    assert witness.cosign(NOTE, old_size=9, proof=GROWING.proof(9, 20))


def test_lines_of_others_are_left_out_unread(serve: Serve, asking: MakeWitness) -> None:
    foreign = signed_by(TWO, GROWING.note(3))
    lines = asking(serve(response(foreign + signed_by(ONE)))).cosign(NOTE, old_size=0, proof=())
    assert [one.name for one in lines] == [ONE.key.name]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (response(signed_by(TWO)), "no cosignature"),
        (response(signed_by(ONE, GROWING.note(19))), "is wrong"),
        (response(signed_by(ONE, GrowingLog(20, others=1).note(20))), "is wrong"),
        (response(signed_by(ONE) + signed_by(ONE, GROWING.note(19))), "is wrong"),
        (response(b"more text\n\n" + signed_by(ONE)), "more than lines"),
        (response(b"\n" + signed_by(ONE)), "."),
        (response(signed_by(ONE).replace(b"\n", b"\r\n")), "control"),
        (response(b""), "."),
        (response(b"<html>"), "."),
        (response(b"\xff\xfe"), "UTF-8"),
        (response(bytes(16_385)), "16384 bytes"),
        (response(signed_by(ONE), length=1000), "."),
        (redirect("https://elsewhere.example/"), "status 302"),
        (response(status="500 Broken"), "status 500"),
        (response(signed_by(ONE), status="201 Created"), "status 201"),
        (response(b"", status="409 Conflict", Content_Type=SIZE_TYPE), "else than a size"),
        (response(b"07\n", status="409 Conflict", Content_Type=SIZE_TYPE), "else than a size"),
        (response(b"9" * 30 + b"\n", status="409 Conflict", Content_Type=SIZE_TYPE), "else than a size"),
        (lambda visit: visit.flood(b"HTTP/1.1 200 OK\r\n"), "."),
        (lambda visit: (visit.send(b"HTTP/1.1 200 OK\r\n\r\n"), visit.flood(signed_by(ONE))), "16384"),
        (lambda visit: visit.drip(b"HTTP/1.1 200 OK\r\n" * 100), "not done within"),
        (lambda visit: visit.reset(), "."),
        (lambda visit: visit.wait(5), "not done within"),
    ],
)
def test_what_is_no_cosignature(serve: Serve, asking: MakeWitness, script: Any, reason: str) -> None:
    with pytest.raises(WitnessUnavailable, match=rf"^the witness one.*{reason}"):
        asking(serve(script)).cosign(NOTE, old_size=0, proof=())


def test_another_size_is_told_with_the_error(serve: Serve, asking: MakeWitness) -> None:
    for told in (SIZE_TYPE, f"{SIZE_TYPE.upper()}; charset=utf-8"):
        server = serve(response(b"12\n", status="409 Conflict", Content_Type=told))
        with pytest.raises(WitnessSizeDiffers, match="at 12, not 7") as caught:
            asking(server).cosign(NOTE, old_size=7, proof=GROWING.proof(7, 20))
        assert caught.value.size == 12


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("400 Bad", "understand"),
        ("403 Forbidden", "key"),
        ("404 None", "know the log"),
        ("409 Conflict", "another log of this size"),
        ("422 No", "consistent"),
    ],
)
def test_a_refusal_is_told_as_one(serve: Serve, asking: MakeWitness, status: str, reason: str) -> None:
    with pytest.raises(WitnessRefused, match=reason):
        asking(serve(response(b"no\n", status=status))).cosign(NOTE, old_size=0, proof=())


def test_the_same_size_again_is_a_refusal_and_no_reason_to_try_again(serve: Serve, asking: MakeWitness) -> None:
    server = serve(response(b"0\n", status="409 Conflict", Content_Type=SIZE_TYPE))
    with pytest.raises(WitnessRefused):
        asking(server).cosign(NOTE, old_size=0, proof=())


def test_what_no_witness_would_take_is_not_sent(serve: Serve, asking: MakeWitness) -> None:
    server = serve(response(signed_by(ONE)))
    with pytest.raises(InputError):
        asking(server).cosign(NOTE, old_size=1, proof=[bytes(32)] * 64)
    assert server.connections == 0


def test_inside_only_where_the_operator_allows_it(serve: Serve, asking: MakeWitness) -> None:
    server = serve(response(signed_by(ONE)))
    with pytest.raises(WitnessUnavailable, match="no address"):
        asking(server, allowed_networks=()).cosign(NOTE, old_size=0, proof=())
    assert server.connections == 0


def test_an_address_that_is_none() -> None:
    with pytest.raises(FetchRefused):
        RemoteWitness("one", "ftp://witness.example", ONE.key, FetchPolicy())
