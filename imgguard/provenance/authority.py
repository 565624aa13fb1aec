"""A timestamp authority of our own, for the demo and for tests.

It answers as RFC 3161 asks, and proves nothing to outsiders: whoever runs it can stamp any time. So its certificates,
which every token carries, say `SELF-ISSUED, NOT INDEPENDENT`, and no trust file should class it otherwise.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from imgguard.errors import ConfigurationError
from imgguard.provenance.timestamp_tokens import DIGEST_BYTES, MAX_TOKEN_BYTES

LABEL = "SELF-ISSUED, NOT INDEPENDENT"
POLICY = "1.3.6.1.4.1.32473.3161.1"
"""In the arc that RFC 5612 sets aside for examples: it belongs to nobody, as this policy promises nothing."""
VALIDITY = timedelta(days=3650)
ACCURACY_SECONDS = 1
"""``gen_time`` is cut to the second."""

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
_SIGNS = {"digital_signature": True}
_ISSUES = {"key_cert_sign": True, "crl_sign": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedAuthority:
    """The signer with its key, and the root, which is what a trust file pins. The root's key is not kept."""

    root: x509.Certificate
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def new(cls, *, at: datetime) -> Self:
        """With fresh keys (EC P-256), valid from ``at`` on for `VALIDITY`."""
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_name, name = _name("imgguard demo root"), _name("imgguard demo timestamp authority")
        root = (
            _certificate(root_name, root_name, root_key.public_key(), root_key.public_key(), at)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(_ISSUES), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        certificate = (
            _certificate(name, root_name, key.public_key(), root_key.public_key(), at)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(_SIGNS), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        return cls(root=root, certificate=certificate, key=key)

    @classmethod
    def from_pem(cls, data: bytes) -> Self:
        """What `to_pem` gave. Raises ConfigurationError."""
        try:
            certificate, root = x509.load_pem_x509_certificates(data)
            key = serialization.load_pem_private_key(data, password=None)
        except (ValueError, TypeError) as error:
            raise ConfigurationError("the embedded timestamp authority's file cannot be read") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise ConfigurationError("the embedded timestamp authority's key is not that of its certificate")
        return cls(root=root, certificate=certificate, key=key)

    def to_pem(self) -> bytes:
        """Key, certificate and root; the key is not encrypted."""
        key = self.key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return key + self.certificate.public_bytes(Encoding.PEM) + self.root.public_bytes(Encoding.PEM)

    def issue(self, request: bytes, *, at: datetime) -> bytes:
        """The response to ``request``, a rejection if it asks for what is not done here; the same each time."""
        if len(request) > MAX_TOKEN_BYTES:
            return _rejection("bad_data_format")
        try:
            asked = tsp.TimeStampReq.load(request, strict=True)
            imprint = asked["message_imprint"]
            length = DIGEST_BYTES.get(imprint["hash_algorithm"]["algorithm"].native)
            policy, extensions = asked["req_policy"].native, asked["extensions"].native
            is_whole = asked["version"].native == "v1" and len(imprint["hashed_message"].native) == length
            nonce, with_certificate = asked["nonce"].native, asked["cert_req"].native
        except (ValueError, TypeError, LookupError, RecursionError):
            return _rejection("bad_data_format")
        if length is None:
            return _rejection("bad_alg")
        if not is_whole:
            return _rejection("bad_data_format")
        if policy not in (None, POLICY):
            return _rejection("unaccepted_policy")
        if extensions:
            return _rejection("unaccepted_extensions")
        moment = at.replace(microsecond=0)
        info = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": imprint,
            "serial_number": int.from_bytes(hashlib.sha256(moment.isoformat().encode() + request).digest()[:15]),
            "gen_time": moment,
            "accuracy": {"seconds": ACCURACY_SECONDS},
        }
        if nonce is not None:
            info["nonce"] = nonce
        return self._granted(tsp.TSTInfo(info).dump(), moment, with_certificate=with_certificate)

    def _granted(self, content: bytes, at: datetime, *, with_certificate: bool) -> bytes:
        certificate = asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("signing_time", cms.Time({"utc_time": at})),
                _attribute("message_digest", hashlib.sha256(content).digest()),
                _attribute("signing_certificate_v2", {"certs": [{"cert_hash": certificate.sha256}]}),
            ]
        )
        signature = self.key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        identifier = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        signed = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(content)},
            "signer_infos": [
                {
                    "version": "v1",
                    "sid": cms.SignerIdentifier({"issuer_and_serial_number": identifier}),
                    "digest_algorithm": {"algorithm": "sha256"},
                    "signed_attrs": attributes,
                    "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                    "signature": signature,
                }
            ],
        }
        if with_certificate:
            signed["certificates"] = [cms.CertificateChoices({"certificate": certificate})]
        token = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})
        return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())


def _rejection(failure: str) -> bytes:
    status = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {failure}}).dump()
    return b"\x30" + bytes([len(status)]) + bytes(status)  # asn1crypto knows no response without a token


def _attribute(name: str, value: object) -> Mapping[str, Any]:
    return {"type": name, "values": [value]}


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, LABEL),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{common_name} ({LABEL})"),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    at: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(wanted: Mapping[str, bool]) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in _KEY_USAGES})
