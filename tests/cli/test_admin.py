"""`imgguard admin`: the first account, members, keys and the audit trail on the command line."""

import io
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgguard.bootstrap import Services
from imgguard.registry.accounts import Scope
from imgguard.settings import Settings

Run = Callable[..., Any]
PASSWORD = "correct horse battery"
FIRST = ("admin", "create", "--organisation", "Studio", "--email", "ann@example.org")


class Stdin(io.TextIOWrapper):
    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Put bytes on stdin."""
    return lambda data: monkeypatch.setattr(sys, "stdin", Stdin(data))


@pytest.fixture
def founded(cli: Run, typed: Callable[[bytes], None]) -> dict[str, Any]:
    """The first organisation, with Ann as its admin."""
    typed(PASSWORD.encode() + b"\n")
    done = cli(*FIRST, "--name", "Ann", "--password-stdin", "--json")
    assert done.code == 0, done.err
    return done.line  # type: ignore[no-any-return]


def test_the_first_account(founded: dict[str, Any], home: Path) -> None:
    assert founded["organisation"] == "Studio"
    assert founded["is_operator"] is True
    assert (founded["email"], founded["name"], founded["roles"]) == (
        "ann@example.org",
        "Ann",
        ["admin", "rights_holder"],
    )
    assert (founded["token"], founded["has_password"], founded["disclosure"]) == (None, True, "outline")
    with Services(Settings(home=home)) as services:
        signed_in = services.identity.sign_in("ann@example.org", PASSWORD, address="127.0.0.1")
        assert signed_in.actor.administers_installation


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"short\n", "invalid_input"),
        (b"", "invalid_input"),
        (b"two lines\nof some length\n", "invalid_input"),
        (b"\xff" * 20, "invalid_input"),
        (b"ann@example.org", "invalid_input"),
    ],
)
def test_passwords_that_are_refused(cli: Run, typed: Callable[[bytes], None], data: bytes, code: str) -> None:
    typed(data)
    done = cli(*FIRST, "--password-stdin", "--json")
    assert (done.code, done.out) == (4, "")
    assert f"[{code}]" in done.err
    assert cli("admin", "organisations").code == 2


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_there_must_be_somebody_to_ask(cli: Run, typed: Callable[[bytes], None], arguments: tuple[str, ...]) -> None:
    typed(PASSWORD.encode())
    done = cli(*FIRST, *arguments)
    assert (done.code, done.out) == (2, "")
    assert "--password-stdin" in done.err


def test_a_password_is_never_an_argument(cli: Run) -> None:
    for command in ("create", "password"):
        assert cli("admin", command, "--email", "a@b", "--organisation", "x", "--password", PASSWORD).code == 2


def test_asked_on_a_terminal_it_is_not_shown(home: Path) -> None:
    master, slave = pty.openpty()
    command = [Path(sys.executable).with_name("imgguard"), "--home", home, *FIRST]
    process = subprocess.Popen(command, stdin=slave, stdout=subprocess.PIPE, stderr=slave, start_new_session=True)
    os.close(slave)
    dialogue = (
        (b"Password: ", b"mistyped password"),
        (b"The same again: ", b"something else here"),
        (b"Password: ", PASSWORD.encode()),
        (b"The same again: ", PASSWORD.encode()),
    )
    try:
        for prompt, line in dialogue:
            assert PASSWORD.encode() not in _until(master, prompt)
            os.write(master, line + b"\n")
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(master)
    assert process.returncode == 0
    assert b"ann@example.org" in out
    assert PASSWORD.encode() not in out


def _until(terminal: int, prompt: bytes) -> bytes:
    seen = b""
    while not seen.endswith(prompt):
        assert select.select([terminal], [], [], 60)[0], seen
        seen += os.read(terminal, 1)
    return seen


class TestMembers:
    def test_further_organisations_and_members(
        self, founded: dict[str, Any], cli: Run, typed: Callable[[bytes], None]
    ) -> None:
        other = cli("admin", "create", "--organisation", "Shop", "--email", "bob@example.org", "--invite", "--json")
        assert other.line["is_operator"] is False
        assert len(other.line["token"]) == 52
        assert other.line["expires_at"].endswith("Z")
        typed(PASSWORD.encode())
        done = cli(
            *("admin", "create", "--organisation", "Shop", "--email", "carl@example.org", "--password-stdin"),
            *("--role", "seller", "--role", "reviewer"),
        )
        assert done.code == 0
        assert "reviewer, seller" in done.out
        listed = cli("admin", "organisations", "--json").lines
        assert [line["organisation"] for line in listed] == ["Studio", "Shop"]
        assert "Studio (operator)" in cli("admin", "organisations").out
        members = cli("admin", "members", "--json").lines
        assert [line["email"] for line in members] == ["ann@example.org", "bob@example.org", "carl@example.org"]
        only = cli("admin", "members", "--organisation", "Shop")
        assert [line.split()[0] for line in only.out.splitlines()] == ["State", "invited", "active"]
        by_id = cli("admin", "members", "--organisation", listed[1]["organisation_id"], "--json").lines
        assert by_id == members[1:]
        invited = cli(
            *("admin", "create", "--organisation", "Shop", "--email", "dora@example.org", "--invite"),
            *("--role", "seller"),
        )
        assert "hand" in invited.err.lower()
        assert "sets the password, once" in invited.out

    @pytest.mark.parametrize(
        ("arguments", "code", "error"),
        [
            (("--organisation", "Studio", "--email", "bob@example.org", "--invite"), 2, "configuration"),
            (("--organisation", "New", "--email", "bob@example.org", "--invite", "--role", "king"), 2, "configuration"),
            (("--organisation", "New", "--email", "b@b", "--invite", "--password-stdin"), 2, "configuration"),
            (("--organisation", "New", "--email", "bob", "--invite"), 4, "invalid_input"),
            (("--organisation", " ", "--email", "bob@example.org", "--invite"), 4, "invalid_input"),
            (
                ("--organisation", "New", "--email", "bob@example.org", "--invite", "--role", "seller"),
                4,
                "invalid_input",
            ),
            (("--organisation", "New", "--email", "ANN@example.org", "--invite"), 4, "conflict"),
            (
                ("--organisation", "Studio", "--email", "ann@example.org", "--invite", "--role", "seller"),
                4,
                "conflict",
            ),
        ],
    )
    def test_what_makes_no_member(
        self, founded: dict[str, Any], cli: Run, arguments: tuple[str, ...], code: int, error: str
    ) -> None:
        done = cli("admin", "create", *arguments)
        assert (done.code, done.out) == (code, "")
        assert f"[{error}]" in done.err
        assert len(cli("admin", "members", "--json").lines) == 1
        assert len(cli("admin", "organisations", "--json").lines) == 1

    def test_a_lost_password(
        self, founded: dict[str, Any], cli: Run, home: Path, typed: Callable[[bytes], None]
    ) -> None:
        typed(b"another long password\r\n")
        done = cli("admin", "password", "--email", "ann@example.org", "--password-stdin", "--json")
        assert done.line["member_id"] == founded["member_id"]
        with Services(Settings(home=home)) as services:
            assert services.identity.sign_in("ann@example.org", "another long password", address="::1")
        assert cli("admin", "password", "--email", "nobody@example.org", "--password-stdin").code == 4

    @pytest.mark.parametrize("command", ["members", "key list", "audit"])
    def test_an_organisation_that_is_not_there(self, founded: dict[str, Any], cli: Run, command: str) -> None:
        done = cli("admin", *command.split(), "--organisation", "Nobody", "--json")
        assert (done.code, done.out) == (4, "")
        assert "[not_found]" in done.err

    @pytest.mark.parametrize("command", ["organisations", "members", "key list", "audit", "key revoke key_x"])
    def test_before_the_first(self, cli: Run, command: str) -> None:
        done = cli("admin", *command.split())
        assert (done.code, done.out) == (2, "")
        assert "imgguard admin create" in done.err


class TestKeys:
    def test_made_listed_revoked(self, founded: dict[str, Any], cli: Run, home: Path) -> None:
        made = cli("admin", "key", "create", "--email", "ann@example.org", "--scope", "checks:write")
        assert made.code == 0
        secret = made.out.strip()
        assert secret.startswith("imgguard_")
        assert "checks:write" in made.err
        with Services(Settings(home=home)) as services:
            assert services.identity.actor_of_key(secret).scopes == {Scope.CHECKS_WRITE}
        (listed,) = cli("admin", "key", "list", "--json").lines
        assert secret.startswith(listed["prefix"])
        assert (listed["name"], listed["scopes"], listed["revoked_at"]) == ("command line", ["checks:write"], None)
        assert listed["last_used_at"] is not None
        assert cli("admin", "key", "list", "--organisation", "Studio").out.splitlines()[1].startswith("valid ")
        revoked = cli("admin", "key", "revoke", listed["key_id"], "--json").line
        assert revoked["revoked_at"] is not None
        assert cli("admin", "key", "revoke", listed["key_id"]).out == f"revoked  {listed['key_id']}\n"
        assert "revoked" in cli("admin", "key", "list").out

    def test_lifetimes_and_names(self, founded: dict[str, Any], cli: Run) -> None:
        endless = cli(
            "admin", "key", "create", "--email", "ann@example.org", "--days", "0", "--name", "feed", "--json"
        ).line
        assert (endless["expires_at"], endless["name"]) == (None, "feed")
        assert endless["key"].startswith(endless["prefix"])
        assert "references:write" in endless["scopes"]
        assert "never" in cli("admin", "key", "list").out

    @pytest.mark.parametrize(
        ("arguments", "code", "error"),
        [
            (("--email", "nobody@example.org"), 4, "not_found"),
            (("--email", "ann@example.org", "--scope", "everything"), 2, "configuration"),
            (("--email", "ann@example.org", "--name", "\x07"), 4, "invalid_input"),
        ],
    )
    def test_what_makes_no_key(
        self, founded: dict[str, Any], cli: Run, arguments: tuple[str, ...], code: int, error: str
    ) -> None:
        done = cli("admin", "key", "create", *arguments)
        assert (done.code, done.out) == (code, "")
        assert f"[{error}]" in done.err

    def test_a_key_of_no_more_than_the_roles(self, cli: Run, founded: dict[str, Any]) -> None:
        cli(
            *("admin", "create", "--organisation", "Studio", "--email", "bob@example.org", "--invite"),
            *("--role", "seller"),
        )
        done = cli("admin", "key", "create", "--email", "bob@example.org", "--scope", "references:write")
        assert (done.code, done.out) == (4, "")
        assert "[permission_denied]" in done.err


def test_the_audit_trail(founded: dict[str, Any], cli: Run) -> None:
    cli("admin", "create", "--organisation", "Shop", "--email", "bob@example.org", "--invite")
    key = cli("admin", "key", "create", "--email", "ann@example.org", "--json").line
    every = cli("admin", "audit", "--json").lines
    assert [line["action"] for line in every] == ["organisation.created", "organisation.created", "key.issued"]
    assert {line["actor"] for line in every} == {"console"}
    assert cli("admin", "audit", "--last", "2", "--json").lines == every[:0:-1]
    assert cli("admin", "audit", "--about", key["key_id"], "--json").lines == every[2:]
    assert cli("admin", "audit", "--organisation", "Shop", "--json").lines == every[1:2]
    shown = cli("admin", "audit").out
    assert "key.issued" in shown
    assert "roles admin rights_holder" in shown
    assert "@" not in shown
    assert cli("admin", "audit", "--last", "0").code == 2


def test_the_local_commands_need_no_account(store: Path, cli: Run, samples: Path) -> None:
    assert cli("check", samples / "listings" / "copy-mirrored-mug.jpg", "--json").line["verdict"] == "copy"
    assert cli("list", "--json").lines
    assert cli("doctor").code == 0


def test_an_organisation_takes_over_the_owner_of_its_name(
    store: Path, cli: Run, typed: Callable[[bytes], None]
) -> None:
    typed(PASSWORD.encode())
    made = cli(
        *("admin", "create", "--organisation", "Sample Studio", "--email", "ann@example.org", "--password-stdin")
    )
    assert made.code == 0
    (event,) = cli("admin", "audit", "--json").lines
    assert event["detail"]["took_over_owner"] is True
    assert cli("list", "--owner", "Sample Studio", "--json").lines


@pytest.mark.parametrize(
    "command", ["", "create", "organisations", "members", "password", "audit", "key", "key create"]
)
def test_help(cli: Run, command: str) -> None:
    done = cli("admin", *command.split(), "--help")
    assert done.code == 0
    assert f"imgguard admin {command}".strip() in done.out


class TestEndings:
    @pytest.fixture
    def shop(self, cli: Run, typed: Callable[[bytes], None], founded: dict[str, Any]) -> dict[str, Any]:
        typed(PASSWORD.encode() + b"\n")
        made = cli(
            "admin", "create", "--organisation", "Shop", "--email", "sam@example.org", "--password-stdin", "--json"
        )
        return made.line  # type: ignore[no-any-return]

    def test_an_organisation_is_disabled_enabled_and_erased(self, cli: Run, shop: dict[str, Any]) -> None:
        assert cli("admin", "organisation", "erase", "Shop", "--yes").code == 4
        disabled = cli("admin", "organisation", "disable", "Shop", "--json").line
        assert (disabled["organisation_id"], disabled["erased_at"]) == (shop["organisation_id"], None)
        assert disabled["disabled_at"]
        assert "Shop (disabled)" in cli("admin", "organisations").out
        assert cli("admin", "organisation", "enable", "Shop").out == f"active  {shop['organisation_id']}\n"
        cli("admin", "organisation", "disable", shop["organisation_id"])
        refused = cli("admin", "organisation", "erase", "Shop")
        assert (refused.code, "cannot be undone" in refused.err) == (2, True)
        erased = cli("admin", "organisation", "erase", "Shop", "--yes")
        assert erased.out == f"erased  {shop['organisation_id']}\n"
        assert "0 references and 0 checks are erased." in erased.err
        assert "sam@example.org" not in cli("admin", "members").out

    def test_a_member_is_disabled_enabled_exported_and_erased(
        self, cli: Run, typed: Callable[[bytes], None], shop: dict[str, Any]
    ) -> None:
        typed(PASSWORD.encode() + b"\n")
        create = ("admin", "create", "--organisation", "Shop", "--role", "seller")
        made = cli(*create, "--email", "kim@example.org", "--password-stdin", "--json").line
        assert cli("admin", "member", "disable", "kim@example.org").out == f"disabled  {made['member_id']}\n"
        assert cli("admin", "member", "enable", made["member_id"]).out == f"active  {made['member_id']}\n"
        exported = cli("admin", "member", "export", "kim@example.org").line
        assert exported["member"]["email"] == "kim@example.org"
        assert exported["checks"] == []
        assert cli("admin", "member", "erase", "kim@example.org").code == 2
        erased = cli("admin", "member", "erase", "kim@example.org", "--checks", "--yes", "--json").line
        assert (erased["email"], erased["member_id"]) == (None, made["member_id"])
        assert cli("admin", "member", "export", "kim@example.org").code == 4
