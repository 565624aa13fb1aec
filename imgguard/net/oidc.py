"""The IdentityProvider port: OpenID Connect with the code flow and PKCE (Core 1.0, Discovery 1.0, RFC 7636).

What the provider says of itself, and its keys, are asked for when they are first needed and kept for an hour. A key
that is not known is asked for once more, at most once a minute, so that keys can be changed at any time and nobody can
have us ask without end.
"""

import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode

from joserfc.jwk import Key
from pydantic import SecretStr

from imgguard.errors import FetchFailed, IdentityProviderUnavailable, SignInRefused
from imgguard.net.id_token import Claims, Expected, UnknownKey, usable_keys, verify_id_token
from imgguard.net.policy import Deadline
from imgguard.net.provider import Json, ProviderRequests, endpoint
from imgguard.net.urls import Target
from imgguard.ports import Clock, ProvenIdentity

_KEPT_SECONDS = 3600.0
_KEYS_APART_SECONDS = 60.0
_OURS_TO_MEND = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})
"""What the token endpoint says (RFC 6749, section 5.2) when not the code is wrong, but how imgguard is registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """How imgguard is registered at the provider."""

    client_id: str
    secret: SecretStr | None
    scopes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metadata:
    """What the provider says of itself."""

    authorisation: Target
    token: Target
    keys: Target
    userinfo: Target | None
    is_basic: bool


@dataclass(frozen=True, slots=True)
class _Kept[Thing]:
    thing: Thing
    since: float


class OidcProvider:
    """Thread safe: one thread at a time asks for what is kept. ``seconds`` is a clock that never goes back."""

    def __init__(
        self,
        issuer: str,
        client: Client,
        *,
        requests: ProviderRequests,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = issuer
        self._client = client
        self._requests = requests
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._metadata: _Kept[_Metadata] | None = None
        self._keys: _Kept[tuple[Key, ...]] | None = None

    def authorisation_url(self, *, state: str, nonce: str, code_challenge: str, redirect_uri: str) -> str:
        """Raises IdentityProviderUnavailable."""
        place = self._described(self._requests.deadline()).authorisation.url
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._client.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    def identify(self, code: str, *, code_verifier: str, nonce: str, redirect_uri: str) -> ProvenIdentity:
        """Raises IdentityProviderUnavailable, SignInRefused."""
        deadline = self._requests.deadline()
        metadata = self._described(deadline)
        told = self._tokens(metadata, code, code_verifier, redirect_uri, deadline)
        token, access_token = told.get("id_token"), told.get("access_token")
        if not isinstance(token, str):
            raise SignInRefused("the identity provider gave no token that says who it is")
        access_token = access_token if isinstance(access_token, str) else None
        expected = Expected(
            issuer=self.issuer, client_id=self._client.client_id, nonce=nonce, access_token=access_token
        )
        claims = self._verified(token, expected, deadline)
        if "email" not in claims and access_token is not None and metadata.userinfo is not None:
            claims = claims | self._userinfo(metadata.userinfo, access_token, claims, deadline)
        email = claims.get("email")
        return ProvenIdentity(
            issuer=self.issuer,
            subject=claims["sub"],
            email=email if isinstance(email, str) else None,
        )

    # what is kept

    @contextmanager
    def _locked(self, deadline: Deadline) -> Iterator[None]:
        try:
            is_ours = self._lock.acquire(timeout=deadline.remaining())
        except FetchFailed:
            is_ours = False
        if not is_ours:
            raise IdentityProviderUnavailable("the identity provider does not answer in time")
        try:
            yield
        finally:
            self._lock.release()

    def _described(self, deadline: Deadline) -> _Metadata:
        with self._locked(deadline):
            if self._metadata is None or self._seconds() - self._metadata.since >= _KEPT_SECONDS:
                place = endpoint(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
                self._metadata = _Kept(self._metadata_of(self._requests.get(place, deadline)), self._seconds())
            return self._metadata.thing

    def _metadata_of(self, told: Json) -> _Metadata:
        if told.get("issuer") != self.issuer:
            raise IdentityProviderUnavailable(
                "the document of the identity provider names another issuer than IMGGUARD_OIDC_ISSUER"
            )
        methods = told.get("token_endpoint_auth_methods_supported")
        return _Metadata(
            authorisation=endpoint(told.get("authorization_endpoint")),
            token=endpoint(told.get("token_endpoint")),
            keys=endpoint(told.get("jwks_uri")),
            userinfo=endpoint(told["userinfo_endpoint"]) if "userinfo_endpoint" in told else None,
            # Where it is not said, basic is meant (Discovery 1.0, section 3).
            is_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
        )

    def _known_keys(self, deadline: Deadline, *, instead_of: tuple[Key, ...] | None = None) -> tuple[Key, ...]:
        """Those that are kept; fresh ones if they are ``instead_of`` those, unless these are fresh themselves."""
        place = self._described(deadline).keys
        with self._locked(deadline):
            age = None if self._keys is None else self._seconds() - self._keys.since
            is_wanted = self._keys is not None and self._keys.thing is instead_of
            if self._keys is None or age is None or age >= (_KEYS_APART_SECONDS if is_wanted else _KEPT_SECONDS):
                listed = self._requests.get(place, deadline).get("keys")
                if not isinstance(listed, list):
                    raise IdentityProviderUnavailable("the identity provider has no list of keys")
                self._keys = _Kept(usable_keys(listed), self._seconds())
            return self._keys.thing

    # one sign-in

    def _tokens(
        self, metadata: _Metadata, code: str, code_verifier: str, redirect_uri: str, deadline: Deadline
    ) -> Json:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        secret = None if self._client.secret is None else self._client.secret.get_secret_value()
        authorisation = None
        if secret is not None and metadata.is_basic:
            # RFC 6749, section 2.3.1: both are form-encoded first.
            pair = f"{quote_plus(self._client.client_id)}:{quote_plus(secret)}"
            authorisation = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client.client_id} | ({} if secret is None else {"client_secret": secret})
        status, told = self._requests.post(metadata.token, form, deadline, authorisation=authorisation)
        if status == 200:
            return told
        if status == 401 or told.get("error") in _OURS_TO_MEND:
            raise IdentityProviderUnavailable(
                "the identity provider does not accept how imgguard is registered with it: client id, secret, or "
                "redirect address"
            )
        if status == 400:
            raise SignInRefused("the identity provider did not accept the code that it had given itself")
        raise IdentityProviderUnavailable(f"the identity provider answered with status {status}")

    def _verified(self, token: str, expected: Expected, deadline: Deadline) -> Claims:
        keys = self._known_keys(deadline)
        try:
            return verify_id_token(token, keys, expected, at=self._clock.now())
        except UnknownKey:
            keys = self._known_keys(deadline, instead_of=keys)
        try:
            return verify_id_token(token, keys, expected, at=self._clock.now())
        except UnknownKey as error:
            raise SignInRefused(
                "the identity provider's token is signed by a key that is not the provider's"
            ) from error

    def _userinfo(self, place: Target, access_token: str, claims: Claims, deadline: Deadline) -> Claims:
        """The address, which some providers give only there. Another person's answer counts for nothing
        (Core 1.0, section 5.3.2)."""
        told = self._requests.get(place, deadline, bearer=access_token)
        if told.get("sub") != claims["sub"]:
            raise SignInRefused("the identity provider told of two different people")
        return {"email": told.get("email")}
