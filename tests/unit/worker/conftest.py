"""A home with one seller, jobs for it, and pools that end with the test."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imgguard.bootstrap import DATABASE, Services
from imgguard.ports import Item, Job
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Role
from imgguard.services.jobs import Input
from imgguard.services.passwords import Passwords
from imgguard.settings import Settings
from imgguard.worker.pool import Pool

HERE = Path(__file__).parent
PATIENCE = 60.0
"""Seconds after which a test gives up waiting for what should happen within one."""


@dataclass(kw_only=True)
class Desk:
    """Where work is handed in, and looked at."""

    services: Services
    folder: Path

    @property
    def actor(self) -> Actor:
        member = self.services.accounts.member_with_email("ann@example.org")
        assert member is not None
        return self.services.identity.acting(member.member_id, None)

    @property
    def notes(self) -> Path:
        return self.folder / "notes"

    def submit(self, *words: str, interactive: bool = False) -> Job:
        inputs = [Input(file=f"{number}.jpg", data=word.encode()) for number, word in enumerate(words, 1)]
        options = {"notes": str(self.notes)}
        return self.services.jobs.submit(self.actor, "check", inputs, options=options, interactive=interactive)

    def ended(self, job: Job) -> list[Item]:
        """The items once all of them have ended."""
        assert self.services.jobs.wait(self.actor, job.job_id, seconds=PATIENCE).is_over
        return self.items(job)

    def items(self, job: Job) -> list[Item]:
        return list(self.services.jobs.items(self.actor, job.job_id, limit=1000))

    def states(self, job: Job) -> list[str]:
        return [item.state.value for item in self.items(job)]

    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []


def until(what: Callable[[], object]) -> None:
    """Wait for it to hold."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a member; do not change it."""
    home = tmp_path_factory.mktemp("home")
    with Services(Settings(home=home)) as services:
        services.passwords = Passwords(passes=1, memory_kib=8, lanes=1)
        services.organisations.found(
            "Shop",
            email="ann@example.org",
            member_name="Ann",
            roles=[Role.ADMIN, Role.SELLER],
            password="correct horse battery",
        )
    return home


@pytest.fixture
def settings(made_home: Path, tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(made_home / DATABASE, home)
    return Settings(home=home)


@pytest.fixture
def desk(settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with Services(settings) as services:
        yield Desk(services=services, folder=tmp_path)


@pytest.fixture
def pool(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pool]]:
    """Makes and starts pools with the light handlers."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    pools: list[Pool] = []

    def start(workers: int = 1, *, handlers: str = "light_handlers:make", **changes: Any) -> Pool:
        desk.services.settings = desk.services.settings.model_copy(update=changes)
        made = Pool(desk.services, workers, handlers=handlers)
        pools.append(made)
        made.start()
        return made

    yield start
    for made in pools:
        made.stop(seconds=5.0)
