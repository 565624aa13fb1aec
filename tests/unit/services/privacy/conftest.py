"""A town on a store of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgguard.bootstrap import Services
from imgguard.settings import Settings

from .town import Town, settle


@pytest.fixture(scope="session")
def made_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with everything in it; do not change it."""
    home = tmp_path_factory.mktemp("town") / "home"
    with Services(Settings(home=home)) as services:
        settle(Town(services=services))
    return home


@pytest.fixture
def town(made_town: Path, tmp_path: Path) -> Iterator[Town]:
    """A copy of it."""
    shutil.copytree(made_town, tmp_path / "home")
    with Services(Settings(home=tmp_path / "home")) as services:
        yield Town(services=services)
