"""What an authority is asked, and which answers are taken for one."""

import hashlib

import pytest
import rfc3161_client
import timestamp_forge as forge
from asn1crypto import tsp
from rfc3161_client._rust import parse_timestamp_request
from timestamp_forge import DATA, Certified

from imgguard.errors import TimestampInvalid, TimestampRefused
from imgguard.provenance.timestamp_requests import read_response, request_for
from imgguard.provenance.timestamp_tokens import wrapped
from imgguard.provenance.timestamps import Digest

NONCE = 2**64 - 1
ASKED = request_for(Digest.of(DATA), nonce=NONCE)


def refusal(status: str, *, said: str = "", failure: str | None = None) -> bytes:
    info: dict[str, object] = {"status": status}
    if said:
        info["status_string"] = [said]
    if failure is not None:
        info["fail_info"] = {failure}
    content = tsp.PKIStatusInfo(info).dump()
    return (
        b"\x30\x81" + bytes([len(content)]) + content
        if len(content) > 127
        else b"\x30" + bytes([len(content)]) + content
    )


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_request_is_what_another_reader_finds_it_to_be(algorithm: str) -> None:
    request = parse_timestamp_request(request_for(Digest.of(DATA, algorithm=algorithm), nonce=NONCE))
    assert request.message_imprint.message == hashlib.new(algorithm, DATA).digest()
    assert (request.version, request.nonce, request.cert_req, request.policy) == (1, NONCE, True, None)


def test_an_answer_brings_the_token_as_it_is(signer: Certified) -> None:
    token = forge.token(signer, info={"nonce": NONCE})
    assert read_response(wrapped(token), ASKED) == token
    assert rfc3161_client.decode_timestamp_response(wrapped(token)).time_stamp_token() == token


def test_granted_with_modifications_is_granted(signer: Certified) -> None:
    token = forge.token(signer, info={"nonce": NONCE})
    status = wrapped(token).replace(b"\x30\x03\x02\x01\x00", b"\x30\x03\x02\x01\x01", 1)
    assert read_response(status, ASKED) == token


def test_the_answer_to_another_request_is_refused(signer: Certified) -> None:
    for info in ({"nonce": NONCE - 1}, {}):
        with pytest.raises(TimestampRefused, match="nonce"):
            read_response(wrapped(forge.token(signer, info=info)), ASKED)


def test_another_digest_than_was_asked_is_refused(signer: Certified) -> None:
    for changes in ({"data": b"other"}, {"imprint": "sha512"}):
        with pytest.raises(TimestampRefused, match="another digest"):
            read_response(wrapped(forge.token(signer, info={"nonce": NONCE}, **changes)), ASKED)


@pytest.mark.parametrize("status", ["rejection", "waiting", "revocation_warning", "revocation_notification"])
def test_an_authority_may_say_no(status: str) -> None:
    with pytest.raises(TimestampRefused, match=rf"{status} \(bad_alg\) \('not that\\n\\u202e one'\)"):
        read_response(refusal(status, said="not that\n\u202e one", failure="bad_alg"), ASKED)
    with pytest.raises(TimestampRefused, match=f"{status}$"):
        read_response(refusal(status), ASKED)


def test_a_rejection_that_brings_a_token_is_one(signer: Certified) -> None:
    token = forge.token(signer, info={"nonce": NONCE})
    rejected = wrapped(token).replace(b"\x30\x03\x02\x01\x00", b"\x30\x03\x02\x01\x02", 1)
    with pytest.raises(TimestampRefused, match="rejection"):
        read_response(rejected, ASKED)


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"<html>",
        b"\x30\x05\x30\x03\x02\x01\x00",
        b"\x30\x80" * 30_000,
        b"\x30\x05\x30\x03\x02\x01\x63",
        bytes(1_000_000),
    ],
    ids=["empty", "a page", "granted without a token", "nested", "an unknown status", "a megabyte"],
)
def test_what_is_no_answer(response: bytes) -> None:
    with pytest.raises((TimestampInvalid, TimestampRefused)):
        read_response(response, ASKED)


def test_bytes_behind_the_answer(signer: Certified) -> None:
    with pytest.raises(TimestampInvalid):
        read_response(wrapped(forge.token(signer, info={"nonce": NONCE})) + b"\0", ASKED)
