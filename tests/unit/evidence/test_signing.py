"""What is signed says no more than that it was opened from the checked picture; a reader of C2PA agrees."""

import io

import credentials as made
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from PIL import Image

from imgguard.errors import ConfigurationError
from imgguard.evidence.signing import Parent, algorithm_of, sign_opened
from imgguard.imaging.credentials import CredentialState, Ingredient
from imgguard.imaging.credentials_reader import read_credentials

PARENT = Parent(media_type="image/heic", sha256="5e" * 32)


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return Image.linear_gradient("L").convert("RGB")


def encoded(picture: Image.Image, plugin: str) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, plugin)
    return stream.getvalue()


def pem(key: dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


@pytest.mark.parametrize("plugin", ["PNG", "JPEG"])
def test_it_was_opened_from_the_checked_picture_and_created_by_nobody(plugin: str, picture: Image.Image) -> None:
    camera = made.camera()
    signed = sign_opened(encoded(picture, plugin), PARENT, chain=camera.chain, key=camera.key)
    found = read_credentials(signed, trust=made.authority().pem)
    assert (found.state, found.failures) == (CredentialState.TRUSTED, ())
    assert [action.code for action in found.actions] == ["c2pa.opened", "c2pa.edited"]
    assert found.ingredients == (Ingredient(title=f"sha256:{PARENT.sha256}", relationship="parentOf"),)
    assert found.generator is not None
    assert found.generator.startswith("imgguard ")


def test_the_pixels_stay(picture: Image.Image) -> None:
    data = encoded(picture, "PNG")
    signed = sign_opened(data, PARENT, chain=made.camera().chain, key=made.camera().key)
    assert Image.open(io.BytesIO(signed)).tobytes() == picture.tobytes()
    assert len(signed) < len(data) + 20_000


def test_a_key_in_the_older_form_does_too() -> None:
    key = serialization.load_pem_private_key(made.camera().key, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    algorithm, pkcs8 = algorithm_of(made.camera().chain, pem(key))
    assert algorithm == "es256"
    assert pkcs8.startswith(b"-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize(
    ("chain", "key", "said"),
    [
        (b"", made.camera().key, "not in PEM form"),
        (made.camera().chain, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not in PEM form"),
        (made.camera().chain, made.authority().signer().key, "not that of the first certificate"),
    ],
    ids=["no chain", "no key", "another's key"],
)
def test_what_cannot_sign_is_refused(chain: bytes, key: bytes, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        algorithm_of(chain, key)
