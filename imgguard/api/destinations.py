"""Where browsers are sent on to: places of our own, whatever an address asks for."""

import re
from urllib.parse import unquote

from fastapi import Request

from imgguard.settings import Settings

HOME = "/"
_LONGEST = 2000
_PLACE = re.compile(r"/[A-Za-z0-9/._~!$&'()*+,;=:@%-]*(?:\?[A-Za-z0-9/?._~!$&'()*+,;=:@%-]*)?")
_READINGS = 3
"""How often a server behind a server behind a proxy may undo percent-encoding."""


def local_path(text: str) -> str:
    """``text``, if it is a path of this service with perhaps a query; else the page to begin with.

    No reading of it, however often it is decoded, may lead to another host: browsers take ``//host``, and ``\\`` for
    ``/``, and leave out tabs and line feeds.
    """
    path = text.partition("?")[0]
    if len(text) > _LONGEST or not _PLACE.fullmatch(text):
        return HOME
    for _ in range(_READINGS):
        if "//" in path or "\\" in path or not path.isprintable():
            return HOME
        path = unquote(path, errors="replace")
    return text if "%" not in path and "//" not in path and "\\" not in path and path.isprintable() else HOME


def own_address(request: Request, settings: Settings, path: str) -> str:
    """``path`` as others are told it: under ``public_url``, or else the name that the request came to, which
    `imgguard.api.gate` has checked."""
    if settings.public_url is not None:
        return settings.public_url + path
    return f"{request.url.scheme}://{request.headers['host']}{path}"
