"""``/``, ``/packets``, ``/sign-in``, ``/accept`` and their static files. Pages hold no data: scripts ask ``/v1``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from imgguard.errors import NotFound
from imgguard.web.assets import Assets
from imgguard.web.words import strings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_FOR_EVER = "public, max-age=31536000, immutable"

type SignedIn = Callable[[Request], bool]
"""Whether the request comes with a session that counts. May block."""


def router(is_signed_in: SignedIn, *, provider: str | None = None) -> APIRouter:
    """The pages' routes, none of which is part of the API. ``provider``: what the identity provider is called, where
    people can sign in by one. Raises OSError when a file cannot be read."""
    assets, made = Assets.load(), APIRouter(include_in_schema=False)
    render = _renderer(assets, provider)

    async def for_members(request: Request, name: str) -> Response:
        if not await run_in_threadpool(is_signed_in, request):
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?to={quote(back, safe='')}", 303)
        return render(name)

    @made.get("/")
    async def check(request: Request) -> Response:
        return await for_members(request, "check.html")

    @made.get("/packets")
    async def packets(request: Request) -> Response:
        return await for_members(request, "packets.html")

    @made.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        # Linking an account that is signed in can fail too, and that is told here.
        if "problem" not in request.query_params and await run_in_threadpool(is_signed_in, request):
            return RedirectResponse("/", 303)
        return render("sign_in.html")

    @made.get("/accept")
    async def accept() -> Response:
        return render("accept.html")

    @made.get("/web/{digest}/{name}")
    async def static(digest: str, name: str) -> Response:
        asset = assets.files.get(name) if digest == assets.digest else None
        if asset is None:  # of another version too: what is kept for ever must not be something else
            raise NotFound("no such file of the pages")
        return Response(asset.data, media_type=asset.media_type, headers={"Cache-Control": _FOR_EVER})

    return made


def _renderer(assets: Assets, provider: str | None) -> Callable[[str], HTMLResponse]:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    context: dict[str, Any] = {"asset": assets.address, "words": strings(), "provider": provider}
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}

    def render(name: str) -> HTMLResponse:
        return HTMLResponse(environment.get_template(name).render(context), headers=headers)

    return render
