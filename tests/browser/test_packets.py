"""The page of evidence packets on the real service: built, downloaded, verified, deleted."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from imgguard.bootstrap import Services
from imgguard.settings import Settings

from .conftest import DESKTOP, PHONE, Open, Site, Told, sign_in
from .test_check_page import COPY, finished
from .test_what_is_shown import answer

pytestmark = pytest.mark.browser

type Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def reference_id(site: Site) -> str:
    """Of an original of the studio."""
    with Services(Settings(home=site.home)) as services:
        (mug,) = [one for one in services.catalogue.references() if one.file == "mug.jpg"]
        return mug.reference_id


def opened_at(page: Page, path: str) -> Page:
    page.goto(path)
    page.locator("html.started").wait_for()
    return page


def downloaded(page: Page, place: Locator, folder: Path, name: str) -> Path:
    with page.expect_download() as download:
        place.get_by_role("link", name=name).first.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def verified(page: Page, packet: Path, *, trust: Path | None = None, level: str = "Integrity") -> Locator:
    page.locator("#packet").set_input_files(packet)
    expect(page.locator("#packet-chosen")).to_have_text(f"Chosen: {packet.name}")
    if trust is not None:
        page.locator("#trust").set_input_files(trust)
    page.get_by_role("radio", name=level).check()
    page.get_by_role("button", name="Verify").click()
    report = page.locator("#report article")
    expect(report).to_be_focused()
    return report


def test_from_a_check_to_a_packet_that_is_verified(opened: Open, shot: Shot, tmp_path: Path) -> None:
    page = sign_in(opened())
    page.locator("#files").set_input_files(COPY)
    finished(page, COPY.name)
    page.get_by_role("link", name="Build an evidence packet").click()
    page.locator("html.started").wait_for()
    expect(page.locator("#subjects li")).to_contain_text(f"Check of {COPY.name}")
    expect(page.get_by_role("link", name="Evidence packets")).to_have_attribute("aria-current", "page")
    page.get_by_role("radio", name="A complaint").check()
    page.get_by_label("On whose behalf?").fill("Ann's Studio")
    shot(page, "packets-build")
    page.get_by_role("button", name="Build the packet").click()

    made = page.locator("#made")
    expect(made).to_be_visible(timeout=120_000)
    expect(made).to_contain_text("Ann's Studio")
    expect(made).to_contain_text("existed no later than")
    expect(made).to_contain_text("What is missing")
    expect(made).to_contain_text("What speaks against it")
    expect(made.locator(".command")).to_have_text(re.compile(r"^imgguard packet verify pkt_\w+\.asice --level"))
    expect(page.locator("#packet-list li").first).to_contain_text("A complaint")
    assert re.search(r"/packets\?packet=pkt_\w+$", page.url)
    shot(page, "packets-made")
    packet = downloaded(page, made, tmp_path, "Download")
    trust = downloaded(page, made, tmp_path, "keys of this installation")
    assert re.fullmatch(r"pkt_\w+\.asice", packet.name)

    report = verified(page, packet)
    expect(report.locator(".badge")).to_have_text("✓ Holds: Integrity")
    expect(report).to_contain_text("ORIGIN NOT VERIFIED: nothing here says who made this packet, or when.")
    expect(report.locator(".steps li")).to_have_count(10)
    shot(page, "packets-verified")
    report = verified(page, packet, level="Logged")
    expect(report.locator(".badge")).to_have_text("✗ Does not hold: Logged")
    report = verified(page, packet, trust=trust, level="Logged")
    expect(report.locator(".badge")).to_have_text("✓ Holds: Logged")
    expect(report).not_to_contain_text("ORIGIN NOT VERIFIED")
    expect(report).to_contain_text("is one that the log")
    shot(page, "packets-verified-logged")

    data = bytearray(packet.read_bytes())
    data[len(data) // 2] ^= 1
    tampered = tmp_path / "tampered.asice"
    tampered.write_bytes(data)
    report = verified(page, tampered)
    expect(report.locator(".badge")).to_have_text("✗ Does not hold: Integrity")
    expect(report).to_contain_text("No level holds.")
    expect(report.locator(".steps .failed")).to_have_count(1)
    expect(report.get_by_role("heading", name="Proven", exact=True)).to_have_count(0)
    shot(page, "packets-tampered")


def test_nonsense_is_no_packet_and_nothing_is_none(opened: Open, told: Told, tmp_path: Path, shot: Shot) -> None:
    page = opened_at(sign_in(opened(), "shop"), "/packets")
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#verify-told")).to_contain_text("Choose a packet first")
    expect(page.locator("#packet")).to_be_focused()
    nonsense, trust = tmp_path / "<b>‮nonsense.asice", tmp_path / "trust.toml"
    nonsense.write_bytes(b"no packet")
    trust.write_text("no trust file")
    page.locator("#packet").set_input_files(nonsense)
    expect(page.locator("#packet-chosen")).to_have_text("Chosen: <b>\\u{202e}nonsense.asice")
    page.get_by_role("button", name="Verify").click()
    report = page.locator("#report article")
    expect(report.get_by_role("heading", level=3)).to_have_text("<b>\\u{202e}nonsense.asice")
    expect(report.locator(".steps .failed")).to_contain_text("it is none, is cut short")
    expect(page.locator("#verify-told")).to_be_empty()
    page.locator("#trust").set_input_files(trust)
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#verify-told")).to_contain_text("The trust file: it is no TOML")
    expect(page.locator("#report")).to_be_empty()
    shot(page, "packets-nonsense")
    told.expected += [r"status of 422"]


def test_what_is_not_ones_own_is_told(opened: Open, reference_id: str, told: Told) -> None:
    page = opened_at(sign_in(opened(), "shop"), f"/packets?id={reference_id}")
    expect(page.locator("#subjects li")).to_contain_text(re.compile("Permission denied|Not found"))
    page.get_by_role("button", name="Build the packet").click()
    expect(page.locator("#build-told .problem")).to_be_visible()
    expect(page.locator("#made")).to_be_hidden()
    told.expected += [r"status of 40[34]"]


def test_ids_are_added_with_the_keyboard_and_taken_out(opened: Open, reference_id: str) -> None:
    page = opened_at(sign_in(opened()), "/packets")
    field, chosen = page.get_by_label("What is it about?"), page.locator("#subjects li")
    field.fill("nonsense")
    page.keyboard.press("Enter")
    expect(page.locator("#build-told")).to_contain_text("That is no id")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    field.fill(f" {reference_id}, {reference_id} ")
    page.keyboard.press("Enter")
    expect(chosen).to_have_count(1)
    expect(chosen).to_contain_text("Original mug.jpg")
    expect(field).to_have_value("")
    expect(page.locator("#build-told")).to_be_empty()
    page.get_by_role("button", name=f"Take {reference_id} out").press("Enter")
    expect(chosen).to_have_count(0)
    page.get_by_role("button", name="Build the packet").press("Enter")
    expect(page.locator("#build-told")).to_contain_text("Say first what the packet is to be about")


def test_a_packet_is_deleted_when_it_was_asked_twice(opened: Open, reference_id: str, tmp_path: Path) -> None:
    page = opened_at(sign_in(opened()), f"/packets?id={reference_id}")
    page.get_by_role("checkbox", name="The registered files themselves").uncheck()
    page.get_by_role("button", name="Build the packet").click()
    expect(page.locator("#made")).to_be_visible(timeout=120_000)
    address, row = page.url, page.locator("#packet-list li").first
    downloaded(page, row, tmp_path, "Download")
    row.get_by_role("button", name="Delete the packet").click()
    expect(row.get_by_role("button", name="Keep it")).to_be_focused()
    row.get_by_role("button", name="Keep it").click()
    row.get_by_role("button", name="Delete the packet").click()
    row.get_by_role("button", name="Delete it").click()
    expect(row).to_contain_text("The file was deleted")
    expect(row.get_by_role("link")).to_have_count(0)
    expect(page.locator("#made")).to_be_hidden()
    opened_at(page, address)
    expect(page.locator("#made")).to_contain_text("The file was deleted")
    expect(page.locator("#made").get_by_role("link", name="Download")).to_have_count(0)


def test_an_admin_can_verify_and_no_more(opened: Open) -> None:
    page = sign_in(opened(), "studio.admin")
    opened_at(page, "/packets")
    expect(page.locator("#verify")).to_be_visible()
    expect(page.locator("#build")).to_be_hidden()
    expect(page.locator("#list")).to_be_hidden()


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, True), (PHONE, False), (PHONE, True)])
def test_it_fits_narrow_and_dark_screens(
    size: tuple[int, int], dark: bool, opened: Open, reference_id: str, shot: Shot, tmp_path: Path
) -> None:
    page = opened_at(sign_in(opened(size=size, dark=dark)), f"/packets?id={reference_id}")
    page.get_by_role("button", name="Build the packet").click()
    expect(page.locator("#made")).to_be_visible(timeout=120_000)
    packet = downloaded(page, page.locator("#made"), tmp_path, "Download")
    verified(page, packet, level="Witnessed")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    shot(page, f"packets-{size[0]}-{'dark' if dark else 'light'}")


def test_a_packet_is_told_in_words_that_strangers_cannot_bend(opened: Open, shot: Shot) -> None:
    page = sign_in(opened())
    stamp = {"at": "2026-02-14T09:31:07.25Z", "by": "Example <TSA>\u202e", "basis": "timestamp", "trust": "independent"}
    told = {
        "packet_id": "pkt_1",
        "organisation_id": "org_1",
        "member_id": "mem_1",
        "state": "kept",
        "purpose": "defence",
        "on_behalf_of": "<img src=x onerror=alert(1)>",
        "references": [
            {"reference_id": "ref_1", "existed_no_later_than": [stamp, {**stamp, "by": "Log", "trust": "self_issued"}]},
            {"reference_id": "ref_2", "existed_no_later_than": []},
        ],
        "findings": ["fnd_1"],
        "missing": [{"code": "no_witness", "detail": "No independent witness has seen the log."}],
        "against": [{"code": "earlier", "detail": "Somebody else registered it \u202eearlier."}],
        "byte_length": 1_894_213,
        "sha256": "9f" * 32,
        "created_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-31T12:00:00Z",
        "ended_at": None,
        "file": "/v1/packets/pkt_1/file",
    }
    answer(page, "**/v1/packets/pkt_1", told)
    opened_at(page, "/packets?packet=pkt_1")
    made = page.locator("#made")
    expect(made.locator("li.bound")).to_have_text(
        [
            "ref_1 existed no later than 2026-02-14 09:31:07 UTC, says Example <TSA>\\u{202e} "
            "(independent of this installation)",
            "ref_1 existed no later than 2026-02-14 09:31:07 UTC, says Log "
            "(not independent: this installation's own word)",
        ]
    )
    expect(made).to_contain_text("ref_2: nobody says since when it exists.")
    expect(made).to_contain_text("Somebody else registered it \\u{202e}earlier.")
    expect(made).to_contain_text("<img src=x onerror=alert(1)>")
    expect(made).to_contain_text("1.9 MB")
    expect(made.locator("img")).to_have_count(0)
    shot(page, "packets-told")


def test_a_build_that_failed_is_told_and_not_tried_again_by_itself(opened: Open, reference_id: str, told: Told) -> None:
    page = opened_at(sign_in(opened()), f"/packets?id={reference_id}")
    problem = {
        "status": 503,
        "code": "worker_crashed",
        "title": "Worker crashed",
        "detail": "It ended.",
        "hint": "Tell.",
    }
    asked = answer(page, "**/v1/packets", problem, 503, **{"Retry-After": "1"})
    page.get_by_role("button", name="Build the packet").click()
    expect(page.locator("#build-told")).to_contain_text("Worker crashed")
    expect(page.get_by_role("button", name="Build the packet")).to_be_enabled()
    page.wait_for_timeout(1500)
    assert len(asked) == 1
    told.expected += [r"status of 503"]
