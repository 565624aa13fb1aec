"""Keys in files."""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from small_log import CLAIMANT

from imgguard.errors import InputError
from imgguard.provenance.keys import key_id, new_key, parse_pem, public_bytes, to_pem

PUBLISHED = b"""\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
"""
"""RFC 8410, 10.3."""


def test_a_published_key_is_read_and_written() -> None:
    key = parse_pem(PUBLISHED)
    assert public_bytes(key).hex() == "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
    assert to_pem(key) == PUBLISHED


def test_the_id_is_the_digest_of_the_key_as_der() -> None:
    public = public_bytes(CLAIMANT)
    der = bytes.fromhex("302a300506032b6570032100") + public  # RFC 8410, 10.1
    assert key_id(public) == f"sha256:{sha256(der).hexdigest()}"
    for other in (b"", public[:31], public + b"\0", bytes(32), b"\xff" * 32):
        with pytest.raises(InputError):
            key_id(other)


def test_new_keys_differ() -> None:
    assert public_bytes(new_key()) != public_bytes(new_key())


def test_a_passphrase_is_needed_again() -> None:
    key = new_key()
    data = to_pem(key, passphrase=b"correct horse")
    assert b"ENCRYPTED" in data
    assert public_bytes(parse_pem(data, passphrase=b"correct horse")) == public_bytes(key)
    for passphrase in (None, b"", b"wrong"):
        with pytest.raises(InputError, match="passphrase"):
            parse_pem(data, passphrase=passphrase)
    with pytest.raises(InputError, match="passphrase"):
        parse_pem(to_pem(key), passphrase=b"not needed")
    with pytest.raises(InputError, match="empty"):
        to_pem(key, passphrase=b"")


def test_other_files_are_refused() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = (
        new_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for data in (b"", b"\xff", PUBLISHED[:60], PUBLISHED.replace(b"MC4C", b"MC5C"), curve, public, b"x" * 5000):
        with pytest.raises(InputError):
            parse_pem(data)
