"""Tokens that were made or altered to deceive, or to break the reader. Each is refused in one way: TimestampInvalid."""

import hashlib
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import timestamp_forge as forge
from asn1crypto import cms, parser
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from timestamp_forge import DATA, Certified

from imgguard.errors import TimestampInvalid
from imgguard.provenance.timestamp_tokens import MAX_TOKEN_BYTES
from imgguard.provenance.timestamps import Digest
from imgguard.provenance.trust import read_trust

from .conftest import Verify


def _with_one_bit_more(data: bytes, *, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _an_hour_earlier(content: bytes) -> bytes:
    assert content.count(b"20220601120000Z") == 1
    return content.replace(b"20220601120000Z", b"20220601110000Z")


_EXTENSION = {"extn_id": "1.2.3", "critical": True, "extn_value": b"x"}
_SECOND_DIGEST = {"type": "message_digest", "values": [hashlib.sha256(b"other").digest()]}

TOKENS: dict[str, tuple[dict[str, Any], str]] = {
    "the digest of other data": ({"data": b"other"}, "imprint"),
    "an imprint by SHA-1": ({"imprint": "sha1"}, "sha1"),
    "an imprint by MD5": ({"imprint": "md5"}, "md5"),
    "an imprint that is too short": ({"imprinted": b"short"}, "proper DER"),
    "a time altered after signing": ({"change_content": _an_hour_earlier}, "altered: its content"),
    "a signature by SHA-1": ({"digest": "sha1"}, "not believed"),
    "a signature said to be of another kind": ({"signature_algorithm": "sha256_rsa"}, "not that of its key"),
    "a signature said to be by another digest": ({"signature_algorithm": "sha512_ecdsa"}, "not believed"),
    "no word on the certificate": ({"binding": None}, "does not say which certificate"),
    "a content type that is none": ({"content_type": "data"}, "content type"),
    "two message digests": ({"extra_attributes": [_SECOND_DIGEST]}, "twice"),
    "two signers": ({"signers": 2}, "exactly one signer"),
    "no signer": ({"signers": 0}, "exactly one signer"),
    "a critical extension": ({"info": {"extensions": [_EXTENSION]}}, "critical extension"),
    "an accuracy of more than a thousand milliseconds": ({"info": {"accuracy": {"millis": 1000}}}, "accuracy|DER"),
    "a negative accuracy": ({"info": {"accuracy": {"seconds": -5}}}, "accuracy|DER"),
    "another version": ({"info": {"version": "v2"}}, "version"),
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_is_refused_for(name: str, verify: Verify, signer: Certified) -> None:
    changes, reason = TOKENS[name]
    with pytest.raises(TimestampInvalid, match=reason):
        verify(forge.token(signer, **changes))


def test_a_token_that_names_another_certificate(verify: Verify, root: Certified, signer: Certified) -> None:
    other = forge.signer(root)
    for binding in ("v1", "v2"):
        with pytest.raises(TimestampInvalid, match="another certificate than it says"):
            verify(forge.token(signer, bound_to=other, binding=binding))


def test_a_certificate_of_the_same_name_and_number_is_not_taken_for_the_signer(verify: Verify, root: Certified) -> None:
    """The signer is found by issuer and number, which another authority of that name can give out too."""
    by = forge.signer(root)
    twin = forge.signer(root, key=by.key)
    token = forge.token(by, bound_to=twin)
    with pytest.raises(TimestampInvalid, match="another certificate"):
        verify(token)


def test_an_altered_signature(verify: Verify, signer: Certified) -> None:
    with pytest.raises(TimestampInvalid, match=r"signature does not hold|DER"):
        verify(_with_one_bit_more(forge.token(signer), at=-1 % len(forge.token(signer)) - 4))


def test_bytes_behind_the_token(verify: Verify, signer: Certified) -> None:
    for more in (b"\0", b"\x30\0", forge.token(signer)):
        with pytest.raises(TimestampInvalid, match="DER"):
            verify(forge.token(signer) + more)


@pytest.mark.parametrize("length", [0, 1, 2, 10, 100, 400])
def test_a_token_cut_short(verify: Verify, signer: Certified, length: int) -> None:
    with pytest.raises(TimestampInvalid):
        verify(forge.token(signer)[:length])


def test_a_megabyte_of_garbage_is_not_even_read(verify: Verify) -> None:
    with pytest.raises(TimestampInvalid, match="limit"):
        verify(random.Random(1).randbytes(1_000_000))


@pytest.mark.parametrize(
    "unit", [b"\x30\x80", b"\xa0\x80", b"\x24\x80", b"\x31\x80\x30\x80"], ids=lambda unit: unit.hex()
)
def test_endless_nesting_is_refused_soon(verify: Verify, unit: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(TimestampInvalid):
        verify(unit * (MAX_TOKEN_BYTES // len(unit)))
    assert time.monotonic() - began < 2


def test_deep_nesting_inside_what_was_signed(verify: Verify, signer: Certified) -> None:
    nested = b""
    while len(nested) < 20_000:
        nested = parser.emit(0, 1, 16, nested)
    extension = {"extn_id": "1.2.3", "critical": False, "extn_value": nested}
    assert verify(forge.token(signer, info={"extensions": [extension]})).authority == "Tester"
    attribute = {"type": "1.2.3.4.5", "values": cms.SetOfAny(contents=nested)}
    assert verify(forge.token(signer, unsigned_attributes=[attribute])).authority == "Tester"


def test_more_certificates_than_any_chain_has(verify: Verify, signer: Certified) -> None:
    crowd = [signer.der, *(forge.certified(f"no. {number}").der for number in range(16))]
    with pytest.raises(TimestampInvalid, match="more than 16 certificates"):
        verify(forge.token(signer, certificates=forge.certificate_set(*crowd)))


def test_certificates_that_are_none(verify: Verify, signer: Certified) -> None:
    for junk in (b"\x30\x03\x02\x01\x01", b"\xa1\x03\x02\x01\x01", b"\x05\x00"):
        with pytest.raises(TimestampInvalid):
            verify(forge.token(signer, certificates=forge.certificate_set(signer.der, junk)))


_CODE = ExtendedKeyUsageOID.CODE_SIGNING
_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING

SIGNERS: dict[str, tuple[dict[str, Any], str]] = {
    "for signing code": ({"purposes": (_CODE,)}, "stamping alone"),
    "for stamping and signing code": ({"purposes": (_STAMPING, _CODE)}, "stamping alone"),
    "for anything": ({"purposes": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)}, "stamping alone"),
    "with a purpose that may be ignored": ({"is_critical": False}, "not critical"),
    "without a purpose": ({"purposes": ()}, "does not say"),
    "without a key usage": ({"usage": ()}, "does not say"),
    "with a key for certificates": ({"usage": ("digital_signature", "key_cert_sign")}, "not that of a signature"),
    "with a key for data": ({"usage": ("digital_signature", "data_encipherment")}, "not that of a signature"),
    "with a key for encryption": ({"usage": ("key_encipherment",)}, "not that of a signature"),
    "with a curve of its own": ({"key": ec.generate_private_key(ec.SECP256K1())}, "too weak"),
    "with a short RSA key": ({"key": rsa.generate_private_key(65537, 1024)}, "too weak"),
}


@pytest.mark.parametrize("name", SIGNERS)
@pytest.mark.parametrize("pins", ["root", "signer"])
def test_a_signer_is_refused_that_is(name: str, pins: str, verify: Verify, root: Certified) -> None:
    changes, reason = SIGNERS[name]
    by = forge.signer(root, **changes)
    trust = read_trust(forge.trust_file((root if pins == "root" else by).pem))
    with pytest.raises(TimestampInvalid, match=reason):
        verify(forge.token(by), trust=trust)


def _code_signing_authority(root: Certified) -> Certified:
    return forge.intermediate(root, purposes=(_CODE,))


ISSUERS: dict[str, Callable[[Certified], Certified]] = {
    "no authority": lambda root: forge.intermediate(root, ca=False),
    "without basic constraints": lambda root: forge.intermediate(root, ca=None),
    "with a key not for certificates": lambda root: forge.intermediate(root, usage=("digital_signature",)),
    "for other purposes": _code_signing_authority,
    "young": lambda root: forge.intermediate(root, start=forge.NOON + timedelta(days=1)),
    "ended": lambda root: forge.intermediate(root, days=1),
    "with a short RSA key": lambda root: forge.intermediate(root, key=rsa.generate_private_key(65537, 1024)),
    "a stamper": lambda root: forge.signer(root),
}


@pytest.mark.parametrize("name", ISSUERS)
def test_an_issuer_is_refused_that_is(name: str, verify: Verify, root: Certified) -> None:
    between = ISSUERS[name](root)
    by = forge.signer(between)
    token = forge.token(by, certificates=forge.certificate_set(by.der, between.der))
    with pytest.raises(TimestampInvalid, match=r"do not hold|too weak"):
        verify(token)


def test_a_chain_longer_than_its_root_allows(verify: Verify) -> None:
    root = forge.root(path_length=0)
    between = forge.intermediate(root)
    by = forge.signer(between)
    trust = read_trust(forge.trust_file(root.pem))
    token = forge.token(by, certificates=forge.certificate_set(by.der, between.der))
    with pytest.raises(TimestampInvalid, match="do not hold"):
        verify(token, trust=trust)
    straight = forge.signer(root)
    assert verify(forge.token(straight), trust=trust).authority == "Tester"


def test_a_certificate_signed_by_an_old_digest(verify: Verify) -> None:
    """By SHA-1 it counts as not signed at all, so that nobody vouches for it."""
    root = forge.root(key=rsa.generate_private_key(65537, 2048))
    trust = read_trust(forge.trust_file(root.pem))
    good = forge.signer(root)
    assert verify(forge.token(good), trust=trust).authority == "Tester"
    assert verify(forge.token(forge.by_old_digest(good, root)), trust=trust).no_later_than is None
    with pytest.raises(TimestampInvalid, match="do not hold"):
        verify(forge.token(forge.signer(root, digest=hashes.SHA224())), trust=trust)


def test_names_alone_make_no_chain(verify: Verify, root: Certified) -> None:
    """A signer that says it was issued by the root, and was signed by an impostor of the same name."""
    by = forge.signer(forge.root())
    assert by.certificate.issuer == root.certificate.subject
    assert verify(forge.token(by)).no_later_than is None


def test_a_time_that_no_calendar_has(verify: Verify, signer: Certified) -> None:
    for found, instead in ((b"20220601120000Z", b"20221301120000Z"), (b"20220601120000Z", b"2022060112000+1")):
        with pytest.raises(TimestampInvalid):
            verify(forge.token(signer, change_content=lambda content, a=found, b=instead: content.replace(a, b)))


@pytest.mark.parametrize(("algorithm", "length"), [("sha256", 31), ("sha256", 64), ("sha1", 20), ("nonsense", 32)])
def test_no_digest_has_another_length(algorithm: str, length: int) -> None:
    with pytest.raises(ValueError, match="no digest"):
        Digest(algorithm=algorithm, value=bytes(length))


def test_what_is_not_stamped_does_not_verify_by_its_digest(verify: Verify, signer: Certified) -> None:
    """The digest of the data is data of its own: who hands it in as data asks for something else."""
    with pytest.raises(TimestampInvalid, match="imprint"):
        verify(forge.token(signer), hashlib.sha256(DATA).digest())


def test_the_errors_of_parsers_have_one_name(verify: Verify, signer: Certified) -> None:
    assert isinstance(signer.certificate, x509.Certificate)
    with pytest.raises(TimestampInvalid) as caught:
        verify(b"\x30\x00")
    assert caught.value.__cause__ is not None
