"""The seal of a report: PAdES baseline B-B (ETSI EN 319 142-1), by the key that seals the packet.

The signature is appended (an incremental update), so the report within stays PDF/A byte for byte. It cannot be seen on
the page. pyHanko puts the present time and random numbers into it: a sealed report is not the same bytes each time.
"""

import io

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from imgguard.evidence.packet.seal_keys import SealKey

FIELD = "Seal"
_LONGEST_SIGNATURE = 1024  # bytes: RSA with 8192 bits


def seal_pdf(pdf: bytes, *, seal: SealKey, reason: str) -> bytes:
    """``pdf`` with a seal; ``reason`` is what readers show with it."""
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason, name=seal.name
    )
    output = io.BytesIO()
    signers.sign_pdf(_Writer(io.BytesIO(pdf)), metadata, _Signer(seal), output=output, bytes_reserved=16_384)
    return output.getvalue()


class _Writer(IncrementalPdfFileWriter):
    """Leaves the version alone: signatures on NIST curves would make it 2.0, and PDF/A-3 is 1.7 (ISO 19005-3)."""

    def ensure_output_version(self, version: tuple[int, int]) -> None:
        super().ensure_output_version(min(version, (1, 7)))  # type: ignore[no-untyped-call]


class _Signer(signers.Signer):
    """Signs with a `SealKey`, as pyHanko asks."""

    def __init__(self, seal: SealKey) -> None:
        self._seal = seal
        super().__init__(
            signing_cert=asn1_x509.Certificate.load(seal.certificate.public_bytes(Encoding.DER)),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
        )

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if dry_run:
            return bytes(_LONGEST_SIGNATURE)
        assert digest_algorithm == "sha256"
        key = self._seal.key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
