"""The pages' routes, without a browser and without a store."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from imgguard import web
from imgguard.errors import NotFound
from imgguard.web import pages
from imgguard.web.assets import Assets

STATIC = Path(web.__file__).parent / "static"
TEMPLATES = Path(web.__file__).parent / "templates"


class Client:
    """Whoever sends the cookie ``in`` is signed in."""

    def __init__(self, *, provider: str | None = None) -> None:
        self.cookies: dict[str, str] = {}
        self._app = FastAPI(openapi_url=None)
        self._app.include_router(pages.router(lambda request: "in" in request.cookies, provider=provider))

    def get(self, path: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test", cookies=self.cookies) as client:
                return await client.get(path)

        return asyncio.run(asked())


@pytest.fixture
def client() -> Client:
    return Client()


def test_strangers_are_sent_to_sign_in_and_back(client: Client) -> None:
    answer = client.get("/?check=fnd_1&x=a%26b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?to=%2F%3Fcheck%3Dfnd_1%26x%3Da%2526b"
    answer = client.get("/packets?id=fnd_1&id=ref_1")
    assert answer.headers["location"] == "/sign-in?to=%2Fpackets%3Fid%3Dfnd_1%26id%3Dref_1"
    assert client.get("/sign-in").status_code == 200
    assert client.get("/accept").status_code == 200


def test_who_is_signed_in_is_not_asked_again(client: Client) -> None:
    client.cookies["in"] = "1"
    assert client.get("/").status_code == 200
    assert client.get("/sign-in").headers["location"] == "/"


def test_the_way_by_a_provider_is_shown_where_there_is_one(client: Client) -> None:
    assert "/v1/session/oidc" not in client.get("/sign-in").text
    text = Client(provider='<b>"Our" Login').get("/sign-in").text
    assert '<a id="by-provider" class="button" href="/v1/session/oidc">' in text
    assert "Sign in with &lt;b&gt;&#34;Our&#34; Login</a>" in text


def test_the_page_of_an_invitation_offers_it_too(client: Client) -> None:
    assert "by-provider" not in client.get("/accept").text
    text = Client(provider='<b>"Our" Login').get("/accept").text
    assert '<button id="by-provider" type="button">Continue with &lt;b&gt;&#34;Our&#34; Login</button>' in text


def test_linking_is_offered_where_there_is_a_provider(client: Client) -> None:
    client.cookies["in"] = "1"
    assert 'id="link"' not in client.get("/").text
    linking = Client(provider="<b>")
    linking.cookies["in"] = "1"
    assert '<button id="link" type="button" hidden>Link &lt;b&gt;</button>' in linking.get("/").text


def test_who_is_signed_in_hears_why_linking_failed(client: Client) -> None:
    client.cookies["in"] = "1"
    assert client.get("/sign-in?problem=identity_unknown").status_code == 200


@pytest.mark.parametrize(("path", "other"), [("/", "/packets"), ("/packets", "/")])
def test_the_pages_lead_to_each_other_and_say_which_is_shown(path: str, other: str, client: Client) -> None:
    client.cookies["in"] = "1"
    text = client.get(path).text
    assert f'<a href="{path}" aria-current="page">' in text
    assert f'<a href="{other}">' in text
    assert text.count("aria-current") == 1


@pytest.mark.parametrize("path", ["/", "/packets", "/sign-in", "/accept"])
def test_pages_allow_nothing_but_their_own_files(path: str, client: Client) -> None:
    if path in ("/", "/packets"):
        client.cookies["in"] = "1"
    answer = client.get(path)
    policy = dict(part.partition(" ")[::2] for part in answer.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' blob:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert "immutable" not in answer.headers.get("cache-control", "")
    for address in re.findall(r'(?:src|href)="(/web/[^"]+)"', answer.text):
        assert client.get(address).status_code == 200


def test_files_are_kept_for_ever_under_their_digest_only(client: Client) -> None:
    assets = Assets.load()
    for name, asset in assets.files.items():
        answer = client.get(assets.address(name))
        assert answer.content == asset.data
        assert answer.headers["content-type"] == asset.media_type
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/web/0000000000000000/page.css", f"/web/{assets.digest}/pages.py"):
        with pytest.raises(NotFound):
            client.get(path)
    assert client.get(f"/web/{assets.digest}/..%2fpages.py").status_code == 404


def test_the_digest_changes_with_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgguard.web.assets._STATIC", tmp_path)
    digests = set()
    for name, text in (("a.js", "1"), ("a.js", "2"), ("b.js", "2")):
        (tmp_path / name).write_text(text)
        digests.add(Assets.load().digest)
    (tmp_path / "notes.txt").write_text("is not served")
    assert "notes.txt" not in Assets.load().files
    assert Assets.load().digest in digests
    assert len(digests) == 3


def test_a_file_that_is_not_there_is_a_mistake_in_a_template() -> None:
    with pytest.raises(KeyError):
        Assets.load().address("none.js")


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_templates_have_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_scripts_never_make_markup_of_texts(path: Path) -> None:
    text = path.read_text()
    for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert name not in text
    for imported in re.findall(r'from "\./([^"]+)"', text):
        assert (STATIC / imported).is_file()
