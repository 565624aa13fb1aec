"""The embedded authority: its answers hold, say whose they are, and refuse what they must."""

from datetime import timedelta

import pytest
import timestamp_forge as forge
from asn1crypto import tsp
from cryptography.hazmat.primitives.serialization import Encoding
from timestamp_forge import DATA, NOON

from imgguard.errors import ConfigurationError, TimestampRefused
from imgguard.provenance.authority import LABEL, POLICY, VALIDITY, EmbeddedAuthority
from imgguard.provenance.timestamp_tokens import certificate_sha256
from imgguard.provenance.timestamps import Digest, read_response, request_for, verify_timestamp
from imgguard.provenance.trust import Trust, TrustClass, read_trust


@pytest.fixture(scope="module")
def authority() -> EmbeddedAuthority:
    return EmbeddedAuthority.new(at=NOON)


@pytest.fixture(scope="module")
def believing(authority: EmbeddedAuthority) -> Trust:
    pem = authority.root.public_bytes(Encoding.PEM).decode()
    return read_trust(forge.trust_file(pem, trust_class="self_issued"))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_its_tokens_hold_and_say_whose_they_are(authority: EmbeddedAuthority, believing: Trust, algorithm: str) -> None:
    digest = Digest.of(DATA, algorithm=algorithm)
    request = request_for(digest, nonce=5)
    at = NOON + timedelta(days=1, microseconds=999_999)
    token = read_response(authority.issue(request, at=at), request)
    verified = verify_timestamp(token, DATA, trust=believing)
    assert verified.trust_class is TrustClass.SELF_ISSUED
    assert LABEL in verified.token.authority.replace("\\,", ",")
    assert verified.token.policy == POLICY
    assert verified.token.gen_time == NOON + timedelta(days=1)
    assert verified.no_later_than is not None
    assert verified.no_later_than >= at
    assert verified.token.certificates_sha256 == (certificate_sha256(authority.certificate),)


def test_it_cannot_stamp_times_beyond_its_certificate(authority: EmbeddedAuthority, believing: Trust) -> None:
    request = request_for(Digest.of(DATA), nonce=5)
    for at in (NOON - timedelta(seconds=1), NOON + VALIDITY + timedelta(seconds=1)):
        token = read_response(authority.issue(request, at=at), request)
        with pytest.raises(Exception, match="do not hold"):
            verify_timestamp(token, DATA, trust=believing)


def test_serial_numbers_differ_and_answers_repeat(authority: EmbeddedAuthority, believing: Trust) -> None:
    def serial(nonce: int, at: int) -> int:
        request = request_for(Digest.of(DATA), nonce=nonce)
        response = authority.issue(request, at=NOON + timedelta(seconds=at))
        assert response == authority.issue(request, at=NOON + timedelta(seconds=at))
        return verify_timestamp(read_response(response, request), DATA, trust=believing).token.serial

    assert len({serial(1, 0), serial(2, 0), serial(1, 1)}) == 3


def _request(**changes: object) -> bytes:
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)}
    return tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, **changes}).dump()


@pytest.mark.parametrize(
    ("request_", "failure"),
    [
        (b"", "bad_data_format"),
        (b"\x30\x80" * 1000, "bad_data_format"),
        (bytes(1_000_000), "bad_data_format"),
        (_request() + b"\0", "bad_data_format"),
        (_request(version="v2"), "bad_data_format"),
        (
            _request(message_imprint={"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": bytes(20)}),
            "bad_alg",
        ),
        (
            _request(message_imprint={"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(31)}),
            "bad_data_format",
        ),
        (_request(req_policy="1.2.3"), "unaccepted_policy"),
        (_request(extensions=[{"extn_id": "1.2.3", "extn_value": b"x"}]), "unaccepted_extensions"),
    ],
)
def test_it_refuses_what_it_does_not_do(authority: EmbeddedAuthority, request_: bytes, failure: str) -> None:
    with pytest.raises(TimestampRefused, match=rf"rejection \({failure}\)"):
        read_response(authority.issue(request_, at=NOON), _request())


def test_without_a_certificate_if_none_is_asked_for(authority: EmbeddedAuthority, believing: Trust) -> None:
    request = _request(req_policy=POLICY)
    response = authority.issue(request, at=NOON)
    assert LABEL.encode() not in response.replace(authority.certificate.issuer.public_bytes(), b"")
    token = tsp.TimeStampResp.load(response)["time_stamp_token"].dump()
    digest = Digest(algorithm="sha256", value=bytes(32))
    verified = verify_timestamp(token, digest, trust=believing, certificates=[authority.certificate])
    assert verified.token.nonce is None


def test_its_keys_can_be_stored(authority: EmbeddedAuthority) -> None:
    again = EmbeddedAuthority.from_pem(authority.to_pem())
    request = request_for(Digest.of(DATA), nonce=1)
    assert again.issue(request, at=NOON) == authority.issue(request, at=NOON)
    assert again.root == authority.root
    assert "PRIVATE" not in repr(authority)


def test_a_file_that_is_not_whole_is_an_error(authority: EmbeddedAuthority) -> None:
    pem = authority.to_pem()
    key, rest = pem.split(b"-----BEGIN CERTIFICATE-----", 1)
    other = EmbeddedAuthority.new(at=NOON).to_pem().split(b"-----BEGIN CERTIFICATE-----", 1)[1]
    for broken in (b"", key, pem[: len(pem) // 2], rest, key + b"-----BEGIN CERTIFICATE-----" + other):
        with pytest.raises(ConfigurationError, match="embedded timestamp authority"):
            EmbeddedAuthority.from_pem(broken)
