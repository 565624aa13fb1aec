"""The host of a URL: a name in its ASCII form, or the address that a spelling of numbers stands for.

IPv4 addresses are read as browsers read them (WHATWG URL Standard, section 3.5), so ``0x7f.1``, ``017700000001`` and
``2130706433`` are all 127.0.0.1, and nothing that resolvers might take for a number is ever looked up as a name.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

from imgguard.errors import FetchRefused
from imgguard.net.addresses import Address, canonical

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
"""Underscores are no letters of host names, but some shops and buckets have them."""
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MAX_NAME = 253
"""RFC 1035, section 2.3.4, without the root's label."""


def parse_host(text: str) -> str | Address:
    """A lower-case ASCII name without a final dot, or an address. Raises FetchRefused."""
    if text.startswith("["):
        return _parse_bracketed(text)
    name = _to_ascii(text).lower().removesuffix(".")
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise FetchRefused("the URL has no valid host name")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _parse_ipv4(name)
    return name


def _parse_bracketed(text: str) -> Address:
    if "%" in text:
        raise FetchRefused("the URL names a network interface (zone id)")
    try:
        return canonical(IPv6Address(text.removeprefix("[").removesuffix("]") if text.endswith("]") else ""))
    except AddressValueError as error:
        raise FetchRefused("the URL has no valid IPv6 address") from error


def _to_ascii(text: str) -> str:
    """International names become ``xn--`` names, wide and circled digits plain ones (UTS 46, IDNA 2008)."""
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise FetchRefused("the URL has no valid international host name") from error


def _parse_ipv4(name: str) -> IPv4Address:
    """One to four numbers, decimal, octal (``0``) or hexadecimal (``0x``); the last fills the bytes that are left."""
    parts = name.split(".")
    try:
        numbers = [_parse_number(part) for part in parts]
    except ValueError as error:
        raise FetchRefused("the URL has no valid IPv4 address") from error
    *heads, last = numbers
    if len(parts) > 4 or any(head > 255 for head in heads) or last >= 256 ** (5 - len(parts)):
        raise FetchRefused("the URL has no valid IPv4 address")
    return IPv4Address(sum(head << (24 - 8 * at) for at, head in enumerate(heads)) + last)


def _parse_number(part: str) -> int:
    if not _NUMBER.fullmatch(part):
        raise ValueError(part)
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)
