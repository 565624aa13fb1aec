"""Health, readiness, numbers, and the line that each request leaves in the log."""

import logging
import re
from collections.abc import Callable

import pytest

from imgguard.api.app import create_app
from imgguard.api.requests import ACCESS
from imgguard.bootstrap import Services
from imgguard.errors import StoreUnavailable, WeightsUnavailable
from imgguard.settings import Settings

from .client import Client, assert_problem, serving
from .conftest import PASSWORD, World, fast, signed_in


class Pool:
    restarts = 3

    def __init__(self, alive: int) -> None:
        self._alive = alive

    def alive(self) -> int:
        return self._alive


def _fails(error: Exception):
    def fails(*_: object, **__: object) -> None:
        raise error

    return fails


def test_a_service_that_can_serve_says_so(client: Client) -> None:
    assert client.get("/readyz").json() == {"status": "ok"}
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("place", "method", "missing"),
    [
        ("accounts", "operator", "database"),
        ("models", "configured", "weights"),
        ("catalogue", "active_generation", "index_generation"),
    ],
)
def test_what_is_missing_is_named(place, method, missing, client: Client, services: Services, monkeypatch) -> None:
    error = WeightsUnavailable("/secret/place") if place == "models" else StoreUnavailable("/secret/place")
    monkeypatch.setattr(getattr(services, place), method, _fails(error))
    answer = client.get("/readyz")
    assert assert_problem(answer, 503, "not_ready")["missing"] == [missing]
    assert "/secret" not in answer.text
    assert client.get("/healthz").status_code == 200


def test_without_an_index_generation_it_is_not_ready(client: Client, services: Services, monkeypatch) -> None:
    monkeypatch.setattr(services.catalogue, "active_generation", lambda: None)
    assert assert_problem(client.get("/readyz"), 503, "not_ready")["missing"] == ["index_generation"]


def test_without_workers_it_is_not_ready(services: Services) -> None:
    with serving(create_app(services, pool=Pool(0)), address="127.0.0.1") as client:
        assert assert_problem(client.get("/readyz"), 503, "not_ready")["missing"] == ["workers"]


def test_the_numbers_of_the_workers(services: Services) -> None:
    with serving(create_app(services, pool=Pool(2)), address="127.0.0.1") as client:
        assert client.get("/readyz").status_code == 200
        page = client.get("/metrics").text
    assert "imgguard_workers 2.0" in page
    assert "imgguard_worker_restarts 3.0" in page
    assert "imgguard_http_requests_in_flight 1.0" in page


def test_paths_of_strangers_make_no_numbers(services: Services) -> None:
    with serving(create_app(services), address="127.0.0.1") as client:
        for number in range(3):
            client.get(f"/nothing/{number}")
            client.request(f"METHOD{number}", "/healthz")
        page = client.get("/metrics").text
    assert 'imgguard_http_requests_total{method="GET",route="-",status="404"} 3.0' in page
    assert 'imgguard_http_requests_total{method="other",route="/healthz",status="405"} 3.0' in page
    assert "nothing" not in page


def test_a_store_that_is_not_there_is_told_at_the_start(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with (
        fast(Services(Settings(home=tmp_path / "file" / "home"))) as services,
        pytest.raises(StoreUnavailable),
        serving(create_app(services)),
    ):
        pass


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines of the log so far, one for each request."""
    caplog.set_level(logging.INFO, logger=ACCESS)
    return lambda: [record.getMessage() for record in caplog.records if record.name == ACCESS]


def test_a_request_leaves_one_line_without_secrets(client: Client, world: World, lines) -> None:
    person = signed_in(client, "studio.admin")
    person.get(f"/v1/members/{world.members['studio.seller']}?organisation_id=x", headers={"X-Request-Id": "mine-1234"})
    sign_in, get = lines()
    assert re.fullmatch(r"req_[0-9a-z]{26} POST /v1/session 200 \d+\.\d", sign_in)
    assert re.fullmatch(r"mine-1234 GET /v1/members/\{member_id\} 200 \d+\.\d", get)
    assert PASSWORD not in sign_in


def test_what_was_refused_at_the_gate_leaves_a_line_too(client: Client, lines) -> None:
    client.get("/v1/session", headers={"Host": "elsewhere.example"})
    client.get("/nothing")
    assert [line.split()[1:4] for line in lines()] == [["GET", "-", "421"], ["GET", "-", "404"]]


@pytest.mark.parametrize("given", ["short", "a" * 65, "with space here", "line\tbreak1", "überlang1"])
def test_an_id_that_does_not_belong_in_a_log_is_replaced(given: str, client: Client) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": given.encode("latin-1")})
    assert re.fullmatch(r"req_[0-9a-z]{26}", answer.headers["x-request-id"])


def test_an_id_of_the_caller_comes_back(client: Client) -> None:
    answer = client.get("/v1/nothing", headers={"X-Request-Id": "abc.DEF_12-3"})
    assert assert_problem(answer, 404, "not_found")["request_id"] == "abc.DEF_12-3"
