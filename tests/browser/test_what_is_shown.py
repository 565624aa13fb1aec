"""What the page makes of answers that a small store does not give: these come from the tests, all else is real."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from .conftest import DESKTOP, PHONE, SAMPLES, Open, Told, hand_over, sign_in

pytestmark = pytest.mark.browser

COPY = SAMPLES / "listings" / "copy-mirrored-mug.jpg"
PICTURE = (SAMPLES / "originals" / "mug.jpg").read_bytes()
FULL = ["side_by_side", "aligned", "checkerboard", "overlay_query", "overlay_reference"]

type Shot = Callable[[Page, str], None]


def match(**fields: Any) -> dict[str, Any]:
    told = {
        "match_id": "fnd_1.1",
        "number": 1,
        "disclosure": "full",
        "is_own": False,
        "standing": "unlicensed",
        "licence": {"status": "none", "licence_id": None, "ends_at": None, "because": []},
        "decision": None,
        "verdict": "copy",
        "strength": "very_strong",
        "file": "mug.jpg",
        "owner": "Sample Studio",
        "relation": "edited",
        "reasons": ["pixels_agree", "a_new_reason"],
        "query_coverage": 0.995,
        "edits": ["mirrored", "a_new_edit"],
        "log10_likelihood_ratio": 3.2,
        "agreement": 0.97,
        "reference_coverage": 0.9,
    }
    return told | fields


def hidden(disclosure: str, **fields: Any) -> dict[str, Any]:
    shown = ("match_id", "number", "is_own", "standing", "licence", "decision", "verdict", "strength")
    return {name: value for name, value in match().items() if name in shown} | {"disclosure": disclosure} | fields


def check(*matches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    told = {
        "finding_id": "fnd_1",
        "checked_at": "2026-03-01T12:00:00Z",
        "file": COPY.name,
        "sha256": "0" * 64,
        "width": 400,
        "height": 400,
        "profile": "thorough",
        "use": None,
        "verdict": "copy",
        "conclusion": "unlicensed",
        "reasons": ["pixels_agree"],
        "matches": list(matches),
        "weights": "",
        "calibration": "",
    }
    return told | fields


def answer(page: Page, pattern: str, body: object, status: int = 200, **headers: str) -> list[str]:
    """Have requests answered here; the list has those that came."""
    asked: list[str] = []

    def fulfil(route: Route) -> None:
        asked.append(f"{route.request.method} {route.request.url}")
        if isinstance(body, bytes):
            route.fulfill(body=body, content_type="image/jpeg")
            return
        kind = "application/json" if status < 400 else "application/problem+json"
        route.fulfill(status=status, body=json.dumps(body), headers={"Content-Type": kind, **headers})

    page.route(pattern, fulfil)
    return asked


def with_check(page: Page, made: dict[str, Any], pictures: list[str] | None = None) -> list[str]:
    """Sign in, and show ``made`` as the result for a dropped picture; the list has what was asked of its pictures."""
    sign_in(page, "shop")
    answer(page, "**/v1/checks", made)
    answer(page, "**/v1/checks/*/matches/*/pictures/*", PICTURE)
    asked = answer(page, "**/v1/checks/*/matches/*/pictures", {"pictures": pictures or []})
    hand_over(page, "drop", COPY)
    expect(page.locator("article .conclusion")).to_be_visible()
    return asked


def test_a_match_shown_whole(opened: Open, shot: Shot) -> None:
    page = opened()
    with_check(page, check(match()), FULL)
    card = page.locator("article")
    expect(card.get_by_role("slider")).to_have_attribute("aria-valuetext", "50 % original")
    expect(card).to_contain_text("> 99 %")
    expect(card).to_contain_text("a new reason")
    expect(card.locator(".chips")).to_have_text("mirroreda new edit")
    expect(card).to_contain_text("No licence is recorded here.")
    stack = card.locator(".stack")
    stack.scroll_into_view_if_needed()
    box = stack.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
    page.mouse.up()
    expect(card.get_by_role("slider")).to_have_value("25")
    shot(page, "whole")


@pytest.mark.parametrize(
    ("disclosure", "said"),
    [("contact", "tells you only that there is a match"), ("erased", "This original was erased.")],
)
def test_what_is_withheld_is_said(disclosure: str, said: str, opened: Open, shot: Shot) -> None:
    page = opened()
    fields = {} if disclosure == "contact" else dict.fromkeys(("standing", "licence", "verdict", "strength"))
    asked = with_check(page, check(hidden(disclosure, **fields)), FULL)
    card = page.locator("article")
    expect(card).to_contain_text(said)
    expect(card.locator("h4")).to_have_text("Match 1")
    expect(card.locator("figure")).to_have_count(0)
    assert "undefined" not in card.inner_text()
    assert "null" not in card.inner_text()
    assert asked == []
    shot(page, f"withheld-{disclosure}")


def test_licences_and_decisions_in_words(opened: Open) -> None:
    page = opened()
    licence = {
        "status": "out_of_scope",
        "licence_id": "lic_1",
        "ends_at": "2027-01-01T00:00:00Z",
        "because": ["platform"],
    }
    decision = {"kind": "confirmed_copy", "decided_at": "2026-03-02T12:00:00Z", "by": "reviewer"}
    with_check(page, check(match(licence=licence, decision=decision, standing="confirmed")), [])
    card = page.locator("article")
    expect(card).to_contain_text("You hold a licence, but not for this use.")
    expect(card).to_contain_text("It does not cover this platform, or none was named.")
    expect(card).to_contain_text("A copy, by a reviewer")


def test_names_of_strangers_are_texts(opened: Open) -> None:
    page = opened()
    name = "<img src=x onerror=alert(1)>\u202egpj.exe"
    with_check(page, check(match(file=name, owner=name), file=name), [])
    heading = page.locator("article h4")
    expect(heading).to_have_text("Match 1: <img src=x onerror=alert(1)>\\u{202e}gpj.exe")
    assert page.locator("article img[src=x]").count() == 0


def test_where_a_picture_was_fetched(opened: Open) -> None:
    page = opened()
    url = "https://shop.example/<b>1</b>.jpg?\u202e"
    captured = {"url": url, "final_url": url, "fetched_at": "2026-03-01T11:59:58Z"}
    with_check(page, check(match(), captured=captured), [])
    card = page.locator("article")
    expect(card.get_by_text("Fetched")).to_contain_text("2026")
    expect(card.get_by_text("Fetched")).to_contain_text("from https://shop.example/<b>1</b>.jpg?\\u{202e}")


def test_a_check_that_takes_longer(opened: Open) -> None:
    page = sign_in(opened(), "shop")
    job = {"job_id": "job_1", "state": "queued", "is_over": False}
    looked = iter([job | {"state": "running"}, job | {"state": "done", "is_over": True}])
    answer(page, "**/v1/checks", job, status=202)
    page.route("**/v1/jobs/job_1", lambda route: route.fulfill(json=next(looked)))
    item = {"position": 1, "state": "done", "error": None, "result": {"finding_id": "fnd_1"}}
    answer(page, "**/v1/jobs/job_1/items", {"items": [item], "next_cursor": None})
    answer(page, "**/v1/checks/fnd_1", check(conclusion="clear", verdict="no_match", reasons=["no_candidate"]))
    hand_over(page, "drop", COPY)
    expect(page.locator("article .badge")).to_contain_text("Nothing found")


def test_an_item_that_failed_is_told_as_the_error_it_is(opened: Open) -> None:
    page = sign_in(opened(), "shop")
    answer(page, "**/v1/checks", {"job_id": "job_1", "state": "done", "is_over": True}, status=202)
    item = {
        "position": 1,
        "state": "failed",
        "result": None,
        "error": {"code": "worker_crashed", "detail": "it ended twice"},
    }
    answer(page, "**/v1/jobs/job_1/items", {"items": [item], "next_cursor": None})
    hand_over(page, "drop", COPY)
    expect(page.locator("article .problem")).to_contain_text("Worker crashed")
    expect(page.locator("article .problem")).to_contain_text("It ended twice.")


def test_when_there_is_too_much_to_do_it_tries_again_with_the_same_key(opened: Open, told: Told) -> None:
    page = sign_in(opened(), "shop")
    keys: list[str] = []

    def busy_once(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        keys.append(route.request.headers["idempotency-key"])
        problem = {"title": "Queue full", "status": 503, "detail": "later", "code": "queue_full", "hint": ""}
        if len(keys) == 1:
            route.fulfill(
                status=503,
                body=json.dumps(problem),
                headers={"Content-Type": "application/problem+json", "Retry-After": "1"},
            )
        else:
            route.fulfill(json=check(conclusion="clear", verdict="no_match"))

    page.route("**/v1/checks", busy_once)
    hand_over(page, "drop", COPY)
    expect(page.locator("article")).to_contain_text("Busy. Trying again in 1 s …")
    expect(page.locator("article .badge")).to_contain_text("Nothing found")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    told.expected += [r"status of 503"]


def test_an_address_that_is_refused(opened: Open, told: Told) -> None:
    page = sign_in(opened(), "shop")
    problem = {
        "title": "Fetch refused",
        "status": 422,
        "detail": "not public",
        "code": "fetch_refused",
        "hint": "Use another.",
    }
    answer(page, "**/v1/checks/by-url", problem, status=422)
    page.get_by_text("What is the listing for?").click()
    page.get_by_label("Platform").fill("etsy")
    page.get_by_label("Address of a picture").fill("http://shop.example/a.jpg")
    with page.expect_request("**/v1/checks/by-url") as asked:
        page.get_by_role("button", name="Check the address").click()
    assert asked.value.post_data_json == {"url": "http://shop.example/a.jpg", "platform": "etsy"}
    expect(page.locator("article .problem")).to_contain_text("Fetch refused")
    expect(page.locator("article .problem")).to_contain_text("Use another.")
    told.expected += [r"status of 422"]


def test_a_service_that_cannot_be_reached(opened: Open, told: Told) -> None:
    page = sign_in(opened(), "shop")
    page.route("**/v1/checks", lambda route: route.abort())
    hand_over(page, "drop", COPY)
    expect(page.locator("article .problem")).to_contain_text("The service cannot be reached")
    told.expected += [r"ERR_FAILED"]


def test_who_may_not_check_is_told_so(opened: Open) -> None:
    page = opened()
    sign_in(page, "shop.admin")
    expect(page.locator("#told")).to_contain_text("Your role does not allow checking pictures.")
    expect(page.locator("#drop")).to_be_hidden()


_NAMELESS = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary")].filter((one) => {
    if (!one.checkVisibility()) return false;
    const labelled = [...(one.labels ?? [])].map((label) => label.textContent).join("");
    const said = labelled + (one.getAttribute("aria-label") ?? "") + one.textContent;
    return !said.trim();
}).map((one) => one.outerHTML)"""

_PALE = """() => {
    const parts = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const under = (one) => {
        for (let at = one; at; at = at.parentElement) {
            const colour = parts(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
    };
    return [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() && !one.disabled
        && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())).map((one) => {
        const [a, b] = [light(parts(getComputedStyle(one).color)), light(under(one))].sort((x, y) => y - x);
        return [(a + 0.05) / (b + 0.05), one.textContent.trim().slice(0, 40)];
    }).filter(([ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_everything_has_a_name_and_can_be_read(size: tuple[int, int], dark: bool, opened: Open, shot: Shot) -> None:
    page = opened(size=size, dark=dark, still=True)
    page.goto("/sign-in")
    assert page.evaluate(_NAMELESS) == []
    assert page.evaluate(_PALE) == []
    name = f"{'a-very-long-name-' * 8}.jpg"
    with_check(page, check(match(file=name), hidden("contact", number=2), file=name), FULL)
    page.get_by_role("slider").wait_for()
    page.locator("#url").fill("no")
    page.keyboard.press("Enter")
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate(_NAMELESS) == []
    assert page.evaluate(_PALE) == []
    assert page.locator("img:not([alt])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    for one in page.locator("button:visible, .button:visible, input[type=range]").all():
        box = one.bounding_box()
        assert box is not None
        assert box["height"] >= 24, one.inner_text()  # WCAG 2.2, 2.5.8
    shot(page, f"names-{size[0]}-{'dark' if dark else 'light'}")


def test_nothing_moves_for_who_wants_that(opened: Open) -> None:
    page = sign_in(opened(still=True), "shop")
    page.route("**/v1/checks", lambda route: None)  # never answered
    hand_over(page, "drop", COPY)
    state = page.locator("article .state")
    expect(state).to_contain_text("Checking")
    assert state.evaluate("one => getComputedStyle(one, '::before').animationName") == "none"
