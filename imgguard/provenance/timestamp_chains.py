"""Whether a signer's certificate was good at one moment, the token's own time, and whose certificate it leads to.

Path building and validation (RFC 5280, section 6) are those of cryptography: validity, path length, name constraints,
critical extensions, and signatures, by SHA-256, SHA-384 or SHA-512 only. Stated here is what a timestamp asks beyond.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy

from imgguard.errors import TimestampInvalid
from imgguard.provenance.timestamp_tokens import reading

SHORTEST_RSA = 2048
LONGEST_RSA = 8192
"""Bits. Longer keys cost whoever verifies time, and are in no use."""
CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
MOST_INTERMEDIATES = 6


def check_signer(signer: x509.Certificate) -> None:
    """RFC 3161, section 2.3: made for stamping, marked critical, and for nothing else. Raises TimestampInvalid."""
    with reading("signer's certificate"):
        extensions = signer.extensions
    try:
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise TimestampInvalid("the signer's certificate does not say what its key is for") from error
    if not purposes.critical:
        raise TimestampInvalid("the extended key usage of the signer's certificate is not critical")
    if list(purposes.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TimestampInvalid("the signer's certificate is not for stamping alone")
    signs = usage.digital_signature or usage.content_commitment
    enciphers = usage.key_encipherment or usage.data_encipherment or usage.key_agreement
    if not signs or enciphers or usage.key_cert_sign or usage.crl_sign:
        raise TimestampInvalid("the key usage of the signer's certificate is not that of a signature")
    check_key(signer)


def check_key(certificate: x509.Certificate) -> None:
    """Raises TimestampInvalid unless its key is RSA of 2048 bits or more, or EC on one of `CURVES`."""
    with reading("certificate's key"):
        key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and SHORTEST_RSA <= key.key_size <= LONGEST_RSA:
        return
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES:
        return
    raise TimestampInvalid("a certificate has a key that is too weak, too long or of an unknown kind")


def leads_to(
    signer: x509.Certificate, others: Sequence[x509.Certificate], anchors: Iterable[x509.Certificate]
) -> set[x509.Certificate]:
    """The ``anchors`` whose keys stand behind ``signer``, whatever the dates; itself, if it is one."""
    reached = _reached(signer, [*others, *anchors])
    return {anchor for anchor in anchors if anchor in reached}


def ends(signer: x509.Certificate, others: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """How far the signer's chain goes with ``others`` alone: those that nobody else among them has issued."""
    reached = _reached(signer, others)
    return [one for one in reached if not any(_issued(one, other) for other in reached if other != one)]


def _reached(signer: x509.Certificate, candidates: Sequence[x509.Certificate]) -> set[x509.Certificate]:
    reached, waiting = {signer}, [signer]
    while waiting:
        one = waiting.pop()
        issuers = {candidate for candidate in candidates if candidate not in reached and _issued(one, candidate)}
        reached |= issuers
        waiting += issuers
    return reached


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    with suppress(ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        certificate.verify_directly_issued_by(issuer)
        return True
    return False


def chain_at(
    moment: datetime, signer: x509.Certificate, others: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """From ``signer`` to one of ``anchors``, all of them good at ``moment``. Raises TimestampInvalid."""
    anything = ExtensionPolicy.permit_all()  # of the signer: `check_signer` has looked
    builder = verification.PolicyBuilder().store(verification.Store(list(anchors))).time(moment)
    builder = builder.max_chain_depth(MOST_INTERMEDIATES).extension_policies(ca_policy=_ISSUERS, ee_policy=anything)
    with reading("chain of certificates"):
        try:
            chain = tuple(builder.build_client_verifier().verify(signer, list(others)).chain)
        except verification.VerificationError as error:
            at = f"{moment:%Y-%m-%d %H:%M:%S}Z"
            raise TimestampInvalid(f"the certificates do not hold at the token's time, {at}") from error
    for certificate in chain:
        check_key(certificate)
    return chain


def _may_sign_certificates(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("a key that may not sign certificates has signed one")


def _may_lead_to_stamping(_: Policy, __: x509.Certificate, purposes: x509.ExtendedKeyUsage | None) -> None:
    allowed = (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if purposes is not None and not any(purpose in allowed for purpose in purposes):
        raise ValueError("an authority for other purposes has issued a certificate for stamping")


_ISSUERS = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)  # that they say CA is asked in any case
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_certificates)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _may_lead_to_stamping)
)
