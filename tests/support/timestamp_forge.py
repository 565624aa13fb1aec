"""Timestamp authorities good and bad, made at run time: every token that a verifier has to tell apart.

Built without `imgguard.provenance.authority`, so that the verifier is not held against its own twin.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

START = datetime(2020, 1, 1, tzinfo=UTC)
NOON = datetime(2022, 6, 1, 12, tzinfo=UTC)
DATA = b"the exact bytes of a checkpoint\n"
CODE = ExtendedKeyUsageOID.CODE_SIGNING
STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)

type Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Certified:
    certificate: x509.Certificate
    key: Key = field(repr=False)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def certified(
    name: str,
    issuer: Certified | None = None,
    *,
    start: datetime = START,
    days: int = 3650,
    ca: bool | None = None,
    path_length: int | None = None,
    usage: Sequence[str] = ("digital_signature",),
    purposes: Sequence[x509.ObjectIdentifier] = (),
    is_critical: bool = True,
    key: Key | None = None,
    digest: hashes.HashAlgorithm | None = None,
) -> Certified:
    """A certificate with its key; one without ``issuer`` is its own. ``ca`` None leaves out the basic constraints."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
    if usage:
        wanted = x509.KeyUsage(**{one: one in usage for one in _KEY_USAGES})
        builder = builder.add_extension(wanted, critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=is_critical)
    certificate = builder.sign(key if issuer is None else issuer.key, digest or hashes.SHA256())
    return Certified(certificate, key)


def by_old_digest(one: Certified, issuer: Certified) -> Certified:
    """The certificate of ``one``, signed anew by SHA-1 with the ``issuer``'s RSA key; cryptography refuses to."""
    parsed = asn1_x509.Certificate.load(one.der)
    algorithm = {"algorithm": "sha1_rsa"}
    parsed["tbs_certificate"]["signature"] = algorithm
    signed = parsed["tbs_certificate"].dump()
    assert isinstance(issuer.key, rsa.RSAPrivateKey)
    signature = issuer.key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    parsed = asn1_x509.Certificate(
        {"tbs_certificate": parsed["tbs_certificate"], "signature_algorithm": algorithm, "signature_value": signature}
    )
    return Certified(x509.load_der_x509_certificate(parsed.dump()), one.key)


def root(name: str = "Root", **changes: Any) -> Certified:
    return certified(name, **{"ca": True, "usage": ("key_cert_sign",), **changes})


def intermediate(issuer: Certified, **changes: Any) -> Certified:
    return certified("Between", issuer, **{"ca": True, "usage": ("key_cert_sign",), **changes})


def signer(issuer: Certified, **changes: Any) -> Certified:
    return certified("Stamper", issuer, **{"purposes": STAMPING, **changes})


def certificate_set(*ders: bytes, is_sorted: bool = True) -> cms.CertificateSet:
    ordered = sorted(ders) if is_sorted else sorted(ders, reverse=True)
    return cms.CertificateSet(contents=b"".join(ordered))


def token(
    by: Certified,
    data: bytes = DATA,
    *,
    at: datetime = NOON,
    imprint: str = "sha256",
    imprinted: bytes | None = None,
    info: dict[str, Any] | None = None,
    change_content: Callable[[bytes], bytes] | None = None,
    digest: str = "sha256",
    signature_algorithm: str | None = None,
    content_type: str = "tst_info",
    bound_to: Certified | None = None,
    binding: str | None = "v2",
    extra_attributes: Sequence[dict[str, Any]] = (),
    certificates: cms.CertificateSet | None = None,
    signers: int = 1,
    unsigned_attributes: Sequence[dict[str, Any]] = (),
) -> bytes:
    """A token that ``by`` signs; what is not told is as it should be. ``change_content`` works after signing."""
    value = hashlib.new(imprint, data).digest() if imprinted is None else imprinted
    content = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4",
            "message_imprint": {"hash_algorithm": {"algorithm": imprint}, "hashed_message": value},
            "serial_number": 7,
            "gen_time": at,
            **(info or {}),
        }
    ).dump()
    own = asn1_x509.Certificate.load(by.der)
    named = (bound_to or by).der
    attributes = [
        {"type": "content_type", "values": [content_type]},
        {"type": "message_digest", "values": [hashlib.new(digest, content).digest()]},
        *extra_attributes,
    ]
    if binding == "v1":
        certs: dict[str, Any] = {"certs": [{"cert_hash": hashlib.sha1(named).digest()}]}
        attributes.append({"type": "signing_certificate", "values": [certs]})
    elif binding == "v2":
        certs = {"certs": [{"cert_hash": hashlib.sha256(named).digest()}]}
        attributes.append({"type": "signing_certificate_v2", "values": [certs]})
    signed_attributes = cms.CMSAttributes(attributes)
    algorithm = getattr(hashes, digest.upper())()
    if isinstance(by.key, rsa.RSAPrivateKey):
        signature = by.key.sign(signed_attributes.dump(), padding.PKCS1v15(), algorithm)
    else:
        signature = by.key.sign(signed_attributes.dump(), ec.ECDSA(algorithm))
    kind = "rsa" if isinstance(by.key, rsa.RSAPrivateKey) else "ecdsa"
    identifier = {"issuer": own.issuer, "serial_number": own.serial_number}
    signer_info: dict[str, Any] = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": identifier}),
        "digest_algorithm": {"algorithm": digest},
        "signed_attrs": signed_attributes,
        "signature_algorithm": {"algorithm": signature_algorithm or f"{digest}_{kind}"},
        "signature": signature,
    }
    if unsigned_attributes:
        signer_info["unsigned_attrs"] = list(unsigned_attributes)
    shown = content if change_content is None else change_content(content)
    signed = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": digest}],
        "encap_content_info": {"content_type": content_type, "content": cms.ParsableOctetString(shown)},
        "certificates": certificate_set(by.der) if certificates is None else certificates,
        "signer_infos": [signer_info] * signers,
    }
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)}).dump()


def trust_file(certificate: str, *, trust_class: str = "independent", more: str = "") -> str:
    return f'[[authority]]\nname = "Tester"\nclass = "{trust_class}"\ncertificate = """\n{certificate}"""\n{more}\n'
