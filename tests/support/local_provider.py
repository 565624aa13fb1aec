"""An OpenID Connect provider on loopback that lets everybody in, and can be told to behave badly."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

CLIENT_ID, CLIENT_SECRET = "imgguard", "a secret: with % and é"
FORM = "application/x-www-form-urlencoded"

type Json = dict[str, Any]


def rsa_key(key_id: str | None = "one", bits: int = 2048) -> Key:
    return RSAKey.generate_key(bits, {} if key_id is None else {"kid": key_id}, private=True)


def ec_key(key_id: str) -> Key:
    return ECKey.generate_key("P-256", {"kid": key_id}, private=True)


@dataclass(kw_only=True)
class Person:
    """Whom the provider lets in next."""

    sub: str = "subject-1"
    email: str | None = "ann@example.org"
    email_verified: object = True

    def claims(self) -> Json:
        return {"sub": self.sub, "email": self.email, "email_verified": self.email_verified}


@dataclass(kw_only=True)
class LocalProvider:
    """``answers``: what is answered at a path instead of the right thing: a status and a body, or a function that does
    it. ``claims`` changes the claims of the next tokens, ``token`` makes them; ``document`` changes the discovery
    document. ``seen`` has the paths that were asked for, ``asked`` the last form."""

    port: int
    keys: list[Key] = field(default_factory=lambda: [rsa_key()])
    algorithm: str = "RS256"
    client_secret: str | None = CLIENT_SECRET
    person: Person = field(default_factory=Person)
    denies: bool = False
    in_userinfo: bool = False
    answers: dict[str, object] = field(default_factory=dict)
    document: Json = field(default_factory=dict)
    claims: Callable[[Json], Json] = lambda claims: claims
    token: Callable[[Json], str] | None = None
    seen: list[str] = field(default_factory=list)
    asked: Json = field(default_factory=dict)
    codes: dict[str, Json] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> Json:
        """Of an imgguard that is registered here."""
        secret = {} if self.client_secret is None else {"oidc_client_secret": self.client_secret}
        return {"oidc_issuer": self.issuer, "oidc_client_id": CLIENT_ID, "oidc_name": "Local Login", **secret}

    def discovery(self) -> Json:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.document,
        }

    def key_set(self) -> Json:
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def code_for(self, query: dict[str, str]) -> str:
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**query, "person": self.person}
        return code

    def signed(self, claims: Json) -> str:
        key = self.keys[0]
        header = {"alg": self.algorithm} | ({} if key.kid is None else {"kid": key.kid})
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])

    def tokens(self, form: dict[str, str], authorisation: str | None) -> tuple[int, Json]:
        """As RFC 6749, section 5, and RFC 7636, section 4.6, have it."""
        if not self._is_client(form, authorisation):
            return 401, {"error": "invalid_client"}
        begun = self.codes.pop(form.get("code", ""), None)
        if begun is None or begun["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != begun["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        person, now, access_token = begun["person"], int(time.time()), secrets.token_urlsafe(16)
        said = {"sub": person.sub} if self.in_userinfo else person.claims()
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": begun["nonce"],
            "at_hash": at_hash(access_token),
            **said,
        }
        claims = self.claims(claims)
        made = self.signed(claims) if self.token is None else self.token(claims)
        return 200, {"access_token": access_token, "token_type": "Bearer", "id_token": made}

    def _is_client(self, form: dict[str, str], authorisation: str | None) -> bool:
        if self.client_secret is None:
            return authorisation is None and form.get("client_id") == CLIENT_ID
        pair = urlencode({CLIENT_ID: self.client_secret}).replace("=", ":")
        return authorisation == f"Basic {base64.b64encode(pair.encode()).decode()}"


def at_hash(access_token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    provider: LocalProvider

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        self._do(path, query)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert self.headers["Content-Type"] == FORM
        self.provider.asked = {name: values[0] for name, values in parse_qs(body).items()}
        self._do(self.path, self.provider.asked)

    def _do(self, path: str, query: dict[str, str]) -> None:
        provider = self.provider
        provider.seen.append(path)
        answer = provider.answers.get(path)
        if callable(answer):
            answer(self)
        elif isinstance(answer, tuple):
            self.say(*answer)
        elif path == "/.well-known/openid-configuration":
            self.say(200, provider.discovery())
        elif path == "/keys":
            self.say(200, provider.key_set())
        elif path == "/authorize":
            self._authorise(query)
        elif path == "/token":
            self.say(*provider.tokens(query, self.headers.get("Authorization")))
        elif path == "/userinfo":
            self.say(200, provider.person.claims())
        else:
            self.say(404, {})

    def _authorise(self, query: dict[str, str]) -> None:
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        back: Json = {"state": query["state"], "iss": self.provider.issuer}
        denied = {"error": "access_denied", "error_description": "<script>alert(1)</script>"}
        back |= denied if self.provider.denies else {"code": self.provider.code_for(query)}
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
        self.end_headers()

    def say(self, status: int, body: object, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def local_provider() -> Iterator[LocalProvider]:
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.provider = provider = LocalProvider(port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
