"""A server that is not there: answers come from a function, and what was asked is kept."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

import httpx

from imgguard.client import Client, Retries

KEY = "imgguard_01jnv7kea5c7e9g1j3m5p7r9tw_" + "x" * 52 + "_0000000"
HERE = "http://127.0.0.1:8787"

AT = "2026-03-01T12:00:00Z"
JOB = {
    "job_id": "job_1",
    "organisation_id": "org_1",
    "member_id": "mem_1",
    "key_id": None,
    "kind": "check",
    "options": {},
    "state": "queued",
    "is_over": False,
    "item_count": 1,
    "done_count": 0,
    "failed_count": 0,
    "waiting_count": 1,
    "created_at": AT,
    "started_at": None,
    "finished_at": None,
}
DONE = {**JOB, "state": "done", "is_over": True, "done_count": 1, "waiting_count": 0, "finished_at": AT}
ITEM = {
    "position": 1,
    "state": "done",
    "file": "a.jpg",
    "sha256": "0" * 64,
    "url": None,
    "attempts": 1,
    "result": {"finding_id": "fnd_1", "verdict": "copy", "conclusion": "unlicensed"},
    "error": None,
    "finished_at": AT,
}
FAILED = {**ITEM, "state": "failed", "result": None, "error": {"code": "corrupt_image", "detail": "cut short"}}
REFERENCE = {
    "reference_id": "ref_1",
    "work_id": "wrk_1",
    "title": "A mug",
    "file": "mug.jpg",
    "status": "active",
    "sha256": "0" * 64,
    "media_type": "image/jpeg",
    "width": 640,
    "height": 480,
    "byte_length": 1000,
    "owner": "Sample Studio",
    "registered_at": AT,
    "withdrawn_at": None,
    "erased_at": None,
}
MATCH = {
    "match_id": "mat_1",
    "number": 1,
    "disclosure": "outline",
    "is_own": False,
    "standing": "unlicensed",
    "licence": {"status": "none", "licence_id": None, "ends_at": None, "because": []},
    "decision": None,
    "verdict": "copy",
    "strength": "very_strong",
    "reference_id": None,
    "file": None,
    "owner": "Sample Studio",
    "relation": "partial",
    "reasons": ["pixels_agree"],
    "query_coverage": 0.98,
    "query_region": [[0, 0], [640, 0], [640, 480], [0, 480]],
    "reference_outline": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]],
    "edits": ["cropped"],
    "log10_likelihood_ratio": None,
    "cosine_similarity": None,
    "hamming_distance": None,
    "inlier_count": None,
    "agreement": None,
    "reference_coverage": None,
    "transform": None,
    "reference_region": None,
}
CHECK = {
    "finding_id": "fnd_1",
    "checked_at": AT,
    "file": "a.jpg",
    "sha256": "1" * 64,
    "width": 640,
    "height": 480,
    "profile": "thorough",
    "use": {"platform": None, "territory": None, "shop": None, "kind": None},
    "verdict": "copy",
    "conclusion": "unlicensed",
    "reasons": ["pixels_agree"],
    "matches": [MATCH],
    "weights": "2" * 64,
    "calibration": "3" * 64,
}
FEED = {
    "feed_id": "fed_1",
    "job_id": "job_1",
    "file": "feed.csv",
    "url": None,
    "form": "google",
    "encoding": "utf-8",
    "product_count": 2,
    "picture_count": 1,
    "state": "running",
    "is_over": False,
    "done_count": 0,
    "failed_count": 0,
    "waiting_count": 1,
    "created_at": AT,
    "finished_at": None,
}
FEED_LINE = {
    "row": 2,
    "product_id": "SKU-1",
    "title": "Mug",
    "link": "",
    "picture": "https://a.example/a.jpg",
    "column": "image_link",
    "position": 1,
    "state": "done",
    "error": None,
    "finding_id": "fnd_1",
    "check": f"{HERE}/?check=fnd_1",
    "verdict": "copy",
    "conclusion": "unlicensed",
    "matches": [
        {name: MATCH[name] for name in ("match_id", "is_own", "verdict", "strength", "standing", "licence", "owner")}
        | {"reference_id": None}
    ],
}
SKIPPED = {
    **FEED_LINE,
    "picture": None,
    "state": "skipped",
    "error": {"code": "no_picture", "detail": "the product has no picture"},
    "finding_id": None,
    "verdict": None,
    "matches": [],
}


def problem(status: int, code: str = "some_code", **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    body = {
        "type": f"https://imgguard.invalid/problems/{code}",
        "title": "Some title",
        "status": status,
        "detail": "some detail",
        "code": code,
        "hint": "Some hint.",
        "request_id": "req_1",
        **more,
    }
    fields = {"Content-Type": "application/problem+json", **headers}
    return httpx.Response(status, content=json.dumps(body), headers=fields)


def page(*items: object, cursor: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"items": list(items), "next_cursor": cursor})


@dataclass
class Server:
    """Gives ``answers`` one after the other, the last one for ever; a function is called, an exception is raised."""

    answers: list[Any]
    requests: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    key: str = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Callable):
            answer = answer(request)
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)

    def client(self, *, retries: Retries | None = None) -> Client:
        return Client(HERE, KEY, transport=httpx.MockTransport(self), retries=retries, sleep=self.slept.append)

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


def form(request: httpx.Request) -> list[tuple[str, str | None, bytes]]:
    """The parts of a form: field, file name, content."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    return list(_parts(BytesParser(policy=HTTP).parsebytes(head + request.content)))


def _parts(message: Any) -> Iterator[tuple[str, str | None, bytes]]:
    for part in message.iter_parts():
        yield part["content-disposition"].params["name"], part.get_filename(), part.get_payload(decode=True)
