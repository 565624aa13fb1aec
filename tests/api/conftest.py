"""A small world of three organisations, and the application on a copy of it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from imgguard.api.app import create_app
from imgguard.bootstrap import Services
from imgguard.registry.access import Actor, actor_for
from imgguard.registry.accounts import Role, Scope
from imgguard.services.generations import ensure_active
from imgguard.services.passwords import Passwords
from imgguard.settings import Settings
from imgguard.worker.comparer import ComparerProcess
from imgguard.worker.pool import Pool

from .client import Client, serving
from .light_packets import LightPackets
from .pictures import PictureServer, picture_server

PASSWORD = "correct horse battery staple"
SAMPLES = Path(__file__).parents[2] / "sample_images"


@dataclass(kw_only=True)
class World:
    """``members``, ``keys`` (their secrets): by name. Names are ``<organisation>.<role>``, keys also ``...narrow``.

    The studio's rights holder has registered the mug, as ``reference_id``; its seller has checked a mirrored copy of
    it, as ``finding_id``.
    """

    home: Path
    organisations: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    key_ids: dict[str, str] = field(default_factory=dict)
    reference_id: str = ""
    finding_id: str = ""

    def at(self, home: Path) -> "World":
        """A copy there."""
        shutil.copytree(self.home, home)
        return replace(self, home=home)

    @staticmethod
    def email(name: str) -> str:
        return f"{name}@example.org"


def fast(services: Services) -> Services:
    services.passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    return services


def _people(world: World) -> None:
    with fast(Services(Settings(home=world.home))) as services:
        organisations, members = services.organisations, services.members
        for organisation in ("operator", "studio", "shop"):
            email, title = world.email(f"{organisation}.admin"), organisation.title()
            if organisation == "operator":
                made = organisations.found(title, email=email, member_name=None, roles=[Role.ADMIN], password=PASSWORD)
                console = organisations.console()
            else:
                made = organisations.create(console, title, email=email, password=PASSWORD)
            world.organisations[organisation] = made.organisation.organisation_id
            world.members[f"{organisation}.admin"] = made.admin.member.member_id
            for role in (Role.RIGHTS_HOLDER, Role.SELLER, Role.REVIEWER):
                name = f"{organisation}.{role}"
                invited = members.invite(
                    console,
                    email=world.email(name),
                    roles=[role],
                    organisation_id=made.organisation.organisation_id,
                    password=PASSWORD,
                )
                world.members[name] = invited.member.member_id
        for name, member_id in world.members.items():
            _key(world, services, name, member_id, None)
        for name in ("studio.admin", "studio.seller"):
            narrow = Scope.AUDIT_READ if name == "studio.admin" else Scope.CHECKS_READ
            _key(world, services, f"{name}.narrow", world.members[name], [narrow])
        ensure_active(services.catalogue, services.models, services.clock)
        holder, seller = (actor_of(services, world.members[f"studio.{role}"]) for role in ("rights_holder", "seller"))
        registered = services.references.register(holder, sample("originals/mug.jpg"), file="mug.jpg")
        copy = sample("listings/copy-mirrored-mug.jpg")
        world.reference_id = registered.reference.reference_id
        world.finding_id = services.checks.check(seller, copy, file="copy.jpg", profile="quick").finding_id


def sample(path: str) -> bytes:
    return (SAMPLES / path).read_bytes()


def actor_of(services: Services, member_id: str) -> Actor:
    member = services.accounts.member(member_id)
    return actor_for(member, services.accounts.organisation(member.organisation_id))


def _key(world: World, services: Services, name: str, member_id: str, scopes: list[Scope] | None) -> None:
    issued = services.keys.issue(actor_of(services, member_id), name, scopes=scopes)
    world.keys[name], world.key_ids[name] = issued.secret, issued.key.key_id


@pytest.fixture(scope="session")
def made_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Do not change it."""
    world = World(home=tmp_path_factory.mktemp("world") / "home")
    _people(world)
    return world


@pytest.fixture
def world(made_world: World, tmp_path: Path) -> World:
    """A copy."""
    return made_world.at(tmp_path / "home")


@pytest.fixture
def services(world: World) -> Iterator[Services]:
    """On that copy, with the default settings. No workers are there, so nobody waits for them; packets are light."""
    with fast(Services(Settings(home=world.home, sync_seconds=0))) as services:
        services.packets = LightPackets()
        yield services


type Start = Callable[..., Client]


@pytest.fixture
def anyio_backend() -> str:
    """What coroutines are tested on: the loop that the server has."""
    return "asyncio"


@pytest.fixture
def start(world: World) -> Iterator[Start]:
    """``start(**settings)``: the application on that copy with other settings."""
    with ExitStack() as stack:

        def started(*, base: str = "http://localhost", address: str = "192.0.2.7", **settings: object) -> Client:
            made = stack.enter_context(fast(Services(Settings(home=world.home, **settings))))  # type: ignore[arg-type]
            return stack.enter_context(serving(create_app(made), base=base, address=address))

        yield started


@pytest.fixture
def client(services: Services) -> Iterator[Client]:
    """Nobody yet."""
    with serving(create_app(services)) as client:
        yield client


@pytest.fixture
def with_key(client: Client, world: World) -> Callable[[str], Client]:
    """``with_key("studio.seller")``: a client with an API key of that member."""

    def chosen(name: str) -> Client:
        other = client.another()
        other.headers["Authorization"] = f"Bearer {world.keys[name]}"
        return other

    return chosen


def signed_in(client: Client, name: str) -> Client:
    """A client with a session of that member, which sends the CSRF token as our pages do."""
    other = client.another()
    response = other.post("/v1/session", json={"email": World.email(name), "password": PASSWORD})
    assert response.status_code == 200, response.text
    other.headers["X-CSRF-Token"] = response.json()["csrf_token"]
    return other


@pytest.fixture
def with_session(client: Client) -> Callable[[str], Client]:
    """``with_session("studio.seller")``: a client that this member has signed in with."""
    return lambda name: signed_in(client, name)


@dataclass(kw_only=True)
class Office:
    """The application with a worker and a process that compares, which may fetch from ``server``. What tests register
    and check there, other tests find."""

    world: World
    services: Services
    client: Client
    server: PictureServer

    def as_(self, name: str) -> Client:
        """With the API key of that member."""
        other = self.client.another()
        other.headers["Authorization"] = f"Bearer {self.world.keys[name]}"
        return other


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session")
def office(made_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    world = made_world.at(tmp_path_factory.mktemp("office") / "home")
    with picture_server() as server:
        settings = Settings(
            home=world.home,
            sync_seconds=60,
            max_image_bytes=1_000_000,
            rate_per_minute=100_000,
            fetch_allowed_networks="127.0.0.1/32",
            fetch_ports=str(server.port),
        )
        with (
            _importable(Path(__file__).parent),
            fast(Services(settings, several=True)) as services,
            Pool(services, 1, handlers="fragile_handlers:make") as pool,
            ComparerProcess(settings, make="fragile_handlers:comparer") as services.comparer,
        ):
            assert pool.wait_ready(60)
            with serving(create_app(services, pool=pool)) as client:
                yield Office(world=world, services=services, client=client, server=server)
