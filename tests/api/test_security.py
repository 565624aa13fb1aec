"""Who asks, and what a browser must prove besides."""

import pytest

from imgguard.api.gate import client_address, host_name
from imgguard.bootstrap import Services
from imgguard.settings import Settings

from .client import Client, assert_problem
from .conftest import PASSWORD, Start, World, actor_of, signed_in

SIGN_IN = {"email": "studio.admin@example.org", "password": PASSWORD}
CHANGE = {"disclosure": "contact"}


def _cookie(answer) -> str:
    return str(answer.headers["set-cookie"])


def test_the_cookie_without_https(client: Client) -> None:
    cookie = _cookie(client.post("/v1/session", json=SIGN_IN))
    assert cookie.startswith("imgguard_session=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "path=/", "samesite=lax"}


def test_the_cookie_with_https(start) -> None:
    client = start(public_url="https://imgguard.example.org", base="https://imgguard.example.org")
    answer = client.post("/v1/session", json=SIGN_IN)
    cookie = _cookie(answer)
    assert cookie.startswith("__Host-imgguard=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "path=/", "samesite=lax", "secure"}
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert client.get("/v1/session").status_code == 200


def test_a_change_needs_the_csrf_token_of_this_session(client: Client) -> None:
    person, other = signed_in(client, "studio.admin"), signed_in(client, "studio.admin")
    for token in (None, "", "0" * 64, other.headers["X-CSRF-Token"]):
        given = {} if token is None else {"X-CSRF-Token": token}
        mine = person.headers.pop("X-CSRF-Token")
        answer = person.patch("/v1/organisation", json=CHANGE, headers=given)
        assert_problem(answer, 403, "permission_denied")
        person.headers["X-CSRF-Token"] = mine
    assert person.get("/v1/organisation").json()["disclosure"] == "outline"
    assert person.patch("/v1/organisation", json=CHANGE).status_code == 200


def test_reading_needs_no_csrf_token(client: Client) -> None:
    person = signed_in(client, "studio.admin")
    del person.headers["X-CSRF-Token"]
    assert person.get("/v1/organisation").status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.elsewhere.example"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing(fields: dict[str, str], client: Client) -> None:
    person = signed_in(client, "studio.admin")
    assert_problem(person.patch("/v1/organisation", json=CHANGE, headers=fields), 403, "permission_denied")
    assert_problem(client.post("/v1/session", json=SIGN_IN, headers=fields), 403, "permission_denied")
    assert person.get("/v1/organisation").json()["disclosure"] == "outline"


def test_our_own_page_may(client: Client) -> None:
    person = signed_in(client, "studio.admin")
    fields = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert person.patch("/v1/organisation", json=CHANGE, headers=fields).status_code == 200


def test_behind_https_the_same_name_without_it_is_another_site(start) -> None:
    client = start(public_url="https://imgguard.example.org", base="https://imgguard.example.org")
    person = signed_in_at(client, "https://imgguard.example.org")
    answer = person.patch("/v1/organisation", json=CHANGE, headers={"Origin": "http://imgguard.example.org"})
    assert_problem(answer, 403, "permission_denied")
    ours = {"Origin": "https://imgguard.example.org"}
    assert person.patch("/v1/organisation", json=CHANGE, headers=ours).status_code == 200


def signed_in_at(client: Client, base: str) -> Client:
    other = client.another(base=base)
    other.headers["X-CSRF-Token"] = other.post("/v1/session", json=SIGN_IN).json()["csrf_token"]
    return other


def test_a_key_needs_no_csrf_token(with_key) -> None:
    assert with_key("studio.admin").patch("/v1/organisation", json=CHANGE).status_code == 200


def test_two_proofs_are_one_too_many(client: Client, world: World) -> None:
    person = signed_in(client, "studio.admin")
    both = {"Authorization": f"Bearer {world.keys['studio.admin']}"}
    assert_problem(person.get("/v1/organisation", headers=both), 400, "bad_request")


@pytest.mark.parametrize("field", ["", "Bearer", "Bearer x", "Basic YTpi", "imgguard_1_2_3", "Bearer " + "a" * 5000])
def test_what_is_no_key(field: str, client: Client) -> None:
    answer = client.get("/v1/organisation", headers={"Authorization": field})
    assert_problem(answer, 401, "authentication_required")
    assert answer.headers["www-authenticate"] == 'Bearer realm="imgguard"'


def test_a_mistyped_and_a_revoked_key(client: Client, world: World, services) -> None:
    key = world.keys["studio.seller"]
    swapped = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert_problem(
        client.get("/v1/organisation", headers={"Authorization": f"Bearer {swapped}"}), 401, "authentication_required"
    )
    services.keys.revoke(services.organisations.console(), world.key_ids["studio.seller"])
    assert_problem(
        client.get("/v1/organisation", headers={"Authorization": f"Bearer {key}"}), 401, "authentication_required"
    )


def test_a_secret_in_the_query_string_is_refused(client: Client, world: World, with_key) -> None:
    key = world.keys["studio.seller"]
    for path in (f"/v1/organisation?q={key}", "/v1/organisation?api_key=1", "/v1/organisation?Access_Token=1"):
        answer = with_key("studio.seller").get(path)
        assert_problem(answer, 400, "bad_request")
        assert key not in answer.text


@pytest.mark.parametrize("host", ["elsewhere.example", "localhost.elsewhere.example", "192.0.2.1", "", "a b", "[::1"])
def test_under_another_name_there_is_no_answer(host: str, client: Client, world: World) -> None:
    fields = {"Host": host, "Authorization": f"Bearer {world.keys['studio.admin']}"}
    assert_problem(client.get("/v1/organisation", headers=fields), 421, "misdirected_request")
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8787", "127.0.0.1:1", "[::1]:8787", "extra.example", "public.example"]
)
def test_under_its_own_names_there_is(host: str, start) -> None:
    client = start(allowed_hosts="Extra.example, 10.0.0.1", public_url="https://public.example")
    assert client.get("/v1/openapi.json", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("field", "name"),
    [("a.example:80", "a.example"), ("A.Example.", "a.example"), ("[::1]:1", "::1"), ("a:b:c", None), ("user@a", None)],
)
def test_names_in_the_field_host(field: str, name: str | None) -> None:
    assert host_name(field) == name


PROXIES = Settings(home=".", trusted_proxies="10.0.0.0/8, fd00::/8").proxy_networks


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),  # not a proxy of ours: whatever it says of others is its own
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),  # the first was invented by the caller
        ("10.0.0.1", ["203.0.113.9", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.3"], "10.0.0.3"),
        ("::ffff:10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("fd00::1", ["[2001:db8::1]"], "2001:db8::1"),
        ("", [], ""),
    ],
)
def test_who_asks_behind_a_proxy(peer: str, forwarded: list[str], address: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == address


def test_failures_are_counted_for_whom_the_proxy_names(start) -> None:
    client = start(trusted_proxies="10.0.0.0/8", address="10.0.0.1")
    wrong = {"email": "studio.admin@example.org", "password": "x" * 20}
    there, elsewhere = {"X-Forwarded-For": "198.51.100.1"}, {"X-Forwarded-For": "198.51.100.2"}
    for _ in range(6):
        assert_problem(client.post("/v1/session", json=wrong, headers=there), 401, "authentication_required")
    assert_problem(client.post("/v1/session", json=SIGN_IN, headers=there), 429, "rate_limited")
    assert client.post("/v1/session", json=SIGN_IN, headers=elsewhere).status_code == 200


def test_who_asks_too_often_waits_and_others_do_not(start, world: World) -> None:
    client = start(rate_per_minute=3)
    one = {"Authorization": f"Bearer {world.keys['studio.seller']}"}
    other = {"Authorization": f"Bearer {world.keys['studio.admin']}"}
    answers = [client.get("/v1/session", headers=one) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert_problem(answers[-1], 429, "rate_limited")
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert answers[0].headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert answers[-1].headers["retry-after"] == "20"
    assert client.get("/v1/session", headers=other).status_code == 200


def test_strangers_are_counted_by_network(start) -> None:
    client = start(rate_per_minute=2, address="2001:db8::1")
    codes = [client.get("/v1/session").status_code for _ in range(3)]
    assert codes == [401, 401, 429]
    assert client.another(address="2001:db8::2").get("/v1/session").status_code == 429
    assert client.another(address="2001:db8:0:1::1").get("/v1/session").status_code == 401
    assert client.another(address="2001:db8::3").get("/healthz").status_code == 200


def test_the_numbers_are_for_the_machine_itself_and_the_operator(start, world: World) -> None:
    client = start(trusted_proxies="127.0.0.1")
    local = client.another(address="127.0.0.1")
    assert 'route="/healthz"' not in local.get("/metrics").text
    local.get("/healthz")
    page = local.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert 'imgguard_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in page.text
    proxied = local.get("/metrics", headers={"X-Forwarded-For": "198.51.100.1"})
    assert_problem(proxied, 401, "authentication_required")
    assert_problem(
        client.get("/metrics", headers={"Authorization": f"Bearer {world.keys['studio.admin']}"}),
        403,
        "permission_denied",
    )


def test_more_keys_are_not_more_requests_without_end(start: Start, world: World) -> None:
    client = start(rate_per_minute=3)
    services: Services = client.app.state.services
    maker = actor_of(services, world.members["studio.seller"])
    asked = []
    for number in range(3):
        program = client.another()
        program.headers["Authorization"] = f"Bearer {services.keys.issue(maker, f'key {number}').secret}"
        asked.append([program.get("/v1/session").status_code for _ in range(3)])
    assert asked == [[200, 200, 200], [200, 200, 200], [429, 429, 429]]
    assert signed_in(client.another(), "studio.seller").get("/v1/session").status_code == 200
