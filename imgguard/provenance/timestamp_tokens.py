"""Timestamp tokens (RFC 3161) read into plain values: what a token says, before anybody asks whether it is true.

Tokens come from strangers. They are DER, strictly, as rfc3161-client's decoder sees it; asn1crypto reads them after
that. One departure is mended: a set of certificates that is not sorted, as `openssl ts` with `certs` writes it.
Certificates are not covered by the signature, so that sorting them changes nothing that was signed.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import decode_timestamp_response

from imgguard.errors import ImgguardError, TimestampInvalid

MAX_TOKEN_BYTES = 65_536
"""Tokens in use have 1 to 8 kB; one with a chain of 4096-bit RSA certificates has some 10."""
MOST_CERTIFICATES = 16
DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}
"""The imprints and digests that are believed; SHA-1 and MD5 are not (RFC 8933, section 3; NIST SP 800-131A)."""

_GEN_TIME = re.compile(rb"(\d{14})(?:\.(\d{0,8}[1-9]))?Z")
"""RFC 3161, section 2.4.2: in seconds, UTC, with a fraction only if it is not zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Of the bytes that are stamped: ``algorithm`` is a key of `DIGEST_BYTES`. Raises ValueError for another length."""

    algorithm: str
    value: bytes

    def __post_init__(self) -> None:
        if DIGEST_BYTES.get(self.algorithm) != len(self.value):
            raise ValueError(f"{len(self.value)} bytes are no digest by {self.algorithm}")

    @classmethod
    def of(cls, data: bytes, *, algorithm: str = "sha256") -> Self:
        return cls(algorithm=algorithm, value=hashlib.new(algorithm, data).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampToken:
    """What a token says of itself. ``gen_time`` is the authority's clock, within ``accuracy`` where it gives one.

    ``authority`` is the subject of the signer's certificate (RFC 4514); ``certificates_sha256`` are all embedded ones,
    in hexadecimal.
    """

    gen_time: datetime
    accuracy: timedelta | None
    serial: int
    policy: str
    imprint: Digest
    nonce: int | None
    authority: str
    signer_sha256: str
    certificates_sha256: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The signed attribute signing-certificate: the digest that the signer's certificate must have."""

    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedToken:
    """A token taken apart, with what is needed to verify it. ``der`` has its certificates sorted."""

    facts: TimestampToken
    der: bytes = field(repr=False)
    content: bytes = field(repr=False)
    content_type: str
    message_digest: bytes
    bindings: tuple[Binding, ...]
    signed_attributes: bytes = field(repr=False)
    digest_algorithm: str
    signature_algorithm: str
    signature: bytes = field(repr=False)
    signer: x509.Certificate
    others: tuple[x509.Certificate, ...]


def read_token(data: bytes, *, certificates: Sequence[x509.Certificate] = ()) -> SignedToken:
    """``certificates`` are those that the token may lack, its signer's among them. Raises TimestampInvalid."""
    if len(data) > MAX_TOKEN_BYTES:
        raise TimestampInvalid(f"the token has more than {MAX_TOKEN_BYTES} bytes, the limit")
    with reading("token"):
        der = _strictly_encoded(data)
        signed = cms.ContentInfo.load(der, strict=True)["content"]
        return _signed_token(der, signed, certificates)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """The many errors of parsers become one. Raises TimestampInvalid."""
    try:
        yield
    except ImgguardError:
        raise
    except Exception as error:  # of several parsers, each with errors of its own
        raise TimestampInvalid(f"the {what} is not one of RFC 3161 in proper DER") from error
    except BaseException as error:  # what Rust calls a panic is none of Exception
        if type(error).__name__ != "PanicException":
            raise
        raise TimestampInvalid(f"the {what} cannot be decoded") from error


def wrapped(token: bytes) -> bytes:
    """The token as the response that brings it, with the status granted."""
    return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": _content_info(token)}).dump())


def _content_info(token: bytes) -> Any:
    content_info = cms.ContentInfo.load(token, strict=True)
    if content_info["content_type"].native != "signed_data":
        raise TimestampInvalid("the token is no signed data")
    return content_info


def _strictly_encoded(token: bytes) -> bytes:
    try:
        decode_timestamp_response(wrapped(token))
    except ValueError:
        content_info = _content_info(token)
        elements = sorted(choice.dump() for choice in content_info["content"]["certificates"])
        content_info["content"]["certificates"] = cms.CertificateSet(contents=b"".join(elements))
        token = content_info.dump()
        decode_timestamp_response(wrapped(token))
    return token


def _signed_token(der: bytes, signed: Any, certificates: Sequence[x509.Certificate]) -> SignedToken:
    if signed["version"].native != "v3" or len(signed["signer_infos"]) != 1:
        raise TimestampInvalid("the token has not exactly one signer")
    signer_info = signed["signer_infos"][0]
    algorithm = _only(signed["digest_algorithms"])["algorithm"].native
    if signer_info["version"].native != "v1" or signer_info["digest_algorithm"]["algorithm"].native != algorithm:
        raise TimestampInvalid("the signer's version or digest is not that of the token")
    embedded = _embedded(signed["certificates"])
    signer = _signer(signer_info["sid"].chosen, [*embedded, *certificates])
    attributes = _attributes(signer_info["signed_attrs"])
    content = bytes(signed["encap_content_info"]["content"])
    return SignedToken(
        facts=_facts(content, signer, embedded),
        der=der,
        content=content,
        content_type=signed["encap_content_info"]["content_type"].native,
        message_digest=attributes["message_digest"].native,
        bindings=tuple(_bindings(attributes)),
        signed_attributes=signer_info["signed_attrs"].untag().dump(),
        digest_algorithm=algorithm,
        signature_algorithm=signer_info["signature_algorithm"]["algorithm"].native,
        signature=signer_info["signature"].native,
        signer=signer,
        others=tuple(other for other in [*embedded, *certificates] if other != signer),
    )


def _only(values: Any) -> Any:
    if len(values) != 1:
        raise TimestampInvalid("the token has none or several of what there must be one of")
    return values[0]


def _embedded(choices: Any) -> list[x509.Certificate]:
    found = [] if not choices else list(choices)
    if len(found) > MOST_CERTIFICATES:
        raise TimestampInvalid(f"the token has more than {MOST_CERTIFICATES} certificates, the limit")
    if any(choice.name != "certificate" for choice in found):
        raise TimestampInvalid("the token has certificates of an old or foreign kind")
    return [x509.load_der_x509_certificate(choice.chosen.dump()) for choice in found]


def _signer(identifier: Any, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    issuer, serial = identifier["issuer"].dump(), identifier["serial_number"].native
    for certificate in certificates:
        if certificate.serial_number == serial and certificate.issuer.public_bytes() == issuer:
            return certificate
    raise TimestampInvalid("the certificate of the token's signer is not at hand")


def _attributes(signed_attributes: Any) -> dict[str, Any]:
    """The one value of each. Raises TimestampInvalid when one is there twice, or has several values."""
    found: dict[str, Any] = {}
    for attribute in signed_attributes:
        name = attribute["type"].native
        if name in found:
            raise TimestampInvalid(f"the token has the signed attribute {name} twice")
        found[name] = _only(attribute["values"])
    if found["content_type"].native != "tst_info":
        raise TimestampInvalid("the signed content type is not that of a timestamp")
    return found


def _bindings(attributes: dict[str, Any]) -> Iterator[Binding]:
    """RFC 2634, section 5.4, and RFC 5035, section 3: the first certificate that an attribute names is the signer's."""
    if "signing_certificate" in attributes:
        yield Binding(algorithm="sha1", value=attributes["signing_certificate"]["certs"][0]["cert_hash"].native)
    if "signing_certificate_v2" in attributes:
        first = attributes["signing_certificate_v2"]["certs"][0]
        yield Binding(algorithm=first["hash_algorithm"]["algorithm"].native, value=first["cert_hash"].native)


def _facts(content: bytes, signer: x509.Certificate, embedded: Sequence[x509.Certificate]) -> TimestampToken:
    info = tsp.TSTInfo.load(content, strict=True)
    algorithm = info["message_imprint"]["hash_algorithm"]["algorithm"].native
    if info["version"].native != "v1" or algorithm not in DIGEST_BYTES:
        raise TimestampInvalid(f"imprints by {algorithm} are not believed, or the version is unknown")
    if any(extension["critical"].native for extension in info["extensions"] or ()):
        raise TimestampInvalid("the token has a critical extension, and none is known")
    return TimestampToken(
        gen_time=_gen_time(info["gen_time"].contents),
        accuracy=_accuracy(info["accuracy"].native),
        serial=info["serial_number"].native,
        policy=info["policy"].dotted,
        imprint=Digest(algorithm=algorithm, value=info["message_imprint"]["hashed_message"].native),
        nonce=info["nonce"].native,
        authority=signer.subject.rfc4514_string(),
        signer_sha256=certificate_sha256(signer),
        certificates_sha256=tuple(certificate_sha256(certificate) for certificate in embedded),
    )


def certificate_sha256(certificate: x509.Certificate) -> str:
    """Of its DER, in hexadecimal."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _gen_time(contents: bytes) -> datetime:
    match = _GEN_TIME.fullmatch(contents)
    if match is None:
        raise TimestampInvalid("the token's time is not in UTC to the second")
    whole = datetime.strptime(match[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return whole + timedelta(microseconds=int((match[2] or b"").ljust(6, b"0")[:6]))


def _accuracy(parts: dict[str, int | None] | None) -> timedelta | None:
    if parts is None:
        return None
    seconds, millis, micros = (parts[name] or 0 for name in ("seconds", "millis", "micros"))
    if seconds < 0 or not 0 <= millis <= 999 or not 0 <= micros <= 999:
        raise TimestampInvalid("the token's accuracy is no time")
    return timedelta(seconds=seconds, milliseconds=millis, microseconds=micros)
