"""Signing in by an identity provider, in a browser that keeps to its rules about cookies and other sites."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from local_provider import LocalProvider, Person, local_provider
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from imgguard.bootstrap import Services
from imgguard.ports import Proof
from imgguard.registry.access import actor_for
from imgguard.registry.accounts import Action, LinkedIdentity, Role
from imgguard.services import tokens
from imgguard.services.audit import event_of
from imgguard.services.invitations import Invited
from imgguard.services.passwords import Passwords
from imgguard.settings import Settings

from .conftest import DESKTOP, PASSWORD, PHONE, served

pytestmark = pytest.mark.browser

type Shot = Callable[[Page, str], None]
WIDE = (1280, 900)


@pytest.fixture(scope="module")
def provider() -> Iterator[LocalProvider]:
    """Reached at 127.0.0.1, and so on another site than the service, which is reached at localhost."""
    with local_provider() as made:
        yield made


@dataclass(frozen=True, kw_only=True)
class Door:
    """The service, registered at the provider. ``invited``: the tokens of members to come, by the names they have."""

    place: str
    invited: dict[str, str]


LOOKS = [(size, scheme) for size in (WIDE, PHONE) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def door(provider: LocalProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Ann, the operator's admin, is linked already, and has no password; Carl has one, and is not linked."""
    home: Path = tmp_path_factory.mktemp("by-provider") / "home"
    invited = {}
    with Services(Settings(home=home)) as services:
        services.passwords = Passwords(passes=1, memory_kib=8, lanes=1)
        founded = services.organisations.found(
            "Operator", email="ann@example.org", member_name="Ann", roles=[Role.ADMIN, Role.SELLER], password=None
        )
        ann = actor_for(founded.admin.member, founded.organisation)
        _introduce(services, founded.admin, Person(), issuer=provider.issuer)
        shop = services.organisations.create(ann, "Corner Shop & <b>Söhne</b>", email="first@example.org").organisation
        for name in ("Bob", "Eve", *(f"Dora {number}" for number in range(len(LOOKS)))):
            made = services.members.invite(
                ann,
                email=f"{name.lower().replace(' ', '')}@example.org",
                name=name,
                roles=[Role.SELLER],
                organisation_id=shop.organisation_id,
            )
            invited[name] = made.token or ""
        services.members.invite(
            services.organisations.console(), email="carl@example.org", roles=[Role.SELLER], password=PASSWORD
        )
    settings = {f"IMGGUARD_{name.upper()}": str(value) for name, value in provider.settings().items()}
    with served(home, **settings) as address:
        yield Door(place=address.replace("127.0.0.1", "localhost"), invited=invited)


def _introduce(services: Services, invited: Invited, person: Person, *, issuer: str) -> None:
    member, now = invited.member, services.clock.now()
    identity = LinkedIdentity(issuer=issuer, subject=person.sub, member_id=member.member_id, created_at=now)
    proof = Proof(by="invitation", token_sha256=tokens.digest(invited.token or ""))
    event = event_of(services.organisations.console(), Action.IDENTITY_LINKED, member.member_id, at=now)
    assert services.sign_ins.link(identity, proof=proof, event=event)


@pytest.fixture
def place(door: Door) -> str:
    return door.place


type Visit = Callable[..., BrowserContext]


@pytest.fixture
def visit(browser: Browser, place: str, provider: LocalProvider) -> Iterator[Visit]:
    """``visit(size=..., scheme=...)``: a browser that knows nobody yet."""
    provider.person, provider.denies = Person(), False
    visits = []

    def made(*, size: tuple[int, int] = DESKTOP, scheme: Literal["light", "dark"] = "light") -> BrowserContext:
        viewport: ViewportSize = {"width": size[0], "height": size[1]}
        context = browser.new_context(base_url=place, viewport=viewport, color_scheme=scheme)
        context.set_default_timeout(30_000)
        visits.append(context)
        return context

    yield made
    for context in visits:
        context.close()


@pytest.fixture
def context(visit: Visit) -> BrowserContext:
    return visit()


def complaints_of(page: Page) -> list[str]:
    """What the browser has complained of by the time it is looked at."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def test_from_the_link_of_an_invitation_to_a_session(
    context: BrowserContext, door: Door, provider: LocalProvider
) -> None:
    provider.person = Person(sub="bob", email="bob@example.org", email_verified=None)
    page, token = context.new_page(), door.invited["Bob"]
    complaints = complaints_of(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.all_headers()}"))
    page.goto(f"/accept#{token}")
    expect(page.get_by_role("status")).to_have_text("This invitation is for Bob (bob@example.org).")
    expect(page.locator("#facts")).to_contain_text("Corner Shop & <b>Söhne</b>")
    expect(page.locator("#facts")).to_contain_text("Ann")
    assert page.url == f"{door.place}/accept"
    page.get_by_role("button", name="Continue with Local Login").click()
    page.wait_for_url(f"{door.place}/")
    expect(page.locator("#who")).to_have_text("Bob, Corner Shop & <b>Söhne</b>")
    expect(page.get_by_role("button", name="Link Local Login")).to_be_hidden()
    assert {cookie["name"] for cookie in context.cookies()} == {"imgguard_session"}
    # It went to the provider, which was told neither the token nor where the browser came from.
    asked = [line for line in sent if line.startswith(f"{provider.issuer}/authorize")]
    assert len(asked) == 1
    assert "referer" not in asked[0].lower()
    assert not any(token in line for line in sent)
    assert complaints == []
    # And it is used up.
    page.goto("about:blank")
    page.goto(f"/accept#{token}")
    expect(page.get_by_role("alert")).to_contain_text("Authentication required")
    expect(page.get_by_role("button", name="Continue with Local Login")).to_be_hidden()
    assert page.locator("#facts").is_hidden()


def test_with_somebody_else_at_the_provider_nothing_is_linked(
    context: BrowserContext, door: Door, provider: LocalProvider
) -> None:
    provider.person = Person(sub="a colleague", email="colleague@example.org")
    page = context.new_page()
    page.goto(f"/accept#{door.invited['Eve']}")
    page.get_by_role("button", name="Continue with Local Login").click()
    expect(page.get_by_role("alert")).to_contain_text("No account here goes with this sign-in")
    provider.person = Person(sub="eve", email="eve@example.org")
    page.goto(f"/accept#{door.invited['Eve']}")
    page.get_by_role("button", name="Continue with Local Login").click()
    expect(page.locator("#who")).to_contain_text("Eve")


def test_who_signed_in_by_a_password_links_the_own_account(
    context: BrowserContext, provider: LocalProvider, shot: Shot
) -> None:
    page = context.new_page()
    complaints = complaints_of(page)
    page.goto("/sign-in")
    page.get_by_label("Email address").fill("carl@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    # The wrong person first, which is told although there is a session.
    provider.person = Person(sub="carl", email="somebody@example.org")
    page.get_by_role("button", name="Link Local Login").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    expect(page.get_by_role("alert")).to_contain_text("No account here goes with this sign-in")
    provider.person = Person(sub="carl", email="carl@example.org")
    page.goto("/")
    button = page.get_by_role("button", name="Link Local Login")
    button.wait_for()
    shot(page, "link")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    shot(page, "link-phone")
    button.click()
    expect(button).to_be_hidden()  # which only the next page has
    page.locator("html.started").wait_for()
    expect(page.locator("#who")).to_contain_text("carl@example.org")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in with Local Login").click()
    expect(page.locator("#who")).to_contain_text("carl@example.org")
    assert complaints == []


@pytest.mark.parametrize("number", range(len(LOOKS)), ids=[f"{size[0]}-{scheme}" for size, scheme in LOOKS])
def test_the_page_of_an_invitation_fits(number: int, visit: Visit, door: Door, shot: Shot) -> None:
    size, scheme = LOOKS[number]
    page = visit(size=size, scheme=scheme).new_page()
    complaints = complaints_of(page)
    page.goto(f"/accept#{door.invited[f'Dora {number}']}")
    page.get_by_role("button", name="Continue with Local Login").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    shot(page, f"invitation-{size[0]}-{scheme}")
    page.get_by_label("Choose a password").fill("a fresh sentence to remember")
    page.get_by_label("Repeat the password").fill("a fresh sentence to remember")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("status")).to_contain_text("The password is set.")
    expect(page.get_by_role("button", name="Continue with Local Login")).to_be_hidden()
    assert complaints == []


def test_a_member_presses_the_button(context: BrowserContext, place: str, shot: Shot) -> None:
    page = context.new_page()
    complaints = complaints_of(page)
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
