"""Signing in by an identity provider, as a browser does it: over the real application and a provider on loopback."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from local_provider import LocalProvider, Person, local_provider

from imgguard.api.app import create_app
from imgguard.bootstrap import Services
from imgguard.ports import Proof
from imgguard.registry.accounts import Action, LinkedIdentity
from imgguard.services import tokens
from imgguard.services.audit import event_of
from imgguard.services.single_sign_on import LIFETIME
from imgguard.settings import Settings

from .client import Client, assert_problem, serving
from .conftest import PASSWORD, World, fast, signed_in

BEGIN, CALLBACK, METHODS = "/v1/session/oidc", "/v1/session/oidc/callback", "/v1/session/methods"
INVITED = "/v1/invitations/oidc"
BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
SELLER = "studio.seller"


@pytest.fixture
def provider() -> Iterator[LocalProvider]:
    with local_provider() as made:
        made.person = Person(email=World.email(SELLER))
        yield made


@pytest.fixture
def site(provider: LocalProvider, world: World) -> Iterator[Services]:
    """Registered at ``provider``, where the studio's seller is known as the person it lets in."""
    with fast(Services(Settings(home=world.home, **provider.settings()))) as services:
        introduce(services, world.members[SELLER], provider.person)
        yield services


def introduce(site: Services, member_id: str, person: Person) -> None:
    """Link them, without a browser."""
    now, token = site.clock.now(), site.members.reset(site.organisations.console(), member_id).token or ""
    event = event_of(site.organisations.console(), Action.MEMBER_CHANGED, member_id, at=now)
    identity = LinkedIdentity(
        issuer=str(site.settings.oidc_issuer), subject=person.sub, member_id=member_id, created_at=now
    )
    proof = Proof(by="invitation", token_sha256=tokens.digest(token))
    assert site.sign_ins.link(identity, proof=proof, event=event)


@pytest.fixture
def browser(site: Services) -> Iterator[Client]:
    """One that knows nobody yet."""
    with serving(create_app(site)) as client:
        yield client


def out(browser: Client, return_to: str | None = None) -> str:
    """Press the button: where the provider sends the browser back to."""
    begun = browser.get(BEGIN, params={} if return_to is None else {"return_to": return_to})
    assert begun.status_code == 303, begun.text
    led = httpx.get(begun.headers["location"])
    assert led.status_code == 302, led.text
    return led.headers["location"]


def back(browser: Client, place: str, **more: Any) -> httpx.Response:
    parts = urlsplit(place)
    assert (f"{parts.scheme}://{parts.netloc}", parts.path) == ("http://localhost", CALLBACK)
    # What Chromium says of a redirect from another site.
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", **more.pop("headers", {})}
    return browser.get(f"{parts.path}?{parts.query}", headers=headers, **more)


def by_provider(browser: Client, return_to: str | None = None) -> httpx.Response:
    return back(browser, out(browser, return_to))


def events(site: Services) -> list[tuple[str, dict[str, object]]]:
    return [(str(event.action), dict(event.detail)) for event in site.audit_trail.events(limit=1000)]


# the way that works


def test_a_member_signs_in_by_the_provider(browser: Client, site: Services, world: World) -> None:
    answer = by_provider(browser, "/?check=fnd_1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?check=fnd_1")
    who = browser.get("/v1/session").json()
    assert (who["member_id"], who["roles"], who["key_id"]) == (world.members[SELLER], ["seller"], None)
    assert events(site)[-1] == ("session.opened", {"by": "oidc"})
    # It is a session like any other: with its CSRF token, and an end.
    assert_problem(browser.delete("/v1/session"), 403, "permission_denied")
    assert browser.delete("/v1/session", headers={"X-CSRF-Token": who["csrf_token"]}).status_code == 204
    assert_problem(browser.get("/v1/session"), 401, "authentication_required")


def test_what_the_cookies_are(browser: Client) -> None:
    begun = browser.get(BEGIN)
    cookie = begun.headers["set-cookie"]
    assert cookie.startswith("imgguard_oidc=")
    for part in ("HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={int(LIFETIME.total_seconds())}"):
        assert part in cookie
    assert "Secure" not in cookie
    assert begun.headers["cache-control"] == "no-store"
    assert begun.headers["referrer-policy"] == "no-referrer"
    ended = by_provider(browser)
    session, gone = ended.headers.get_list("set-cookie")
    assert session.startswith("imgguard_session=")
    assert "SameSite=lax" in session
    assert gone.startswith('imgguard_oidc=""')
    assert "Max-Age=0" in gone


def test_behind_https_cookies_are_the_hosts_own_and_the_provider_is_told_its_address(
    provider: LocalProvider, world: World, site: Services
) -> None:
    settings = Settings(home=world.home, public_url="https://imgguard.example.org", **provider.settings())
    with fast(Services(settings)) as services, serving(create_app(services)) as client:
        begun = client.get(BEGIN)
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["redirect_uri"] == [f"https://imgguard.example.org{CALLBACK}"]
    assert begun.headers["set-cookie"].startswith("__Host-imgguard-oidc=")
    assert "; Secure" in begun.headers["set-cookie"]


def test_what_the_provider_is_asked(browser: Client, provider: LocalProvider) -> None:
    asked = [parse_qs(urlsplit(browser.get(BEGIN).headers["location"]).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name][0]) == 43
    assert asked[0]["scope"] == ["openid email profile"]
    assert asked[0]["redirect_uri"] == [f"http://localhost{CALLBACK}"]
    by_provider(browser)
    assert provider.asked["grant_type"] == "authorization_code"
    assert "client_secret" not in provider.asked


def test_an_address_that_changes_at_the_provider(browser: Client, provider: LocalProvider, world: World) -> None:
    by_provider(browser)
    # The same person has another address now, which even is another member's here.
    provider.person = Person(email=World.email("studio.admin"))
    second = browser.another()
    by_provider(second)
    assert second.get("/v1/session").json()["member_id"] == world.members[SELLER]


def test_an_address_only_from_the_userinfo_endpoint(browser: Client, provider: LocalProvider) -> None:
    provider.in_userinfo = True
    assert by_provider(browser).headers["location"] == "/"
    assert provider.seen[-1] == "/userinfo"
    assert browser.get("/v1/session").status_code == 200


def test_a_public_client_has_no_secret(provider: LocalProvider, world: World) -> None:
    provider.client_secret = None
    settings = Settings(home=world.home, **provider.settings())
    with fast(Services(settings)) as services, serving(create_app(services)) as client:
        introduce(services, world.members[SELLER], provider.person)
        assert by_provider(client).headers["location"] == "/"


# the first time


NEW = Person(sub="new", email="new@example.org", email_verified=None)


@pytest.fixture
def invitation(browser: Client) -> str:
    """The token of a new seller of the studio."""
    admin = signed_in(browser, "studio.admin")
    made = admin.post("/v1/members", json={"email": "new@example.org", "name": "New", "roles": ["seller"]})
    return str(made.json()["secret"])


def out_with(browser: Client, token: str) -> str:
    """Press the button on the page of an invitation: where the provider sends the browser back to."""
    begun = browser.post(INVITED, json={"token": token})
    assert begun.status_code == 200, begun.text
    return leading(browser, begun.json()["url"])


def leading(browser: Client, url: str) -> str:
    led = httpx.get(url)
    assert led.status_code == 302, led.text
    return led.headers["location"]


def test_an_invited_member_needs_no_password(
    browser: Client, site: Services, provider: LocalProvider, invitation: str
) -> None:
    looked = browser.post("/v1/invitations/lookup", json={"token": invitation}).json()
    assert (looked["organisation"], looked["invited_by"]) == ("Studio", World.email("studio.admin"))
    provider.person = NEW
    answer = back(browser, out_with(browser, invitation))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    who = browser.get("/v1/session").json()
    assert (who["organisation"], who["name"], who["is_linked"]) == ("Studio", "New", True)
    member = browser.get(f"/v1/members/{who['member_id']}").json()
    assert (member["has_password"], member["is_linked"]) == (False, True)
    linked, opened = events(site)[-2:]
    assert linked == ("identity.linked", {"issuer": site.settings.oidc_issuer, "by": "invitation"})
    assert opened == ("session.opened", {"by": "oidc"})
    for path, body in (("accept", {"password": PASSWORD}), ("lookup", {}), ("oidc", {})):
        used = browser.another().post(f"/v1/invitations/{path}", json={"token": invitation, **body})
        assert_problem(used, 401, "authentication_required")
    # From now on the button on the sign-in page is enough, whatever the address.
    provider.person = Person(sub=NEW.sub, email=None)
    again = browser.another()
    by_provider(again)
    assert again.get("/v1/session").json()["member_id"] == who["member_id"]


def test_the_invitation_stays_in_the_body(browser: Client, provider: LocalProvider, invitation: str) -> None:
    begun = browser.post(INVITED, json={"token": invitation})
    url, cookie = begun.json()["url"], begun.headers["set-cookie"]
    assert (begun.headers["cache-control"], begun.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert browser.get("/accept").headers["referrer-policy"] == "no-referrer"
    assert cookie.startswith("imgguard_oidc=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    for carried in (invitation, tokens.digest(invitation)):
        assert carried not in url + cookie
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == [f"http://localhost{CALLBACK}"]


def test_an_open_invitation_alone_links_nobody(
    browser: Client, site: Services, provider: LocalProvider, invitation: str
) -> None:
    provider.person = Person(sub="new", email="new@example.org", email_verified=True)
    assert_refused(browser, out(browser), "identity_unknown")
    # Nor does a password, that who invited can have set.
    accepted = browser.post("/v1/invitations/accept", json={"token": invitation, "password": PASSWORD})
    assert accepted.status_code == 200
    assert_refused(browser, out(browser), "identity_unknown")


@pytest.mark.parametrize(("email", "verified"), [("eve@example.org", True), ("eve@example.org", None), ("new", False)])
def test_somebody_else_is_signed_in_at_the_provider(
    email: str, verified: object, browser: Client, provider: LocalProvider, invitation: str
) -> None:
    provider.person = Person(sub="eve", email=email, email_verified=verified)
    assert_refused(browser, out_with(browser, invitation), "identity_unknown")
    provider.person = NEW
    assert back(browser, out_with(browser, invitation)).headers["location"] == "/"


@pytest.mark.parametrize("verified", [True, False, None, "true"])
@pytest.mark.parametrize("email", ["NEW@example.org", None])
def test_whether_the_address_is_verified_makes_no_difference(
    email: str | None, verified: object, browser: Client, provider: LocalProvider, invitation: str
) -> None:
    provider.person = Person(sub="new", email=email, email_verified=verified)
    assert back(browser, out_with(browser, invitation)).headers["location"] == "/"
    assert browser.get("/v1/session").json()["name"] == "New"


def test_who_is_another_member_already(browser: Client, provider: LocalProvider, invitation: str) -> None:
    provider.person = Person(email=None)  # the seller's
    assert_refused(browser, out_with(browser, invitation), "identity_unknown")
    assert browser.post("/v1/invitations/lookup", json={"token": invitation}).status_code == 200


def test_an_invitation_that_was_replaced_on_the_way(
    browser: Client, provider: LocalProvider, site: Services, invitation: str
) -> None:
    provider.person = NEW
    place = out_with(browser, invitation)
    member = site.accounts.member_with_email("new@example.org")
    assert member is not None
    newer = signed_in(browser, "studio.admin").post(f"/v1/members/{member.member_id}/invitation").json()["secret"]
    assert_refused(browser, place, "identity_unknown")
    assert back(browser, out_with(browser, newer)).headers["location"] == "/"


def test_an_invitation_is_taken_up_in_the_browser_that_has_it(
    browser: Client, provider: LocalProvider, invitation: str
) -> None:
    provider.person = NEW
    victim = browser.another()
    victim.get(BEGIN)
    assert_refused(victim, out_with(browser, invitation), "sign_in_expired")
    assert browser.post("/v1/invitations/lookup", json={"token": invitation}).status_code == 200


def test_pages_of_other_sites_cannot_take_it_up(browser: Client, invitation: str) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = browser.post(INVITED, json={"token": invitation}, headers=headers)
        assert_problem(answer, 403, "permission_denied")
        answer = signed_in(browser, "studio.admin").post(BEGIN, headers=headers)
        assert_problem(answer, 403, "permission_denied")
    form = browser.post(INVITED, data={"token": invitation})
    assert form.status_code == 415


def test_without_a_provider_there_is_only_the_password(with_session, client: Client) -> None:
    admin = with_session("studio.admin")
    made = admin.post("/v1/members", json={"email": "new@example.org", "roles": ["seller"]}).json()
    assert_problem(client.post(INVITED, json={"token": made["secret"]}), 404, "not_found")
    assert_problem(admin.post(BEGIN), 404, "not_found")


def test_a_provider_that_is_down_keeps_the_invitation(
    browser: Client, provider: LocalProvider, invitation: str
) -> None:
    provider.person = NEW
    place = out_with(browser, invitation)
    provider.answers["/token"] = (500, {})
    assert_refused(browser, place, "identity_provider_unavailable")
    provider.answers.clear()
    assert back(browser, out_with(browser, invitation)).headers["location"] == "/"


# the own account


def test_the_own_account_is_linked(browser: Client, provider: LocalProvider, site: Services, world: World) -> None:
    provider.person = Person(sub="admin", email=World.email("studio.admin"), email_verified=None)
    assert_refused(browser, out(browser), "identity_unknown")
    admin = signed_in(browser, "studio.admin")
    assert admin.get("/v1/session").json()["is_linked"] is False
    begun = admin.post(BEGIN)
    assert begun.status_code == 200, begun.text
    assert back(admin, leading(admin, begun.json()["url"])).headers["location"] == "/"
    who = admin.get("/v1/session").json()
    assert (who["member_id"], who["is_linked"]) == (world.members["studio.admin"], True)
    assert events(site)[-2] == ("identity.linked", {"issuer": site.settings.oidc_issuer, "by": "session"})
    by_provider(browser)
    assert browser.get("/v1/session").json()["member_id"] == who["member_id"]


def test_linking_needs_the_sessions_csrf_token(browser: Client) -> None:
    admin = signed_in(browser, "studio.admin")
    assert_problem(admin.post(BEGIN, headers={"X-CSRF-Token": "x"}), 403, "permission_denied")
    assert_problem(browser.post(BEGIN), 401, "authentication_required")


def test_who_signs_out_on_the_way_is_not_linked(browser: Client, provider: LocalProvider, site: Services) -> None:
    provider.person = Person(sub="admin", email=World.email("studio.admin"))
    admin = signed_in(browser, "studio.admin")
    place = leading(admin, admin.post(BEGIN).json()["url"])
    assert admin.delete("/v1/session").status_code == 204
    assert_refused(admin, place, "identity_unknown")
    assert "identity.linked" not in [action for action, _ in events(site)]


# which methods there are


def test_the_methods_are_told_to_strangers(browser: Client, client: Client) -> None:
    assert browser.get(METHODS).json() == {"password": True, "oidc": {"name": "Local Login"}}
    assert client.get(METHODS).json() == {"password": True, "oidc": None}
    assert_problem(client.get(BEGIN), 404, "not_found")
    assert_problem(client.get(CALLBACK), 404, "not_found")


# who is refused


def assert_refused(browser: Client, place: str, code: str) -> None:
    """A browser is led to the sign-in page, with nothing of what the provider said, and without a session."""
    answer = back(browser, place, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?problem={code}")
    assert "imgguard_session" not in answer.headers["set-cookie"]
    assert_problem(browser.get("/v1/session"), 401, "authentication_required")


def test_everybody_who_is_refused_hears_the_same(
    browser: Client, site: Services, provider: LocalProvider, world: World
) -> None:
    reviewer = Person(sub="reviewer", email=World.email("studio.reviewer"))
    introduce(site, world.members["studio.reviewer"], reviewer)
    site.members.disable(site.organisations.console(), world.members["studio.reviewer"])
    before = events(site)
    people = [
        Person(sub="a", email="nobody@example.org"),
        reviewer,  # disabled
        Person(sub="c", email=World.email(SELLER)),  # is somebody else there
        Person(sub="d", email=World.email("studio.admin")),  # is not linked
        Person(sub="e", email=None),
        Person(sub="f", email="not an address"),
    ]
    heard = []
    for person in people:
        provider.person = person
        other = browser.another()
        problem = assert_problem(back(other, out(other)), 401, "identity_unknown")
        heard.append(json.dumps(problem | {"request_id": ""}))
        assert "imgguard_session" not in other.cookies
    assert len(set(heard)) == 1
    assert events(site) == before


def test_a_linked_member_who_is_disabled(browser: Client, site: Services, world: World) -> None:
    by_provider(browser)
    site.members.disable(site.organisations.console(), world.members[SELLER])
    assert_problem(browser.get("/v1/session"), 401, "authentication_required")
    other = browser.another()
    assert_refused(other, out(other), "identity_unknown")


def test_a_member_whose_organisation_is_disabled(browser: Client, site: Services, world: World) -> None:
    site.organisations.disable(site.organisations.console(), world.organisations["studio"])
    assert_refused(browser, out(browser), "identity_unknown")
    member = site.accounts.member(world.members[SELLER])
    assert site.credentials.sessions(member.member_id) == []


def test_a_way_back_serves_once(browser: Client) -> None:
    place = out(browser)
    assert back(browser, place).headers["location"] == "/"
    browser.cookies.clear()
    assert_refused(browser, place, "sign_in_expired")


def test_another_browser_cannot_come_back(browser: Client, site: Services) -> None:
    # A stranger begins, and has somebody else's browser follow the link that leads back.
    place = out(browser)
    victim = browser.another()
    victim.get(BEGIN)
    assert_refused(victim, place, "sign_in_expired")
    assert_refused(browser.another(), out(browser.another()), "sign_in_expired")
    # And it is used up by that.
    assert_refused(browser, place, "sign_in_expired")


@pytest.mark.parametrize("query", ["", "?state=", "?state=x&code=y", f"?state={'x' * 9000}&code=1", "?code=1&state=é"])
def test_a_state_that_nobody_sent_out(query: str, browser: Client, provider: LocalProvider) -> None:
    browser.get(BEGIN)
    seen = len(provider.seen)
    assert_problem(browser.get(f"{CALLBACK}{query}"), 401, "sign_in_expired")
    assert len(provider.seen) == seen


@pytest.mark.parametrize(
    "change",
    [
        lambda place: place.replace("code=", "code=x"),
        lambda place: place.replace("code=", "cod="),
        lambda place: place.replace("iss=", "iss=https%3A%2F%2Fevil.example&was="),
        lambda place: place.replace("code=", f"code={'x' * 5000}"),
        lambda place: place.replace("code=", "error=%3Cscript%3E&code="),
    ],
    ids=["another code", "no code", "another issuer", "a long code", "an error too"],
)
def test_what_comes_back_wrong(change: Callable[[str], str], browser: Client) -> None:
    assert_refused(browser, change(out(browser)), "sign_in_refused")


def test_who_turns_back_at_the_provider(browser: Client, provider: LocalProvider) -> None:
    provider.denies = True
    place = out(browser)
    assert "access_denied" in place
    assert_refused(browser, place, "sign_in_refused")


def test_it_takes_too_long(browser: Client, site: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    place = out(browser)
    now = site.clock.now()
    monkeypatch.setattr(site.clock, "now", lambda: now + LIFETIME)
    assert_refused(browser, place, "sign_in_expired")


def test_other_sites_cannot_begin(browser: Client) -> None:
    answer = browser.get(BEGIN, headers={"Sec-Fetch-Site": "cross-site"})
    assert_problem(answer, 403, "permission_denied")


def test_beginning_again_and_again(provider: LocalProvider, world: World, site: Services, browser: Client) -> None:
    answers = [browser.get(BEGIN) for _ in range(62)]
    assert [answer.status_code for answer in answers[:61]] == [303] * 61
    assert_problem(answers[61], 429, "rate_limited")
    assert browser.another(address="198.51.100.9").get(BEGIN).status_code == 303
    # Who has a password is not kept out by it.
    assert signed_in(browser, SELLER).get("/v1/session").status_code == 200


# where it leads on


@pytest.mark.parametrize(
    "return_to",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/%5Cevil.example", "/%2F/evil.example",
     "/%2fevil.example", "/%252Fevil.example", "/%25252Fevil.example", "/\t/evil.example", "/%09/evil.example",
     "/.//evil.example", "javascript:alert(1)", "", "?to=x", "/\r\nSet-Cookie: a=b", "/%0d%0aSet-Cookie:%20a=b",
     "/#x", "/" + "x" * 3000, "/\u202e", "http:/x", "/@evil.example//", " /x"],
)  # fmt: skip
def test_it_leads_nowhere_else(return_to: str, browser: Client) -> None:
    answer = by_provider(browser, return_to)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/v1/session").status_code == 200


@pytest.mark.parametrize("return_to", ["/", "/?check=fnd_1", "/?x=https%3A%2F%2Fexample.org%2F", "/works/a%20b"])
def test_it_leads_on_within_the_service(return_to: str, browser: Client) -> None:
    assert by_provider(browser, return_to).headers["location"] == return_to


# a provider that is down, or not what it should be


def assert_down(browser: Client) -> None:
    """Programs get a problem, browsers are led to the sign-in page; a password opens a session still."""
    assert_problem(browser.get(BEGIN), 503, "identity_provider_unavailable")
    answer = browser.get(BEGIN, headers=BROWSER)
    assert answer.headers["location"] == "/sign-in?problem=identity_provider_unavailable"
    assert signed_in(browser, SELLER).get("/v1/session").status_code == 200


def test_a_provider_that_is_down(world: World) -> None:
    with local_provider() as gone:
        settings = gone.settings()
    with fast(Services(Settings(home=world.home, **settings))) as services, serving(create_app(services)) as client:
        assert client.get(METHODS).json()["oidc"] is not None
        assert_down(client)


def test_a_provider_that_goes_down_on_the_way(browser: Client, provider: LocalProvider) -> None:
    place = out(browser)
    provider.answers["/token"] = (500, {})
    assert_refused(browser, place, "identity_provider_unavailable")
    provider.answers.clear()
    assert by_provider(browser).headers["location"] == "/"


def test_another_provider_under_the_address(browser: Client, provider: LocalProvider) -> None:
    provider.document = {"issuer": "https://login.example.org"}
    assert_down(browser)


def test_no_secret_is_logged_or_told(
    browser: Client, provider: LocalProvider, caplog: pytest.LogCaptureFixture
) -> None:
    place = out(browser)
    provider.claims = lambda claims: claims | {"nonce": "another"}
    problem = assert_problem(back(browser, place), 401, "sign_in_refused")
    query = parse_qs(urlsplit(place).query)
    shown = json.dumps(problem) + caplog.text
    assert "nonce" in caplog.text
    for secret in (query["code"][0], query["state"][0], provider.client_secret, "studio.seller@", "subject-1"):
        assert secret not in shown


# letting go


def test_unlinking(browser: Client, site: Services, world: World) -> None:
    by_provider(browser)
    member = f"/v1/members/{world.members[SELLER]}"
    admin = signed_in(browser, "studio.admin")
    assert admin.get(member).json()["is_linked"]
    exported = admin.post(f"{member}/export").json()["identities"]
    assert [(one["issuer"], one["subject"]) for one in exported] == [(site.settings.oidc_issuer, "subject-1")]
    answer = admin.delete(f"{member}/identities")
    assert (answer.status_code, answer.json()["is_linked"]) == (200, False)
    assert_problem(browser.get("/v1/session"), 401, "authentication_required")
    assert events(site)[-1] == ("identity.unlinked", {})
    before = len(events(site))
    assert admin.delete(f"{member}/identities").status_code == 200
    assert len(events(site)) == before
