"""Which methods a path takes, whoever of the routes takes them."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI


def walk(routes: Any) -> Iterator[Any]:
    """Every route, those of included routers too."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from walk(included.routes)


def allow_of(app: FastAPI, path: str) -> str:
    """The field `Allow` of ``path`` (RFC 9110, section 10.2.1): the router itself names those of one route only.

    A path that is written out (``/v1/checks/bulk``) is not the one of an id (``/v1/checks/{finding_id}``).
    """
    takers = [route for route in walk(app.routes) if hasattr(route, "path_regex") and route.path_regex.match(path)]
    fewest = min((len(route.param_convertors) for route in takers), default=0)
    methods = {method for route in takers if len(route.param_convertors) == fewest for method in route.methods or ()}
    return ", ".join(sorted(methods))
