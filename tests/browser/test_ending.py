"""Licences that end soon are on the page of both sides, and of nobody else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from imgguard.bootstrap import Services
from imgguard.registry.access import actor_for
from imgguard.services.licences import Terms
from imgguard.settings import Settings

from .conftest import Site, sign_in

pytestmark = pytest.mark.browser

type Open = Callable[..., Page]
type Shot = Callable[[Page, str], None]


def test_licences_that_end_soon(opened: Open, site: Site, shot: Shot) -> None:
    page = sign_in(opened())
    expect(page.locator("#recent")).to_be_visible()
    expect(page.locator("#ending")).to_be_hidden()
    with Services(Settings(home=site.home)) as services:
        accounts = services.accounts
        studio, shop = (accounts.organisation_named(name) for name in ("Sample Studio", "Honest Shop"))
        member = accounts.member_with_email("studio@example.org")
        assert studio and shop and member  # noqa: PT018 - for the type
        terms = Terms(ends_at=services.clock.now() + timedelta(days=3))
        services.licences.grant(actor_for(member, studio), terms, licensee_id=shop.organisation_id)
    page.reload()
    expect(page.get_by_role("region", name="Licences that end soon")).to_contain_text("You license Honest Shop until")
    shot(page, "ending")
    expect(sign_in(opened(), "shop").locator("#ending")).to_contain_text("Sample Studio licenses you until")
