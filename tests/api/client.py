"""A client that speaks to an application in this process, from any thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

PROBLEM = "application/problem+json"
FIELDS = {"type", "title", "status", "detail", "code", "hint", "request_id"}


class Client:
    """``headers`` go with every request; cookies that are set are kept, as a browser does."""

    def __init__(self, app: FastAPI, portal: BlockingPortal, *, address: str, base: str) -> None:
        self.app = app
        self._portal = portal
        # A bug is to come as an answer, as it would from a server.
        transport = httpx.ASGITransport(app=app, client=(address, 50000), raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=base)
        self.headers: dict[str, str] = {}

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self.headers, **more.pop("headers", {})}

        async def ask() -> httpx.Response:
            return await self._client.request(method, path, headers=headers, **more)

        return self._portal.call(ask)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", path, **more)

    @contextmanager
    def leaving(self, path: str, **more: Any) -> Iterator[None]:
        """A POST of somebody who goes away at the end of the block, whether there is an answer or not."""

        async def ask() -> None:
            await self._client.request("POST", path, headers=self.headers, **more)

        asked = self._portal.start_task_soon(ask)
        try:
            yield
        finally:
            asked.cancel()

    def another(self, *, address: str = "192.0.2.7", base: str = "http://localhost") -> "Client":
        """Of the same application, with no cookies, from ``address``."""
        return Client(self.app, self._portal, address=address, base=base)


@contextmanager
def serving(app: FastAPI, *, address: str = "192.0.2.7", base: str = "http://localhost") -> Iterator[Client]:
    """The application, started."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        yield Client(app, portal, address=address, base=base)


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The one shape of everything that is not an answer."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == PROBLEM
    assert response.headers["cache-control"] == "no-store"
    found: dict[str, Any] = response.json()
    assert FIELDS <= found.keys() <= FIELDS | {"errors", "missing"}
    assert found["type"] == f"https://imgguard.invalid/problems/{code}"
    assert (found["status"], found["code"]) == (status, code)
    assert all(isinstance(found[name], str) and found[name] for name in FIELDS - {"status"})
    assert found["request_id"] == response.headers["x-request-id"]
    assert ("retry-after" in response.headers) == (status in (429, 503))
    assert ("www-authenticate" in response.headers) == (status == 401)
    return found
