"""Verification of timestamp tokens (RFC 3161) at the token's own time.

A token proves that some bytes existed no later than a time, if one believes the authority; not who made them, nor that
nobody had them before.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import rfc3161_client
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from imgguard.errors import TimestampInvalid
from imgguard.provenance.timestamp_chains import chain_at, check_signer, ends, leads_to
from imgguard.provenance.timestamp_requests import read_response, request_for
from imgguard.provenance.timestamp_tokens import (
    DIGEST_BYTES,
    MAX_TOKEN_BYTES,
    Digest,
    SignedToken,
    TimestampToken,
    certificate_sha256,
    read_token,
    reading,
    wrapped,
)
from imgguard.provenance.trust import Trust, TrustClass, TrustedAuthority

__all__ = [
    "MAX_TOKEN_BYTES",
    "Digest",
    "TimestampToken",
    "VerifiedTimestamp",
    "read_response",
    "request_for",
    "verify_timestamp",
]

_DER = Encoding.DER
_HASHES: Final[dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
_SIGNATURES: Final = {
    "rsassa_pkcs1v15": (rsa.RSAPublicKey, None),
    "sha256_rsa": (rsa.RSAPublicKey, "sha256"),
    "sha384_rsa": (rsa.RSAPublicKey, "sha384"),
    "sha512_rsa": (rsa.RSAPublicKey, "sha512"),
    "sha256_ecdsa": (ec.EllipticCurvePublicKey, "sha256"),
    "sha384_ecdsa": (ec.EllipticCurvePublicKey, "sha384"),
    "sha512_ecdsa": (ec.EllipticCurvePublicKey, "sha512"),
}
"""By the names of asn1crypto: the kind of key, and the digest where the name says it. RSA is PKCS #1 v1.5: OpenSSL,
which has to agree, verifies no PSS in tokens."""
_BINDINGS = frozenset({"sha1", *DIGEST_BYTES})
"""SHA-1 only here, where RFC 3161 asked for it until RFC 5816: another certificate with the same SHA-1 would have to
hold the same key too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedTimestamp:
    """A token that holds, and how far its authority is believed.

    ``authority`` is the trust file's name for it, None when unknown. ``chain_sha256`` goes from the signer to the
    anchor, in hexadecimal.
    """

    token: TimestampToken
    trust_class: TrustClass
    authority: str | None
    chain_sha256: tuple[str, ...]

    @property
    def no_later_than(self) -> datetime | None:
        """By when the stamped bytes existed, the clock's accuracy granted; None when the authority is unknown."""
        if self.trust_class is TrustClass.UNKNOWN:
            return None
        return self.token.gen_time + (self.token.accuracy or timedelta())


def verify_timestamp(
    token: bytes, stamped: bytes | Digest, *, trust: Trust, certificates: Sequence[x509.Certificate] = ()
) -> VerifiedTimestamp:
    """What ``token`` proves of ``stamped``, which is the data itself or a `Digest` of it. Raises TimestampInvalid.

    1. The token is strict DER within its limits: signed data with one signer, whose certificate is at hand, among those
       embedded or the further ``certificates``, which are believed no more than those.
    2. It is a timestamp: the content type is TSTInfo.
    3. The imprint is that of ``stamped``, by SHA-256, SHA-384 or SHA-512.
    4. The signed attributes have the digest of the content, and name the very certificate of the signer.
    5. The signature is that of the signer's key over these attributes.
    6. The signer's certificate is for stamping alone, and says so critically; its key is for signatures, and strong.
    7. It leads to an anchor of the trust file by certificates that were all good at the token's time, not now: a
       back-dated token of a young certificate is refused, and one whose certificate has expired since is not. Without
       such an anchor its own chain has to hold at that time all the same, and its class is unknown.
    8. The trust file believes that authority at that time.
    9. Where the anchor is a root, OpenSSL agrees, by way of rfc3161-client.

    Not looked at is whether a certificate was revoked: whoever learns of that ends the window in the trust file.
    """
    # 1.
    signed = read_token(token, certificates=certificates)
    # 2.
    if signed.content_type != "tst_info":
        raise TimestampInvalid("what is signed is no timestamp")
    # 3.
    _check_imprint(signed.facts.imprint, stamped)
    # 4.
    _check_attributes(signed)
    # 5.
    _check_signature(signed)
    # 6.
    check_signer(signed.signer)
    # 7.
    chain, authority = _chain(signed, trust)
    # 8.
    if authority is not None and not authority.is_believed_at(signed.facts.gen_time):
        raise TimestampInvalid(f"the trust file does not believe {authority.name} at the token's time")
    # 9.
    if authority is not None and chain[-1].issuer == chain[-1].subject:
        _check_again(signed, chain)
    return VerifiedTimestamp(
        token=signed.facts,
        trust_class=TrustClass.UNKNOWN if authority is None else authority.trust_class,
        authority=None if authority is None else authority.name,
        chain_sha256=tuple(certificate_sha256(certificate) for certificate in chain),
    )


def _check_imprint(imprint: Digest, stamped: bytes | Digest) -> None:
    wanted = stamped if isinstance(stamped, Digest) else Digest.of(stamped, algorithm=imprint.algorithm)
    if wanted != imprint:
        raise TimestampInvalid("the token is for other data: its imprint differs")


def _check_attributes(signed: SignedToken) -> None:
    if signed.digest_algorithm not in _HASHES:
        raise TimestampInvalid("the token is signed by a digest that is not believed")
    if hashlib.new(signed.digest_algorithm, signed.content).digest() != signed.message_digest:
        raise TimestampInvalid("the token was altered: its content has another digest than was signed")
    if not signed.bindings:
        raise TimestampInvalid("the token does not say which certificate it is signed with")
    for binding in signed.bindings:
        if binding.algorithm not in _BINDINGS:
            raise TimestampInvalid("the token names its certificate by a digest that is not believed")
        found = hashlib.new(binding.algorithm, signed.signer.public_bytes(_DER), usedforsecurity=False).digest()
        if not hmac.compare_digest(found, binding.value):
            raise TimestampInvalid("the token was signed with another certificate than it says")


def _check_signature(signed: SignedToken) -> None:
    kind, digest = _SIGNATURES.get(signed.signature_algorithm, (None, None))
    with reading("signer's key"):
        key = signed.signer.public_key()
    if kind is None or digest not in (None, signed.digest_algorithm) or not isinstance(key, kind):
        raise TimestampInvalid("the token is signed by an algorithm that is not believed, or not that of its key")
    algorithm = _HASHES[signed.digest_algorithm]()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signed.signature, signed.signed_attributes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signed.signature, signed.signed_attributes, ec.ECDSA(algorithm))
    except InvalidSignature as error:
        raise TimestampInvalid("the token was altered: its signature does not hold") from error


def _chain(signed: SignedToken, trust: Trust) -> tuple[tuple[x509.Certificate, ...], TrustedAuthority | None]:
    """The chain to the anchor that is nearest to the signer, and whose it is. Raises TimestampInvalid."""
    moment, signer, others = signed.facts.gen_time, signed.signer, signed.others
    anchors = leads_to(signer, others, [authority.certificate for authority in trust.authorities])
    if not anchors:
        return chain_at(moment, signer, others, ends(signer, others)), None
    chain = chain_at(moment, signer, others, list(anchors))
    return chain, trust.authority_of(chain[-1])


def _check_again(signed: SignedToken, chain: Sequence[x509.Certificate]) -> None:
    builder = rfc3161_client.VerifierBuilder(
        tsa_certificate=signed.signer, intermediates=list(chain[1:-1]), roots=[chain[-1]]
    )
    with reading("token"):
        response = rfc3161_client.decode_timestamp_response(wrapped(signed.der))
        try:
            builder.build().verify(response, signed.facts.imprint.value)
        except rfc3161_client.VerificationError as error:
            raise TimestampInvalid("OpenSSL does not find that the token holds") from error
