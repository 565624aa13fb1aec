"""Requests and answers: sent again where that is safe, and problems as errors."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import IO, Any
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel, ValidationError

from imgguard.client.address import checked_address, checked_key
from imgguard.client.errors import (
    BY_STATUS,
    ClientError,
    ConnectionFailed,
    FieldProblem,
    ProblemError,
    UnexpectedAnswer,
)
from imgguard.client.retrying import Retries, retry_after_of

type Part = tuple[str, tuple[str, bytes | IO[bytes]]]
"""Of a form: the field's name, the file's name, and what is in it."""

USER_AGENT = "imgguard-client"
CONNECT_SECONDS = 10.0

_REPEATABLE = frozenset({"GET", "PUT", "POST"})
"""What may be sent again when nobody knows whether it arrived. A POST is, since it carries an Idempotency-Key; nothing
is that depends on the object's being as it was, since the first one may have changed it."""

_GATEWAY = frozenset({502, 504})
_NEVER_AGAIN = frozenset({"worker_crashed"})
"""Codes of 503 that the same picture would meet again."""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LONGEST_TEXT = 2_000


def path_of(*parts: str | int) -> str:
    """``/v1/...``: each part as one segment, whatever is in it. Raises ValueError for what can be none."""
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError("an id is empty")
    return "/v1/" + "/".join(quote(str(part), safe="") for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of success."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def read[Model: BaseModel](self, model: type[Model]) -> Model:
        """The body as ``model``; with its ETag, if it has a place for it. Raises UnexpectedAnswer."""
        found = self.json()
        etag = self.headers.get("etag")
        if etag is not None and "etag" in model.model_fields and isinstance(found, dict):
            found = {**found, "etag": etag}
        return self.valid(model, found)

    def valid[Model: BaseModel](self, model: type[Model], found: object) -> Model:
        """``found``, a part of the body, as ``model``. Raises UnexpectedAnswer."""
        try:
            return model.model_validate(found)
        except ValidationError as error:
            where = ", ".join(sorted({".".join(map(str, one["loc"])) for one in error.errors()})[:5])
        raise UnexpectedAnswer(f"this is not a {model.__name__}: {where}", status=self.status)

    def json(self) -> Any:
        """The body. Raises UnexpectedAnswer."""
        try:
            return json.loads(self.body)
        except ValueError:
            pass
        raise UnexpectedAnswer("the answer is not JSON: is this an imgguard server?", status=self.status)


class Session:
    """Thread safe. ``sleep`` waits for so many seconds."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float,
        transport: httpx.BaseTransport | None = None,
        retries: Retries,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        url = checked_address(base_url)
        self._key = checked_key(key)
        self._retries = retries
        self.sleep = sleep
        self.address = str(url).rstrip("/")
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {self._key}", "Accept": "application/json", "User-Agent": USER_AGENT},
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            transport=transport,
            follow_redirects=False,  # the key is for this server and no other
            trust_env=url.scheme == "https",  # what is unencrypted must not go by way of a proxy
        )

    def __repr__(self) -> str:
        return f"<Session {self.address}>"

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, params: Mapping[str, object] | None = None) -> Answer:
        return self.ask("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """``body`` without what is None."""
        return self.ask("POST", path, body=_given(body))

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        fields: Mapping[str, object] | None = None,
        parts: Sequence[Part] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str | None = None,
    ) -> Answer:
        """The answer of success. ``body`` is sent as JSON; ``fields`` and ``parts`` as a form, without what is None.

        Raises ProblemError, ConnectionFailed, UnexpectedAnswer.
        """
        sent = {**(headers or {}), **({} if accept is None else {"Accept": accept})}
        if method == "POST":
            sent["Idempotency-Key"] = str(uuid4())
        is_repeatable = method in _REPEATABLE and "If-Match" not in sent

        def build() -> httpx.Request:
            files = None
            if parts is not None:
                files = [(name, (file, data, "application/octet-stream")) for name, (file, data) in parts]
            return self._client.build_request(
                method,
                path.lstrip("/"),
                params=_given(params),
                json=body,
                data=_given(fields),
                files=files,
                headers=sent,
            )

        for attempt in count(1):
            outcome = self._once(build)
            if isinstance(outcome, Answer):
                return outcome
            pause = self._pause(method, attempt, outcome, is_repeatable=is_repeatable)
            if pause is None:
                raise outcome
            self.sleep(pause)
        raise AssertionError("unreachable")

    def pages(self, path: str, params: Mapping[str, object] | None = None) -> Iterator[tuple[Answer, Any]]:
        """Every item of a list, page after page, with the answer it came in. Raises as `ask` does."""
        asked, seen = dict(params or {}), set[str]()
        while True:
            answer = self.get(path, asked)
            page = answer.json()
            items, cursor = (page.get("items"), page.get("next_cursor")) if isinstance(page, dict) else (None, None)
            if not isinstance(items, list):
                raise UnexpectedAnswer("this is not a page of a list", status=answer.status)
            for item in items:
                yield answer, item
            if cursor is None:
                return
            if cursor in seen:
                raise UnexpectedAnswer("the list leads round in a circle", status=answer.status)
            seen.add(cursor)
            asked["cursor"] = cursor

    # inside

    def _once(self, build: Callable[[], httpx.Request]) -> Answer | ClientError:
        """One attempt. What httpx raises ends here: it leads to the request, and that to the key."""
        try:
            response = self._client.send(build())
        except httpx.TransportError as error:
            was_sent = not isinstance(error, _UNSENT)
            detail = f"no answer from {self.address}: {self._clean(str(error)) or type(error).__name__}"
            is_final = isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol) or _is_untrusted(error)
            return ConnectionFailed(detail, was_sent=was_sent, is_final=is_final)
        except httpx.DecodingError:
            return UnexpectedAnswer("the answer is compressed, and cannot be read", status=None)
        if response.is_success:
            return Answer(status=response.status_code, headers=dict(response.headers), body=response.content)
        if response.is_error:
            return self._problem(response)
        return UnexpectedAnswer(
            f"the server answered {response.status_code}, which leads elsewhere: give the address that it has now",
            status=response.status_code,
        )

    def _pause(self, method: str, attempt: int, outcome: ClientError, *, is_repeatable: bool) -> float | None:
        """Seconds after which it is sent again; None when it is not."""
        if isinstance(outcome, ConnectionFailed):
            may = not outcome.is_final and (is_repeatable or not outcome.was_sent)
            return self._retries.pause(attempt) if may else None
        if not isinstance(outcome, ProblemError) or outcome.code in _NEVER_AGAIN:
            return None
        is_busy = outcome.status in (429, 503)
        is_answered_now = outcome.status == 409 and method == "POST" and outcome.retry_after is not None
        if is_busy or is_answered_now or (outcome.status in _GATEWAY and is_repeatable):
            return self._retries.pause(attempt, retry_after=outcome.retry_after)
        return None

    def _problem(self, response: httpx.Response) -> ProblemError:
        status, found = response.status_code, _object(response)
        kind = BY_STATUS.get(status, ProblemError)
        reason = response.reason_phrase or "no"
        return kind(
            status=status,
            code=self._text(found, "code") or "unknown",
            title=self._text(found, "title") or reason,
            detail=self._text(found, "detail") or f"the server answered {status} ({reason}) without saying why",
            hint=self._text(found, "hint"),
            request_id=self._text(found, "request_id") or response.headers.get("x-request-id"),
            fields=[
                FieldProblem(pointer=self._text(one, "pointer") or "", detail=self._text(one, "detail") or "")
                for one in found.get("errors") or ()
                if isinstance(one, dict)
            ],
            retry_after=retry_after_of(response.headers.get("retry-after")),
        )

    def _text(self, found: Mapping[str, object], name: str) -> str | None:
        value = found.get(name)
        return self._clean(value) if isinstance(value, str) and value else None

    def _clean(self, text: str) -> str:
        """Without the key, should anything between have sent it back."""
        return text.replace(self._key, "***")[:_LONGEST_TEXT]


def _given(values: Mapping[str, object] | None) -> dict[str, Any] | None:
    return None if values is None else {name: value for name, value in values.items() if value is not None}


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether the server's certificate is the reason."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
