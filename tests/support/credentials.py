"""Files with Content Credentials, made and spoilt on the spot, under a certificate authority of the tests."""

import io
import json
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """PEM: the chain, own certificate first, and the key."""

    chain: bytes
    key: bytes


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Cameras"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    others = dict.fromkeys((*names, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=signs, key_cert_sign=not signs, crl_sign=not signs, **others)


class Authority:
    """Signs signers. ``pem`` is what a trust list would hold."""

    def __init__(self, name: str = "Test Root") -> None:
        self.name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=900))
            .not_valid_after(now + timedelta(days=900))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM).decode()

    def signer(self, name: str = "Camera 1", *, start: datetime | None = None, end: datetime | None = None) -> Identity:
        """Somebody whose signatures this authority vouches for, from a year ago until next year."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        authority_key = self._key.public_key()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(0xABC123)
            .not_valid_before(start or now - timedelta(days=365))
            .not_valid_after(end or now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Identity(
            chain=certificate.public_bytes(serialization.Encoding.PEM),
            key=key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )


@cache
def authority() -> Authority:
    return Authority()


@cache
def camera() -> Identity:
    return authority().signer()


def created(**fields: Any) -> dict[str, Any]:
    return {"action": "c2pa.created", "digitalSourceType": CAPTURE, **fields}


def signed(
    data: bytes,
    media_type: str = "image/jpeg",
    *,
    identity: Identity | None = None,
    actions: list[dict[str, Any]] | None = None,
    assertions: tuple[dict[str, Any], ...] = (),
    remote_url: str | None = None,
    embedded: bool = True,
    **definition: Any,
) -> bytes:
    """``data`` with a manifest: by default of a camera that says it took the picture."""
    actions = [created()] if actions is None else actions
    manifest = {
        "claim_generator_info": [{"name": "Test camera", "version": "2.1"}],
        "title": "photo",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}, *assertions],
        **definition,
    }
    who = identity or camera()
    settings = {
        "core": {"allowed_network_hosts": []},
        "verify": {"verify_after_sign": False, "remote_manifest_fetch": False},
        "builder": {"thumbnail": {"enabled": False}},
    }
    context = c2pa.Context(c2pa.Settings.from_dict(settings))
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", who.chain, who.key, None))
    out = io.BytesIO()
    with c2pa.Builder(json.dumps(manifest), context=context) as builder:
        if remote_url is not None:
            builder.set_remote_url(remote_url)
        if not embedded:
            builder.set_no_embed()
        builder.sign(signer, media_type, io.BytesIO(data), out)
    return out.getvalue()


def segments(jpeg: bytes) -> list[bytes]:
    """Those of a JPEG before its scan, marker and length included."""
    found, at = [], 2
    while jpeg[at + 1] != 0xDA:
        length = 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        found.append(jpeg[at : at + length])
        at += length
    return found


def manifest_segments(jpeg: bytes) -> bytes:
    """The APP11 segments that carry the manifest store."""
    return b"".join(part for part in segments(jpeg) if part[1] == 0xEB)


def transplanted(signed_jpeg: bytes, other: bytes) -> bytes:
    """``other``, a JPEG without credentials, with those of ``signed_jpeg``."""
    return other[:2] + manifest_segments(signed_jpeg) + other[2:]


def with_boxes(jpeg: bytes, store: bytes) -> bytes:
    """A JPEG with ``store`` (JUMBF) in one APP11 segment (ISO/IEC 19566-5, annex D)."""
    body = b"JP" + struct.pack(">HI", 1, 1) + store
    return jpeg[:2] + b"\xff\xeb" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def png_with_boxes(png: bytes, store: bytes) -> bytes:
    """A PNG with ``store`` (JUMBF) in a chunk behind its header: that may be as long as one likes."""
    body = b"caBX" + store
    chunk = struct.pack(">I", len(store)) + body + struct.pack(">I", zlib.crc32(body))
    return png[:33] + chunk + png[33:]


def nested_boxes(depth: int) -> bytes:
    """A manifest store that holds a box that holds a box, and so on."""
    description = b"jumdc2pa" + bytes.fromhex("00110010800000aa00389b71") + b"\x03c2pa\0"
    description = struct.pack(">I", len(description) + 4) + description
    level = 8 + len(description)
    return b"".join(struct.pack(">I", level * left) + b"jumb" + description for left in range(depth, 0, -1))
