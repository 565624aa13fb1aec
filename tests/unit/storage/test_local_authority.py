"""The embedded authority's keys: made once, private, and the same for every process."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from timestamp_forge import trust_file

from imgguard.bootstrap.adapters import Adapters
from imgguard.errors import ConfigurationError, StoreUnavailable
from imgguard.net.timestamping import RemoteAuthority
from imgguard.ports import TimestampAuthority
from imgguard.provenance.timestamps import Digest, verify_timestamp
from imgguard.provenance.trust import TrustClass, read_trust
from imgguard.settings import Settings
from imgguard.storage.local_authority import LocalAuthority

DIGEST = Digest.of(b"checkpoint")


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)


@pytest.fixture
def make(tmp_path: Path) -> Callable[[], LocalAuthority]:
    return lambda: LocalAuthority(tmp_path / "authority.pem", clock=Clock())


def test_it_stamps_with_the_same_keys_after_a_restart(make: Callable[[], LocalAuthority], tmp_path: Path) -> None:
    first: TimestampAuthority = make()
    token = first.stamp(DIGEST)
    again = make()
    root = again.authority.root.public_bytes(Encoding.PEM).decode()
    trust = read_trust(trust_file(root, trust_class="self_issued"))
    for stamped in (token, again.stamp(DIGEST)):
        verified = verify_timestamp(stamped, DIGEST, trust=trust)
        assert verified.trust_class is TrustClass.SELF_ISSUED
        assert verified.token.gen_time == Clock().now().replace(microsecond=0)
    assert [path.name for path in tmp_path.iterdir()] == ["authority.pem"]
    assert (tmp_path / "authority.pem").stat().st_mode & 0o777 == 0o600
    assert "NOT INDEPENDENT" in again.name


def test_several_at_once_agree_on_one(make: Callable[[], LocalAuthority], tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        roots = set(pool.map(lambda _: make().authority.root, range(8)))
    assert len(roots) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_file_is_not_replaced(make: Callable[[], LocalAuthority], tmp_path: Path) -> None:
    """New keys would make every earlier token one of nobody's."""
    (tmp_path / "authority.pem").write_bytes(b"")
    with pytest.raises(ConfigurationError):
        make().stamp(DIGEST)
    assert (tmp_path / "authority.pem").read_bytes() == b""


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"authority\.pem"):
        LocalAuthority(tmp_path / "gone" / "authority.pem", clock=Clock()).stamp(DIGEST)


def test_the_settings_name_the_authorities(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, timestamp_authorities="https://tsa.example/tsr, embedded")
    with Adapters(settings) as adapters:
        remote, local = adapters.timestamp_authorities
        assert isinstance(remote, RemoteAuthority)
        assert (remote.url, local.url) == ("https://tsa.example/tsr", "embedded")
        assert local.stamp(DIGEST)
    assert (tmp_path / "timestamp-authority.pem").is_file()
    with Adapters(Settings(home=tmp_path)) as adapters:
        assert adapters.timestamp_authorities == ()
