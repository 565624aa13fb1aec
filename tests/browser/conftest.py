"""A browser, and a real `imgguard serve` with a studio that has registered originals and a shop that checks."""

import base64
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from imgguard.bootstrap import Services
from imgguard.registry.access import actor_for
from imgguard.registry.accounts import Role
from imgguard.services.generations import ensure_active
from imgguard.services.passwords import Passwords
from imgguard.settings import Settings

SAMPLES = Path(__file__).parents[2] / "sample_images"
ORIGINALS = ("denim-jacket.jpg", "mug.jpg", "pinstripe-cap.jpg", "scissors.jpg")
PASSWORD = "correct horse battery staple"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECONDS_TO_START = 90

DESKTOP, PHONE = (1100, 900), (390, 844)

expect.set_options(timeout=30_000)


@dataclass(frozen=True, kw_only=True)
class Site:
    """``invitation``: the token of a member who has not accepted yet."""

    place: str
    home: Path
    invitation: str


def _people(home: Path) -> str:
    with Services(Settings(home=home)) as services:
        services.passwords = Passwords(passes=1, memory_kib=8, lanes=1)
        organisations, members = services.organisations, services.members
        organisations.found(
            "Operator", email="operator@example.org", member_name=None, roles=[Role.ADMIN], password=PASSWORD
        )
        console = organisations.console()
        for title, role in (("Sample Studio", Role.RIGHTS_HOLDER), ("Honest Shop", Role.SELLER)):
            word = title.split()[1].lower()
            made = organisations.create(console, title, email=f"{word}.admin@example.org", password=PASSWORD)
            organisation_id = made.organisation.organisation_id
            members.invite(
                console,
                email=f"{word}@example.org",
                roles=[role, Role.SELLER],
                organisation_id=organisation_id,
                password=PASSWORD,
            )
        invited = members.invite(
            console, email="new@example.org", roles=[Role.SELLER], organisation_id=organisation_id, password=None
        )
        ensure_active(services.catalogue, services.models, services.clock)
        studio = next(one for one in services.accounts.organisations() if one.name == "Sample Studio")
        holder = services.accounts.member_with_email("studio@example.org")
        actor = actor_for(holder, studio)
        for name in ORIGINALS:
            services.references.register(actor, (SAMPLES / "originals" / name).read_bytes(), file=name)
        return invited.token or ""


@contextmanager
def served(home: Path, **settings: str) -> Iterator[str]:
    """`imgguard serve`, with settings besides the home folder: where it is reached."""
    log = home.parent / "serve.log"
    command = [Path(sys.executable).with_name("imgguard"), "serve", "--port", "0", "--home", home]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IMGGUARD_")} | settings
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stderr=stderr, env=environment)
    try:
        yield _ready(process, log)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        found = re.search(r"listening on (http://\S+)\n", log.read_text())
        if found and httpx.get(f"{found[1]}/readyz").status_code == 200:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site") / "home"
    invitation = _people(home)
    with served(home) as place:
        yield Site(place=place, home=home, invitation=invitation)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None, "these tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        # Its own sandbox does not work for root; what is opened here is our own.
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@dataclass
class Told:
    """What the browser complained of. ``expected``: patterns of what a test means to provoke."""

    lines: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def unexpected(self) -> list[str]:
        return [line for line in self.lines if not any(re.search(pattern, line) for pattern in self.expected)]


@pytest.fixture
def told() -> Told:
    return Told()


type Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, site: Site, told: Told) -> Iterator[Open]:
    """``opened(size=..., dark=...)``: a page of a browser that knows nobody. It fails on any complaint, of the
    Content-Security-Policy or of a script."""
    contexts: list[BrowserContext] = []

    def made(*, size: tuple[int, int] = DESKTOP, dark: bool = False, still: bool = False) -> Page:
        context = browser.new_context(
            base_url=site.place,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else "no-preference",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: _note(told, message))
        page.on("pageerror", lambda error: told.lines.append(f"pageerror: {error}"))
        return page

    yield made
    for context in contexts:
        context.close()
    assert told.unexpected() == []


def _note(told: Told, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        told.lines.append(f"{message.type}: {message.text}")


def sign_in(page: Page, who: str = "studio") -> Page:
    page.goto("/sign-in")
    expect(page.get_by_label("Email address")).to_be_focused()  # by the script, which is there now
    page.get_by_label("Email address").fill(f"{who}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Check pictures").wait_for()
    page.locator("html.started").wait_for()
    return page


def hand_over(page: Page, event: str, *paths: Path) -> None:
    """Drop or paste files, as the browser tells a page of it."""
    files = [{"name": path.name, "data": base64.b64encode(path.read_bytes()).decode()} for path in paths]
    page.evaluate(
        """([event, files]) => {
            const carried = new DataTransfer();
            for (const { name, data } of files) {
                const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
                carried.items.add(new File([bytes], name, { type: "image/jpeg" }));
            }
            const target = document.getElementById("drop");
            const given = { bubbles: true, cancelable: true };
            target.dispatchEvent(event === "paste"
                ? new ClipboardEvent(event, { ...given, clipboardData: carried })
                : new DragEvent(event, { ...given, dataTransfer: carried }));
        }""",
        [event, files],
    )


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keep a screenshot in the folder that SCREENSHOTS names, if it does."""
    folder = os.environ.get("SCREENSHOTS")

    def keep(page: Page, name: str) -> None:
        if folder:
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return keep
