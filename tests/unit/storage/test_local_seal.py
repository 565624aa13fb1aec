"""The key that seals: made once, private, the same for every process, or the operator's own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError
from seal_certificates import certified

from imgguard.bootstrap.adapters import Adapters
from imgguard.errors import ConfigurationError, StoreUnavailable
from imgguard.evidence.packet.seal_keys import LABEL, SealKey
from imgguard.evidence.packet.verifying.seals import verify_seal
from imgguard.settings import Settings
from imgguard.storage.local_seal import installation_seal

P256 = ec.generate_private_key(ec.SECP256R1())


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)


def made(folder: Path) -> SealKey:
    return installation_seal(folder / "seal.pem", installation="log.example/main", clock=Clock())


def test_it_is_the_same_after_a_restart_private_and_says_that_nobody_else_vouches_for_it(tmp_path: Path) -> None:
    first, again = made(tmp_path), made(tmp_path)
    assert first.certificate == again.certificate
    assert verify_seal(again.seal(b"manifest", at=Clock().now()), b"manifest").certificate == first.certificate
    assert "self-issued" in LABEL
    assert LABEL.split(",")[0] in first.name
    assert (tmp_path / "seal.pem").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["seal.pem"]


def test_several_at_once_agree_on_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        seals = list(pool.map(lambda _: made(tmp_path).certificate, range(8)))
    assert len(set(seals)) == 1


@pytest.mark.parametrize("data", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_damaged_file_is_not_replaced(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "seal.pem").write_bytes(data)
    with pytest.raises(ConfigurationError):
        made(tmp_path)
    assert (tmp_path / "seal.pem").read_bytes() == data


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"seal\.pem"):
        made(tmp_path / "gone")


def test_the_settings_name_the_operators_own(tmp_path: Path) -> None:
    own = certified(P256)
    paths = tmp_path / "own.pem", tmp_path / "own.key"
    for path, data in zip(paths, own.to_pem(), strict=True):
        path.write_bytes(data)
    with Adapters(Settings(home=tmp_path, seal_certificate=paths[0], seal_key=paths[1])) as adapters:
        assert adapters.seal_key("log.example/main").certificate == own.certificate
    with Adapters(Settings(home=tmp_path)) as adapters:
        assert "log.example/main" in adapters.seal_key("log.example/main").name


def test_certificate_and_key_need_each_other(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="need each other"):
        Settings(home=tmp_path, seal_certificate=tmp_path / "own.pem")
    settings = Settings(home=tmp_path, seal_certificate=tmp_path / "a", seal_key=tmp_path / "b")
    with Adapters(settings) as adapters, pytest.raises(ConfigurationError, match="cannot be read"):
        adapters.seal_key("log.example/main")


@pytest.mark.parametrize(
    "seal",
    [
        certified(P256, signs=False),
        certified(P256, issues=True),
        certified(P256, has_usage=False),
        certified(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        certified(ec.generate_private_key(ec.SECP256K1())),
        SealKey(certificate=certified(P256).certificate, key=ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["not for signatures", "of an authority", "without usage", "short RSA", "odd curve", "another key"],
)
def test_what_would_make_seals_that_do_not_verify_is_refused_before_it_seals(seal: SealKey) -> None:
    with pytest.raises(ConfigurationError):
        SealKey.from_pem(*seal.to_pem())


def test_a_key_of_another_kind_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ConfigurationError, match="kind"):
        SealKey.from_pem(certified(P256).to_pem()[0], key)
