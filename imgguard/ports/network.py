"""What is fetched from strangers and sent to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol


class Accept(StrEnum):
    """What the bytes of a fetch must be, by their content. A feed is XML, JSON or a table in text, no web page."""

    IMAGE = "image"
    FEED = "feed"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """One step on the way: ``url`` at ``address`` answered with ``status`` and sent on."""

    url: str
    address: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a server delivered, and the facts that show where and when: ``address`` is the IP address it came from.

    ``declared_type`` is the server's Content-Type, as sent; ``media_type`` is what the bytes look like.
    """

    url: str
    redirects: tuple[Redirect, ...]
    final_url: str
    address: str
    status: int
    declared_type: str | None
    media_type: str
    data: bytes = field(repr=False)
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What is kept of a fetch with the check that was made of it; of the bytes, their number.

    ``url`` is the one that was asked for, without its fragment, which is never sent; ``final_url`` the one that
    answered, behind all redirects, at the IP address ``address``. ``declared_type`` is the server's Content-Type, as
    sent. ``fetched_at``: when the answer was complete, cut to the second.
    """

    url: str
    final_url: str
    address: str
    status: int
    declared_type: str | None
    byte_length: int
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The answer to a message, whatever its ``status``; ``answer`` is the beginning of its body, ``retry_after`` what
    the server sent under that name."""

    url: str
    address: str
    status: int
    answer: bytes
    retry_after: str | None = None
    started_at: datetime
    finished_at: datetime


class Fetcher(Protocol):
    """Gets what strangers' URLs lead to, and cannot be turned against its operator. Thread safe."""

    def fetch(self, url: str, *, accept: Accept, max_bytes: int) -> Fetched:
        """At most ``max_bytes``, with a status of success. Raises FetchRefused, FetchFailed."""
        ...


CheckedUrl = NewType("CheckedUrl", str)
"""One that messages could go to when `Poster.check_url` looked."""


class Poster(Protocol):
    """Sends messages to strangers' URLs (webhooks) under the rules of `Fetcher`, following no redirect. What is not
    encrypted goes to networks that the operator allows only."""

    def check_url(self, url: str) -> CheckedUrl:
        """The URL in its normal form, if messages may go there. Whether the name of a host leads to an address that
        they may go to is looked up only if it is not encrypted, which may take as long as a fetch; it is again for each
        message. Raises FetchRefused, FetchFailed."""
        ...

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Raises FetchRefused, FetchFailed; any status is an answer."""
        ...
