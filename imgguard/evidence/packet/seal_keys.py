"""The key that seals packets and their PDFs: the installation's own, or one that the operator was given."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from imgguard.errors import ConfigurationError, PacketInvalid
from imgguard.evidence.packet.verifying.seals import attributes_of, verify_seal, write_seal

LABEL = "imgguard installation seal, self-issued"
VALIDITY = timedelta(days=3653)
"""Ten years. Whoever pins the certificate believes it for longer, or less, as they choose."""

_LONGEST_PEM = 65_536
_LONGEST_NAME = 64  # X.520: a common name, in characters


@dataclass(frozen=True, slots=True, kw_only=True)
class SealKey:
    """A certificate for signatures, and its private key."""

    certificate: x509.Certificate = field(repr=False)
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def new(cls, installation: str, *, at: datetime) -> Self:
        """A fresh key (EC P-256) that says itself that nobody else vouches for it, valid from ``at`` on."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, LABEL),
                x509.NameAttribute(NameOID.COMMON_NAME, installation[:_LONGEST_NAME] or LABEL),
            ]
        )
        usage = dict.fromkeys(
            (
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        certificate = (
            x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at)
            .not_valid_after(at + VALIDITY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=True, content_commitment=True, **usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate=certificate, key=key)

    @classmethod
    def from_pem(cls, certificate: bytes, key: bytes) -> Self:
        """An operator's own, or what `to_pem` gave. Raises ConfigurationError unless it makes seals that verify."""
        hint = "Give one certificate and its unencrypted key in PEM, EC or RSA of 2048 bits, with key usage signature."
        try:
            if max(len(certificate), len(key)) > _LONGEST_PEM:
                raise ValueError("too long")
            found = x509.load_pem_x509_certificate(certificate)
            private = serialization.load_pem_private_key(key, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigurationError("the certificate or the key of the seal cannot be read", hint=hint) from error
        if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ConfigurationError("the key of the seal is of another kind", hint=hint)
        seal = cls(certificate=found, key=private)
        if private.public_key() != found.public_key():
            raise ConfigurationError("the key of the seal is not that of its certificate", hint=hint)
        try:
            verify_seal(seal.seal(b"", at=found.not_valid_before_utc), b"")
        except PacketInvalid as error:
            raise ConfigurationError(f"this cannot seal packets: {error.detail}", hint=hint) from error
        return seal

    def to_pem(self) -> tuple[bytes, bytes]:
        """Certificate and key; the key is not encrypted."""
        encryption = serialization.NoEncryption()
        key = self.key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        return self.certificate.public_bytes(Encoding.PEM), key

    @property
    def name(self) -> str:
        """Of the certificate's subject (RFC 4514)."""
        return self.certificate.subject.rfc4514_string()

    def seal(self, manifest: bytes, *, at: datetime) -> bytes:
        """The detached signature of ``manifest``; the same each time."""
        certificate = self.certificate.public_bytes(Encoding.DER)
        attributes = attributes_of(manifest, certificate, at)
        if isinstance(self.key, rsa.RSAPrivateKey):
            signature = self.key.sign(attributes, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = self.key.sign(attributes, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return write_seal(attributes, certificate, signature)
