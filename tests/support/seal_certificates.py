"""Certificates with which an operator could want to seal: good ones, and such as must be refused."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from imgguard.evidence.packet.seal_keys import SealKey

START = datetime(2026, 1, 1, tzinfo=UTC)
_OTHERS = ("key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only")


def certified(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *,
    signs: bool = True,
    issues: bool = False,
    has_usage: bool = True,
) -> SealKey:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example Operator")])
    builder = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(77)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=365))
    )
    if has_usage:
        usage = x509.KeyUsage(
            digital_signature=signs, content_commitment=signs, key_cert_sign=issues, **dict.fromkeys(_OTHERS, False)
        )
        builder = builder.add_extension(usage, critical=True)
    return SealKey(certificate=builder.sign(key, hashes.SHA256()), key=key)
