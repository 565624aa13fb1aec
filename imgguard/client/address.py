"""Where to, and with what: checked before anything is sent."""

import re
from ipaddress import ip_address

import httpx

from imgguard.client.errors import BadAddress, BadKey

_KEY = re.compile(r"[!-~]{8,500}", re.ASCII)


def checked_address(base_url: str) -> httpx.URL:
    """``base_url``, read by what will connect, so that both mean the same host.

    Raises BadAddress for what is no address, and for plain http to anywhere but this machine: whoever is on the way
    could read the key.
    """
    try:
        url = httpx.URL(base_url.strip())
    except (httpx.InvalidURL, ValueError):
        raise BadAddress("the address of the server cannot be read") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise BadAddress("the address of a server is like https://imgguard.example.org")
    if url.userinfo or "?" in base_url or "#" in base_url:
        raise BadAddress("the address of a server has a host and perhaps a port and a path, and nothing else")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise BadAddress(f"an API key is not sent to {url.host} unencrypted: use https")
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked_key(key: str) -> str:
    """``key`` without the line end that a file has. Raises BadKey, which does not show it."""
    key = key.strip()
    if _KEY.fullmatch(key) is None:
        raise BadKey("this is not an API key: those have one line without spaces")
    return key
