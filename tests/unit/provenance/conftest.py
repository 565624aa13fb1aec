"""An authority that does everything right, and whoever believes it."""

from collections.abc import Callable
from typing import Any

import pytest
import timestamp_forge as forge
from timestamp_forge import Certified

from imgguard.provenance.timestamps import VerifiedTimestamp, verify_timestamp
from imgguard.provenance.trust import Trust, read_trust

type Verify = Callable[..., VerifiedTimestamp]


@pytest.fixture(scope="session")
def root() -> Certified:
    return forge.root()


@pytest.fixture(scope="session")
def signer(root: Certified) -> Certified:
    return forge.signer(root)


@pytest.fixture(scope="session")
def trust(root: Certified) -> Trust:
    return read_trust(forge.trust_file(root.pem))


@pytest.fixture
def verify(trust: Trust) -> Verify:
    """Verifies a token of `forge.DATA` by ``trust``."""

    def run(token: bytes, stamped: Any = forge.DATA, **changes: Any) -> VerifiedTimestamp:
        return verify_timestamp(token, stamped, **{"trust": trust, **changes})

    return run
