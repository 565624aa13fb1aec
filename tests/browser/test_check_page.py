"""The page on the real service: from signing in to the evidence."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FileChooser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from .conftest import DESKTOP, PASSWORD, PHONE, SAMPLES, Open, Site, Told, hand_over, sign_in

pytestmark = pytest.mark.browser

LISTINGS = SAMPLES / "listings"
COPY = LISTINGS / "copy-cropped-denim-jacket.jpg"
UNAUTHORISED = r"status of 401"
NOT_FOUND = r"status of 404"

type Shot = Callable[[Page, str], None]


def finished(page: Page, file: str) -> None:
    """The card of ``file``, once it has its result."""
    expect(page.locator("article", has=page.get_by_role("heading", name=file)).locator(".conclusion")).to_be_visible()


def test_nobody_sees_the_page_without_signing_in(opened: Open, told: Told, shot: Shot) -> None:
    page = opened()
    page.goto("/?check=fnd_x")
    assert page.url.endswith("/sign-in?to=%2F%3Fcheck%3Dfnd_x")
    shot(page, "sign-in")
    page.get_by_label("Email address").fill("studio@example.org")
    page.get_by_label("Password").fill("a wrong password indeed")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Authentication required")
    expect(page.get_by_label("Password")).to_be_focused()
    shot(page, "sign-in-wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/?check=fnd_x")
    expect(page.get_by_role("alert").first).to_contain_text("Not found")
    told.expected += [UNAUTHORISED, NOT_FOUND]


def test_signing_in_leads_back_to_the_packets(opened: Open, site: Site) -> None:
    page = opened()
    page.goto("/packets?packets")
    expect(page.get_by_label("Email address")).to_be_focused()
    page.get_by_label("Email address").fill("shop@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Evidence packets").wait_for()
    assert page.url == f"{site.place}/packets?packets"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/packets/x"]
)
def test_signing_in_leads_nowhere_else(target: str, opened: Open, site: Site) -> None:
    page = opened()
    page.goto("/sign-in")
    page.evaluate("to => history.replaceState(null, '', '/sign-in?' + new URLSearchParams({ to }))", target)
    page.reload()
    page.get_by_label("Email address").fill("studio@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Check pictures").wait_for()
    assert page.url == f"{site.place}/"


def test_a_dropped_copy_of_an_own_original(opened: Open, shot: Shot) -> None:
    page = sign_in(opened())
    hand_over(page, "drop", COPY)
    expect(page.get_by_role("status").filter(has_text=COPY.name)).to_have_count(1)
    finished(page, COPY.name)
    card = page.locator("article")
    expect(card.locator(".badge")).to_have_text(re.compile("Your own"))
    expect(card).to_contain_text("Likely copy")
    expect(card).to_contain_text("cropped")
    expect(card).to_contain_text("Laid over each other, the pictures agree in their fine detail.")
    expect(card).to_contain_text("denim-jacket.jpg")
    expect(page.locator("#progress")).to_have_text(f"{COPY.name}: Your own.")
    expect(card.locator(".side_by_side img")).to_be_visible()
    range_ = card.get_by_role("slider", name="How much of the original is shown")
    range_.focus()
    before = card.locator(".over").evaluate("image => image.style.clipPath")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(range_).to_have_attribute("aria-valuetext", "52 % original")
    assert card.locator(".over").evaluate("image => image.style.clipPath") != before
    page.keyboard.press("End")
    assert " 0% " in card.locator(".over").evaluate("image => image.style.clipPath")
    sizes = card.locator(".stack img").evaluate_all("images => images.map((one) => [one.width, one.height])")
    assert sizes[0] == sizes[1]
    shot(page, "own-copy")
    card.get_by_text("More pictures of the comparison").click()
    expect(card.locator("figure.keypoints img")).to_be_visible()
    shot(page, "own-copy-more")
    expect(page.locator("#recent-list li").first).to_contain_text(COPY.name)
    card.get_by_role("button", name="Remove").click()
    expect(page.locator("article")).to_have_count(0)
    page.locator("#recent-list button").first.click()
    finished(page, COPY.name)


def test_a_stranger_sees_what_the_policy_allows(opened: Open, shot: Shot) -> None:
    page = sign_in(opened(), "shop")
    page.locator("#files").set_input_files([COPY, LISTINGS / "unrelated-watch.jpg"])
    finished(page, COPY.name)
    finished(page, "unrelated-watch.jpg")
    card = page.locator("article", has=page.get_by_role("heading", name=COPY.name))
    expect(card.locator(".badge")).to_have_text(re.compile("No licence known"))
    expect(card).to_contain_text("The owner's policy shows you which part of your picture matches")
    expect(card.locator("figure.outline img")).to_be_visible()
    expect(card.locator("figure.thumbnail img")).to_be_visible()
    expect(card.get_by_role("slider")).to_have_count(0)
    assert "denim-jacket.jpg" not in card.inner_text().replace(COPY.name, "")
    clear = page.locator("article", has=page.get_by_role("heading", name="unrelated-watch.jpg"))
    expect(clear.locator(".badge")).to_have_text(re.compile("Nothing found"))
    shot(page, "stranger")


def test_a_pasted_picture_and_another_photograph(opened: Open, shot: Shot) -> None:
    page = sign_in(opened())
    hand_over(page, "paste", LISTINGS / "other-photo-of-same-cap.jpg")
    finished(page, "other-photo-of-same-cap.jpg")
    expect(page.locator("article .badge")).to_have_text(re.compile("Nothing found|A person should look"))
    shot(page, "another-photograph")


def test_pasted_text_goes_into_the_field(opened: Open) -> None:
    page = sign_in(opened())
    page.get_by_label("Address of a picture").focus()
    page.keyboard.insert_text("https://shop.example/a.jpg")
    expect(page.get_by_label("Address of a picture")).to_have_value("https://shop.example/a.jpg")
    expect(page.locator("article")).to_have_count(0)


def test_errors_are_told_with_what_to_do(opened: Open, told: Told, shot: Shot, tmp_path) -> None:
    page = sign_in(opened())
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(COPY.read_bytes()[:2000])
    page.locator("#files").set_input_files(broken)
    problem = page.locator("article .problem")
    expect(problem).to_contain_text(re.compile("Corrupt image"))
    expect(problem).to_contain_text("export it again")
    page.get_by_label("Address of a picture").fill("not an address")
    page.keyboard.press("Enter")
    expect(page.locator("#told")).to_contain_text("That is not an address of a picture")
    expect(page.get_by_label("Address of a picture")).to_be_focused()
    shot(page, "errors")
    told.expected += [r"status of 422"]


def test_an_address_that_may_not_be_fetched(opened: Open, told: Told) -> None:
    page = sign_in(opened())
    page.get_by_label("Address of a picture").fill("http://127.0.0.1:1/a.jpg")
    page.get_by_role("button", name="Check the address").click()
    expect(page.locator("article .problem")).to_contain_text("Fetch refused")
    told.expected += [r"status of 422"]


def test_with_the_keyboard_alone(opened: Open) -> None:
    page = opened()
    page.goto("/sign-in")
    expect(page.get_by_label("Email address")).to_be_focused()
    page.keyboard.type("studio@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("html.started").wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#files")).to_be_focused()
    outline = page.locator("label[for=files]").evaluate("label => getComputedStyle(label).outlineStyle")
    assert outline == "solid"
    _chosen_with_space(page).set_files(COPY)
    finished(page, COPY.name)
    page.get_by_role("slider").wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "range":
            break
    expect(page.get_by_role("slider")).to_be_focused()


def _chosen_with_space(page: Page) -> FileChooser:
    """On a busy machine Chromium now and then takes the first press for one without a person behind it."""
    for _ in range(3):
        try:
            with page.expect_file_chooser(timeout=8_000) as chooser:
                page.keyboard.press("Space")
        except PlaywrightTimeout:
            continue
        return chooser.value
    raise AssertionError("the space bar opens no file chooser")


def test_signing_out(opened: Open, told: Told, site: Site) -> None:
    page = sign_in(opened())
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.goto("/")
    assert "/sign-in?to=" in page.url


def test_a_session_that_has_ended(opened: Open, told: Told) -> None:
    page = sign_in(opened())
    page.context.clear_cookies()
    hand_over(page, "drop", COPY)
    page.wait_for_url("**/sign-in?*over=1")
    expect(page.get_by_role("alert")).to_have_text("Your session has ended. Sign in again.")
    told.expected += [UNAUTHORISED]


def test_an_invitation(opened: Open, site: Site, told: Told, shot: Shot) -> None:
    page = opened()
    page.goto(f"/accept#{site.invitation}")
    expect(page.get_by_role("status")).to_contain_text("new@example.org")
    assert page.url == f"{site.place}/accept"
    page.get_by_label("Choose a password").fill("a fresh sentence to remember")
    page.get_by_label("Repeat the password").fill("another one")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_contain_text("not the same")
    shot(page, "accept")
    page.get_by_label("Repeat the password").fill("a fresh sentence to remember")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("status")).to_contain_text("The password is set.")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in")
    page.goto(f"/accept#{site.invitation}")
    expect(page.get_by_role("alert")).to_contain_text("Authentication required")
    page.goto("about:blank")
    page.goto("/accept")
    expect(page.get_by_role("alert")).to_contain_text("no invitation")
    told.expected += [UNAUTHORISED]


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, True), (PHONE, False), (PHONE, True)])
def test_small_and_dark(size: tuple[int, int], dark: bool, opened: Open, shot: Shot) -> None:
    page = sign_in(opened(size=size, dark=dark, still=True))
    hand_over(page, "drop", COPY)
    finished(page, COPY.name)
    page.get_by_role("slider").wait_for()
    page.get_by_text("Measurements", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    shot(page, f"{size[0]}-{'dark' if dark else 'light'}")
