"""What schemathesis is told besides: what a schema cannot say, and whom not to remove.

Loaded by the command in `test_by_its_description`, not by pytest.
"""

import json
import os
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure

_OWN_IDS = frozenset(os.environ["IMGGUARD_TESTER"].split(","))

_NOT_IN_A_SCHEMA = {
    "invalid_cursor": "cursors are made by the service alone",
    "stale_revision": "the ETag of an object changes with it",
    "idempotency_mismatch": "the key was used for another request before",
    "invalid_input": "rules that need code: printable names, real addresses, ISO 3166, one kind of licensee",
    "invalid_transition": "what an object can do depends on what was done to it",
    "unsupported_format": "whether bytes are a picture, only decoding tells",
    "corrupt_image": "likewise",
    "image_too_large": "likewise",
    "fetch_refused": "which addresses are public, only looking them up tells",
    "fetch_failed": "what a server answers, only asking it tells",
}
"""Codes with which what agrees with the description may yet be refused, and why."""


def _code(response: Response) -> str:
    try:
        return str(json.loads(response.content).get("code"))
    except (ValueError, AttributeError):
        return ""


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Leaves out what is no failure:

    - refusals for what stands in `_NOT_IN_A_SCHEMA`
    - forms that were accepted: all their fields travel as text, so a number in place of a text is none
    - a body that was refused for its size (413), before its content could be
    """
    if failure.code == "ST202":
        return _code(response) not in _NOT_IN_A_SCHEMA
    if failure.code == "ST201":
        return case.media_type != "multipart/form-data" and response.status_code != 413
    return True


@schemathesis.check
def every_problem_has_one_shape(ctx: CheckContext, response: Response, case: Case) -> None:
    """Whatever is asked: the status is that of the problem, and the request can be found in the log."""
    if response.status_code >= 400:
        problem: dict[str, Any] = json.loads(response.content)
        assert problem["status"] == response.status_code
        assert [problem["request_id"]] == response.headers["x-request-id"]


@schemathesis.hook
def filter_case(context: HookContext, case: Case) -> bool:
    """Nobody can go on testing who has removed himself, or signed out."""
    return case.method == "GET" or not _OWN_IDS & {str(value) for value in (case.path_parameters or {}).values()}
