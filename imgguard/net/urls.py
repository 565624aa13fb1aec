"""URLs, parsed once and strictly: what is checked is what is connected to and sent, with no second parser between."""

import re
from collections.abc import Container
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from imgguard.errors import FetchRefused
from imgguard.net.addresses import Address
from imgguard.net.hosts import parse_host

_DEFAULT_PORTS = {"http": 80, "https": 443}
STANDARD_PORTS = frozenset(_DEFAULT_PORTS.values())

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?:#.*)?"
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]{0,5}))?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KEPT = "/?%:@!$&'()*+,;=~[]|"
"""Left as they are in path and query besides letters, digits and ``-._``; all else is percent-encoded as UTF-8."""
_MAX_URL = 8_000
"""Characters. RFC 9110, section 4.1, asks that at least this many octets be supported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a URL leads: ``host`` is a name in ASCII or an IP address; ``path`` includes the query."""

    scheme: str
    host: str | Address
    port: int
    path: str

    @property
    def hostname(self) -> str:
        """The host as certificates name it."""
        return str(self.host)

    @property
    def authority(self) -> str:
        """``host:port`` as in a URL and in the Host header: the port only when it is not that of the scheme."""
        host = f"[{self.host}]" if ":" in self.hostname else self.hostname
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL in its normal form, without a fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_url(url: str, *, ports: Container[int]) -> Target:
    """Raises FetchRefused for all but http and https without credentials to one of ``ports``."""
    if len(url) > _MAX_URL:
        raise FetchRefused(f"a URL of more than {_MAX_URL} characters")
    if _CONTROL.search(url):
        raise FetchRefused("the URL has control characters")
    match = _URL.fullmatch(url)
    if match is None:
        raise FetchRefused("not a URL that begins with http:// or https://")
    scheme = match["scheme"].lower()
    if scheme not in _DEFAULT_PORTS:
        raise FetchRefused("the URL's scheme is neither http nor https")
    if "@" in match["authority"]:
        raise FetchRefused("the URL has credentials")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        raise FetchRefused("the URL has no valid host and port")
    port = int(authority["port"] or _DEFAULT_PORTS[scheme])
    if port not in ports:
        raise FetchRefused(f"port {port} is not allowed")
    return Target(scheme=scheme, host=parse_host(authority["host"]), port=port, path=_path(match))


def redirected(target: Target, location: str, *, ports: Container[int]) -> Target:
    """Where ``target`` sends us on. Raises FetchRefused as for any URL, and for a way from https to http."""
    if _CONTROL.search(location):
        raise FetchRefused("the redirect has control characters")
    try:
        url = urljoin(target.url, location)
    except ValueError as error:
        raise FetchRefused("the redirect leads to no valid URL") from error
    following = parse_url(url, ports=ports)
    if target.scheme == "https" and following.scheme == "http":
        raise FetchRefused("the redirect leads from https to http")
    return following


def _path(match: re.Match[str]) -> str:
    try:
        return quote((match["path"] or "/") + (match["query"] or ""), safe=_KEPT)
    except UnicodeEncodeError as error:
        raise FetchRefused("the URL has characters that are not Unicode text") from error
