"""The whole application, asked for everything its description offers, and for much that it does not offer.

schemathesis derives the requests from the description: examples, values at every limit and beyond, wrong types, control
characters, methods that are not there, and sequences in which answers lead to further requests. It compares each answer
with the description. To see what it sees, run this with `-s`.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import delete

from imgguard.api.app import create_app
from imgguard.bootstrap import Services
from imgguard.registry.accounts import Role
from imgguard.settings import Settings
from imgguard.storage.sql.schema import idempotency_keys

from .conftest import PASSWORD, World, actor_of, fast

HERE = Path(__file__).parent
TESTER = "tester@example.org"
PEOPLE = ("session", "invitations", "organisations", "members", "keys")
"""Tags of what keys may not do, for the greater part: a person tries those."""


@contextmanager
def _listening(services: Services) -> Iterator[str]:
    """Served on this machine, as uvicorn serves it."""
    config = uvicorn.Config(create_app(services), lifespan="on", log_config=None, access_log=False, server_header=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def services(world: World) -> Iterator[Services]:
    """No workers are there, so nobody waits for them and nothing is fetched; the queue has room for everything."""
    settings = Settings(
        home=world.home,
        sync_seconds=0,
        rate_per_minute=1_000_000,
        queue_interactive=10_000,
        public_url="https://imgguard.example.org",
    )
    with fast(Services(settings)) as services:
        services.members.invite(
            services.organisations.console(),
            email=TESTER,
            roles=list(Role),
            organisation_id=world.organisations["operator"],
            password=PASSWORD,
        )
        yield services


def _tried(
    services: Services, auth: str, own: list[str], folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    written = folder / "schemathesis.toml"
    written.write_text((HERE / "schemathesis.toml").read_text("utf-8") + f"\n[auth.openapi]\n{auth}\n")
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(written), "run"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE),
        "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        "IMGGUARD_TESTER": ",".join(own),
    }
    with _listening(services) as place:
        done = subprocess.run(
            [*command, f"{place}/v1/openapi.json", "--no-color", *arguments],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
    print(done.stdout)
    return done


def _try(services: Services, auth: str, own: list[str], folder: Path, *arguments: str) -> None:
    """Raises AssertionError with all that schemathesis found.

    Of what is no HTTP at all, such as some fields that it sends, uvicorn says so and hangs up, which may cut off its
    own answer: that is asked once more, with none of the first answers remembered, since what they made may be gone.
    """
    done = _tried(services, auth, own, folder, *arguments)
    if "Network Error" in done.stdout and "Failures:" not in done.stdout:
        with services.database.write() as connection:
            connection.execute(delete(idempotency_keys))
        done = _tried(services, auth, own, folder, *arguments)
    assert done.returncode == 0, done.stdout


def test_a_key_that_may_do_everything(services: Services, tmp_path: Path) -> None:
    member = services.accounts.member_with_email(TESTER)
    issued = services.keys.issue(actor_of(services, member.member_id), "tester")
    own = [member.member_id, issued.key.key_id]
    tags = [word for tag in PEOPLE for word in ("--exclude-tag", tag)]
    _try(services, f'key = {{ bearer = "{issued.secret}" }}', own, tmp_path, *tags)


def test_a_person_who_may_do_everything(services: Services, tmp_path: Path) -> None:
    """Only the session itself is not ended."""
    signed_in = services.identity.sign_in(TESTER, PASSWORD, address="192.0.2.7")
    tags = [word for tag in PEOPLE for word in ("--include-tag", tag)]
    csrf = ["--header", f"X-CSRF-Token: {signed_in.csrf_token}", "--exclude-operation-id", "sign_out"]
    own = [signed_in.actor.member_id]
    _try(services, f'session = {{ api_key = "{signed_in.token}" }}', own, tmp_path, *tags, *csrf)
