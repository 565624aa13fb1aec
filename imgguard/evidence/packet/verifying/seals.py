"""`META-INF/signature.p7s`: a detached signature of the manifest (CMS, RFC 5652; CAdES B-B, ETSI EN 319 122-1).

SHA-256; ECDSA on a NIST curve or RSA (PKCS #1 v1.5) of 2048 bits or more; one signer, whose certificate is enclosed and
named by a signed attribute. The file has one spelling: parts that the signature does not cover follow from the others.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from imgguard.errors import PacketInvalid
from imgguard.evidence.packet.verifying.layout import MANIFEST, SEAL

LONGEST_SEAL = 32_768
SHORTEST_RSA, LONGEST_RSA = 2048, 8192
CURVES = frozenset(("secp256r1", "secp384r1", "secp521r1"))

_EC, _RSA = "sha256_ecdsa", "sha256_rsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A seal that holds. ``signed_at`` is what whoever sealed says."""

    certificate: x509.Certificate = field(repr=False)
    signed_at: datetime

    @property
    def sha256(self) -> str:
        """Of the certificate, in hexadecimal."""
        return hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).hexdigest()

    @property
    def name(self) -> str:
        """Of the certificate's subject (RFC 4514): anybody can make a certificate of any name."""
        return self.certificate.subject.rfc4514_string()


def attributes_of(manifest: bytes, certificate: bytes, signed_at: datetime) -> bytes:
    """What is signed, in DER: the digest of ``manifest``, the time to the second, and which ``certificate`` (DER)."""
    moment = signed_at.astimezone(UTC).replace(microsecond=0)
    named = hashlib.sha256(certificate).digest()
    values = [
        ("content_type", "data"),
        ("signing_time", cms.Time({"utc_time": moment})),
        ("message_digest", hashlib.sha256(manifest).digest()),
        ("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [{"cert_hash": named}]})),
    ]
    return bytes(cms.CMSAttributes([{"type": kind, "values": [value]} for kind, value in values]).dump())


def write_seal(attributes: bytes, certificate: bytes, signature: bytes) -> bytes:
    """The file, of what `attributes_of` gave, the signer's certificate (DER) and the signature of the attributes."""
    parsed = asn1_x509.Certificate.load(certificate)
    identifier = {"issuer": parsed.issuer, "serial_number": parsed.serial_number}
    algorithm = _EC if parsed.public_key.algorithm == "ec" else _RSA
    signed = {
        "version": "v1",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "data"},
        "certificates": [cms.CertificateChoices({"certificate": parsed})],
        "signer_infos": [
            {
                "version": "v1",
                "sid": cms.SignerIdentifier({"issuer_and_serial_number": identifier}),
                "digest_algorithm": {"algorithm": "sha256"},
                "signed_attrs": cms.CMSAttributes.load(attributes),
                "signature_algorithm": {"algorithm": algorithm},
                "signature": signature,
            }
        ],
    }
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)}).dump())


def verify_seal(data: bytes, manifest: bytes) -> Seal:
    """Who has sealed ``manifest``, by the certificate that ``data`` brings along: whether to believe it is not said.

    1  it is a CMS signature with one certificate and one signer
    2  the certificate is for signatures, and its key is strong
    3  the signed attributes are of this manifest and this certificate, and are those of `attributes_of`
    4  the signature is right
    5  the file is what `write_seal` writes

    Raises PacketInvalid.
    """
    # 1
    certificate_der, signed_at, signature = _parts(data)
    # 2
    certificate = _certificate(certificate_der)
    # 3
    attributes = attributes_of(manifest, certificate_der, signed_at)
    # 4
    _check_signature(certificate, signature, attributes)
    # 5
    if write_seal(attributes, certificate_der, signature) != data:
        raise _invalid("the seal is not as it is written")
    return Seal(certificate=certificate, signed_at=signed_at)


def _parts(data: bytes) -> tuple[bytes, datetime, bytes]:
    try:
        signed: Any = cms.ContentInfo.load(data, strict=True)["content"]
        (choice,), (signer,) = signed["certificates"], signed["signer_infos"]
        times = [one["values"][0].native for one in signer["signed_attrs"] if one["type"].native == "signing_time"]
        signed_at, signature = times[0], signer["signature"].native
        certificate = choice.chosen.dump()
    except Exception as error:  # asn1crypto raises of many kinds for what is no CMS
        raise _invalid("this is no seal") from error
    if not isinstance(signed_at, datetime) or not isinstance(signature, bytes) or not 1950 <= signed_at.year < 2050:
        raise _invalid("this is no seal")
    return certificate, signed_at, signature


def _certificate(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except Exception as error:  # so does cryptography
        raise _invalid("the certificate of the seal cannot be read, or does not say what it is for") from error
    if not (usage.digital_signature or usage.content_commitment) or usage.key_cert_sign:
        raise _invalid("the certificate of the seal is not for signatures")
    is_strong = (isinstance(key, rsa.RSAPublicKey) and SHORTEST_RSA <= key.key_size <= LONGEST_RSA) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES
    )
    if not is_strong:
        raise _invalid("the key of the seal is too weak, too long or of an unknown kind")
    return certificate


def _check_signature(certificate: x509.Certificate, signature: bytes, attributes: bytes) -> None:
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, attributes, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, attributes, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        detail = "the seal is not of this manifest, or one of them was altered"
        raise PacketInvalid(detail, reason="seal_wrong", file=MANIFEST) from error


def _invalid(detail: str) -> PacketInvalid:
    return PacketInvalid(detail, reason="seal_malformed", file=SEAL)
