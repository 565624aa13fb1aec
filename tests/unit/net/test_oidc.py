"""The provider on loopback, well and badly behaved, asked by the adapter."""

import base64
import hashlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import trustme
from local_provider import CLIENT_ID, LocalProvider, ec_key, local_provider, rsa_key
from pydantic import SecretStr

from imgguard.errors import IdentityProviderUnavailable, SignInRefused
from imgguard.net.oidc import Client, OidcProvider
from imgguard.net.policy import FetchPolicy
from imgguard.net.provider import MAX_BYTES, ProviderRequests, endpoint
from imgguard.ports import ProvenIdentity

from .conftest import Serve
from .hostile import Names, Visit, response

HERE = "http://localhost/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Seconds:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def provider() -> Iterator[LocalProvider]:
    with local_provider() as made:
        yield made


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def adapter(provider: LocalProvider, seconds: Seconds) -> OidcProvider:
    return adapter_of(provider.issuer, provider.client_secret, seconds=seconds)


def adapter_of(issuer: str, secret: str | None, *, seconds: Callable[[], float], **more: Any) -> OidcProvider:
    client = Client(client_id=CLIENT_ID, secret=None if secret is None else SecretStr(secret), scopes="openid email")
    requests = ProviderRequests(FetchPolicy(seconds=1.0, connect_seconds=0.5), **more)
    return OidcProvider(issuer, client, requests=requests, clock=Now(), seconds=seconds)


def begun(adapter: OidcProvider, provider: LocalProvider, nonce: str = "the nonce") -> str:
    """A code, as a browser comes back with."""
    url = adapter.authorisation_url(state="the state", nonce=nonce, code_challenge=CHALLENGE, redirect_uri=HERE)
    return provider.code_for(dict(parse_qsl(urlsplit(url).query)))


def identified(adapter: OidcProvider, code: str, **changes: str) -> ProvenIdentity:
    values = {"code_verifier": VERIFIER, "nonce": "the nonce", "redirect_uri": HERE} | changes
    return adapter.identify(code, **values)


def test_who_it_is(adapter: OidcProvider, provider: LocalProvider) -> None:
    assert identified(adapter, begun(adapter, provider)) == ProvenIdentity(
        issuer=provider.issuer, subject="subject-1", email="ann@example.org"
    )


def test_documents_and_keys_are_kept_for_an_hour(
    adapter: OidcProvider, provider: LocalProvider, seconds: Seconds
) -> None:
    for _ in range(3):
        identified(adapter, begun(adapter, provider))
    assert provider.seen.count("/keys") == provider.seen.count("/.well-known/openid-configuration") == 1
    seconds.at = 3600
    identified(adapter, begun(adapter, provider))
    assert provider.seen.count("/keys") == provider.seen.count("/.well-known/openid-configuration") == 2


def test_an_endpoint_with_a_query_of_its_own(adapter: OidcProvider, provider: LocalProvider) -> None:
    provider.document = {"authorization_endpoint": f"{provider.issuer}/authorize?tenant=a&x=%20"}
    url = adapter.authorisation_url(state="s&t", nonce="n", code_challenge="c", redirect_uri=HERE)
    asked = parse_qsl(urlsplit(url).query)
    assert asked[:2] == [("tenant", "a"), ("x", " ")]
    assert dict(asked)["state"] == "s&t"
    assert dict(asked)["client_id"] == CLIENT_ID


# keys


def test_a_key_that_was_changed_is_asked_for(adapter: OidcProvider, provider: LocalProvider, seconds: Seconds) -> None:
    identified(adapter, begun(adapter, provider))
    provider.keys, provider.algorithm = [ec_key("two")], "ES256"
    seconds.at = 60
    assert identified(adapter, begun(adapter, provider)).subject == "subject-1"
    assert provider.seen.count("/keys") == 2


def test_unknown_keys_have_us_ask_once_a_minute(
    adapter: OidcProvider, provider: LocalProvider, seconds: Seconds
) -> None:
    identified(adapter, begun(adapter, provider))
    stranger, published = rsa_key("stranger"), provider.key_set()
    provider.key_set = lambda: published  # type: ignore[method-assign]
    provider.keys = [stranger]
    for at, asked in ((1, 1), (59, 1), (60, 2), (61, 2), (119, 2), (120, 3)):
        seconds.at = at
        with pytest.raises(SignInRefused, match="a key that is not the provider's"):
            identified(adapter, begun(adapter, provider))
        assert provider.seen.count("/keys") == asked


def test_a_key_of_another_provider(adapter: OidcProvider, provider: LocalProvider) -> None:
    with local_provider() as other:
        other.keys = [rsa_key("one")]
        provider.token = other.signed
        with pytest.raises(SignInRefused, match="not signed by a key of the provider"):
            identified(adapter, begun(adapter, provider))


def test_several_at_once_ask_for_the_documents_once(adapter: OidcProvider, provider: LocalProvider) -> None:
    gate = threading.Barrier(6)

    def one(_: int) -> str:
        gate.wait()
        return identified(adapter, begun(adapter, provider)).subject

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(one, range(6))) == {"subject-1"}
    assert provider.seen.count("/keys") == provider.seen.count("/.well-known/openid-configuration") == 1


# the code and its verifier


@pytest.mark.parametrize(
    "changes",
    [{"code_verifier": "w" * 43}, {"redirect_uri": "http://localhost/elsewhere"}],
    ids=lambda value: str(value),
)
def test_a_code_that_is_refused(changes: dict[str, str], adapter: OidcProvider, provider: LocalProvider) -> None:
    with pytest.raises(SignInRefused):
        identified(adapter, begun(adapter, provider), **changes)


def test_a_code_serves_once(adapter: OidcProvider, provider: LocalProvider) -> None:
    code = begun(adapter, provider)
    identified(adapter, code)
    with pytest.raises(SignInRefused):
        identified(adapter, code)


def test_the_token_is_for_the_sign_in_that_was_begun(adapter: OidcProvider, provider: LocalProvider) -> None:
    with pytest.raises(SignInRefused, match="nonce"):
        identified(adapter, begun(adapter, provider, nonce="of another sign-in"))


def test_a_wrong_secret_is_for_the_operator(provider: LocalProvider, seconds: Seconds) -> None:
    adapter = adapter_of(provider.issuer, "wrong", seconds=seconds)
    with pytest.raises(IdentityProviderUnavailable, match="how imgguard is registered") as caught:
        identified(adapter, begun(adapter, provider))
    assert "wrong" not in str(caught.value)


def test_a_provider_that_wants_the_secret_in_the_form(adapter: OidcProvider, provider: LocalProvider) -> None:
    provider.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    provider._is_client = lambda form, authorisation: (  # type: ignore[method-assign]
        authorisation is None and form.get("client_secret") == provider.client_secret
    )
    assert identified(adapter, begun(adapter, provider)).subject == "subject-1"


# the address


@pytest.mark.parametrize("email", [None, 7, ["ann@example.org"], {"a": 1}])
def test_an_address_that_is_no_text_is_none(email: object, adapter: OidcProvider, provider: LocalProvider) -> None:
    provider.claims = lambda claims: claims | {"email": email}
    assert identified(adapter, begun(adapter, provider)).email is None


def test_what_another_person_is_told_to_be_does_not_count(adapter: OidcProvider, provider: LocalProvider) -> None:
    provider.in_userinfo = True
    code = begun(adapter, provider)
    provider.answers["/userinfo"] = (200, {"sub": "another", "email": "admin@example.org", "email_verified": True})
    with pytest.raises(SignInRefused, match="two different people"):
        identified(adapter, code)


@pytest.mark.parametrize("token", [None, 7, {"a": 1}])
def test_no_token(token: object, adapter: OidcProvider, provider: LocalProvider) -> None:
    code = begun(adapter, provider)
    provider.answers["/token"] = (200, {"access_token": "a", "id_token": token})
    with pytest.raises(SignInRefused, match="no token"):
        identified(adapter, code)


# documents that are not what they should be


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://login.example.org"},
        {"issuer": None},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://login.example.org/authorize"},
        {"token_endpoint": "http://192.0.2.1/token"},
        {"token_endpoint": ["https://login.example.org"]},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user:secret@login.example.org/keys"},
        {"userinfo_endpoint": "http://login.example.org/userinfo"},
    ],
    ids=str,
)
def test_a_document_that_leads_astray(
    document: dict[str, object], adapter: OidcProvider, provider: LocalProvider
) -> None:
    provider.document = document
    with pytest.raises(IdentityProviderUnavailable):
        adapter.authorisation_url(state="s", nonce="n", code_challenge="c", redirect_uri=HERE)
    # And what is wrong is not kept.
    provider.document = {}
    assert adapter.authorisation_url(state="s", nonce="n", code_challenge="c", redirect_uri=HERE)


def _slow(handler: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        try:
            handler.wfile.write(b" ")
        except OSError:
            return
        time.sleep(0.05)


def _huge(handler: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        try:
            handler.wfile.write(b" " * MAX_BYTES)
        except OSError:
            return


ANSWERS: dict[str, object] = {
    "slow": _slow,
    "huge": _huge,
    "announced as huge": (lambda handler: handler.say(200, b"{}", **{"Content-Length": "99999999"})),
    "a redirect": (lambda handler: handler.say(302, b"{}", Location="http://127.0.0.1:1/")),
    "an error": (500, {"error": "invalid_grant"}),
    "not there": (404, {}),
    "no JSON": (200, b"<html>"),
    "no object": (200, ["a"]),
    "deep": (200, b"[" * 100_000),
    "empty": (200, b""),
    "a connection that breaks": (lambda handler: handler.connection.close()),
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys", "/userinfo"])
@pytest.mark.parametrize("name", ANSWERS)
def test_a_provider_that_misbehaves(name: str, path: str, adapter: OidcProvider, provider: LocalProvider) -> None:
    provider.in_userinfo = True
    code = provider.code_for({"nonce": "the nonce", "code_challenge": CHALLENGE, "redirect_uri": HERE})
    provider.answers[path] = ANSWERS[name]
    began = time.monotonic()
    with pytest.raises(IdentityProviderUnavailable):
        identified(adapter, code)
    assert time.monotonic() - began < 2.5
    if name == "a redirect":
        assert provider.seen[-1] == path


def test_nobody_there(seconds: Seconds) -> None:
    with local_provider() as gone:
        issuer = gone.issuer
    with pytest.raises(IdentityProviderUnavailable, match="no connection"):
        adapter_of(issuer, None, seconds=seconds).authorisation_url(
            state="s", nonce="n", code_challenge="c", redirect_uri=HERE
        )


# connections


def test_tls_is_verified(serve: Serve, authority: trustme.CA, trusting: ssl.SSLContext, seconds: Seconds) -> None:
    issuer = "https://login.example"
    document = (
        f'{{"issuer": "{issuer}", "authorization_endpoint": "{issuer}/a", "token_endpoint": "{issuer}/t", '
        f'"jwks_uri": "{issuer}/k"}}'
    ).encode()

    def asked(name: str) -> tuple[str, list[Visit]]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        server = serve(response(document), tls=context)
        adapter = adapter_of(
            issuer,
            None,
            seconds=seconds,
            tls=trusting,
            # Private addresses are the operator's own choice.
            resolve=Names({"login.example": ["10.1.2.3"]}),
            connect=lambda address, port, *, seconds: _to(server.port, address),
        )
        url = adapter.authorisation_url(state="s", nonce="n", code_challenge="c", redirect_uri=HERE)
        return url, server.visits

    url, visits = asked("login.example")
    assert url.startswith(f"{issuer}/a?response_type=code&")
    assert visits[0].path == "/.well-known/openid-configuration"
    with pytest.raises(IdentityProviderUnavailable, match="certificate is not valid"):
        asked("other.example")


def _to(port: int, address: object) -> Any:
    import socket

    assert address == ip_address("10.1.2.3")
    return socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("host", "address", "reason"),
    [
        ("https://login.example", "169.254.169.254", "no address that may be connected to"),
        ("https://login.example", "fd00:ec2::254", "no address that may be connected to"),
        ("http://localhost", "192.0.2.7", "not this machine itself"),
    ],
)
def test_where_nothing_is_connected_to(host: str, address: str, reason: str, seconds: Seconds) -> None:
    def never(*_: object, **__: object) -> Any:
        raise AssertionError

    names = Names({"login.example": [address], "localhost": [address]})
    adapter = adapter_of(host, None, seconds=seconds, resolve=names, connect=never)
    with pytest.raises(IdentityProviderUnavailable, match=reason):
        adapter.authorisation_url(state="s", nonce="n", code_challenge="c", redirect_uri=HERE)


@pytest.mark.parametrize(
    "url", ["https://a.example", "https://a.example:8443/x", "http://localhost:1", "http://[::1]/"]
)
def test_endpoints_that_are_accepted(url: str) -> None:
    assert endpoint(url).url.startswith(url.rstrip("/"))
