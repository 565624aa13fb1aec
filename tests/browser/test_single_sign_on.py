"""Signing in by an identity provider, in a browser that keeps to its rules about cookies and other sites."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from local_provider import LocalProvider, Person, local_provider
from playwright.sync_api import Browser, BrowserContext, Page, expect

from imgguard.bootstrap import Services
from imgguard.registry.accounts import Role
from imgguard.settings import Settings

from .conftest import DESKTOP, served

pytestmark = pytest.mark.browser

type Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def provider() -> Iterator[LocalProvider]:
    """Reached at 127.0.0.1, and so on another site than the service, which is reached at localhost."""
    with local_provider() as made:
        yield made


@pytest.fixture(scope="module")
def place(provider: LocalProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service, registered at ``provider``, with a member who has no password: Ann."""
    home: Path = tmp_path_factory.mktemp("by-provider") / "home"
    with Services(Settings(home=home)) as services:
        services.organisations.found(
            "Operator", email="ann@example.org", member_name="Ann", roles=[Role.ADMIN, Role.SELLER], password=None
        )
    settings = {f"IMGGUARD_{name.upper()}": str(value) for name, value in provider.settings().items()}
    with served(home, **settings) as address:
        yield address.replace("127.0.0.1", "localhost")


@pytest.fixture
def context(browser: Browser, place: str, provider: LocalProvider) -> Iterator[BrowserContext]:
    provider.person, provider.denies = Person(), False
    made = browser.new_context(base_url=place, viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    made.set_default_timeout(30_000)
    yield made
    made.close()


def test_a_member_presses_the_button(context: BrowserContext, place: str, shot: Shot) -> None:
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/?check=fnd_x")
    shot(page, "sign-in-by-provider")
    page.get_by_role("link", name="Sign in with Local Login").click()
    page.wait_for_url(f"{place}/?check=fnd_x")
    page.get_by_role("heading", name="Check pictures").wait_for()
    expect(page.locator("#who")).to_contain_text("Ann")
    # The only complaint is about a check that is not there.
    assert [line for line in complaints if "404" not in line] == []
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert set(cookies) == {"imgguard_session"}
    assert (cookies["imgguard_session"]["sameSite"], cookies["imgguard_session"]["httpOnly"]) == ("Lax", True)
    # It is a whole session: what changes something works, by the token that the page was given.
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in*")


def test_a_stranger_hears_why_and_nothing_of_the_provider(
    context: BrowserContext, provider: LocalProvider, place: str, shot: Shot
) -> None:
    provider.person = Person(sub="stranger", email="nobody@example.org")
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_role("link", name="Sign in with Local Login").click()
    expect(page.get_by_role("alert")).to_contain_text("No account here goes with this sign-in")
    assert page.url == f"{place}/sign-in"
    assert [cookie["name"] for cookie in context.cookies()] == []
    shot(page, "sign-in-unknown")
    provider.denies = True
    page.get_by_role("link", name="Sign in with Local Login").click()
    expect(page.get_by_role("alert")).to_contain_text("Signing in did not work")
    assert "alert(1)" not in page.content()


@pytest.mark.parametrize("code", ["<b>x</b>", "constructor", "__proto__", "internal"])
def test_what_an_address_says_is_not_shown(code: str, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/sign-in")
    page.evaluate("code => history.replaceState(null, '', '/sign-in?' + new URLSearchParams({ problem: code }))", code)
    page.reload()
    expect(page.get_by_role("link", name="Sign in with Local Login")).to_have_attribute(
        "href", "/v1/session/oidc?return_to=%2F"
    )
    expect(page.get_by_role("alert")).to_be_empty()


def test_the_button_leads_back_to_our_own_pages_only(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/sign-in?to=https://evil.example/")
    expect(page.get_by_role("link", name="Sign in with Local Login")).to_have_attribute(
        "href", "/v1/session/oidc?return_to=%2F"
    )
