"""What a client of the soak does: a deed is one or a few requests, and says which answers are right."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from imgguard.bench.serving import EMAIL, PASSWORD

_OVERLOADED = frozenset({429, 503})
_CRASHES = frozenset({"worker_crashed", "internal"})
_LISTS = (
    "checks",
    "references",
    "works",
    "collections",
    "jobs",
    "keys",
    "licences",
    "decisions",
    "members",
    "audit-events",
)
_PATIENCE = 60.0  # seconds for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Files: what is registered at the beginning, what is checked, and what nobody should hand in."""

    originals: list[bytes]
    queries: list[bytes]
    hostile: list[bytes]
    too_large: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. ``status`` 0: no answer came. ``complaint`` says why it should not have been so."""

    kind: str
    status: int
    seconds: float
    complaint: str | None


class Deeds:
    """One client, with connections of its own; belongs to one thread. Everybody's choices follow from ``seed``."""

    def __init__(self, place: str, key: str, pictures: Pictures, *, seed: int) -> None:
        self._pictures = pictures
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - choices, no secrets
        self._numbers = count()
        self._client = httpx.Client(base_url=place, headers={"Authorization": f"Bearer {key}"}, timeout=_PATIENCE)
        self._stranger = httpx.Client(base_url=place, timeout=_PATIENCE)
        self.asked: list[Asked] = []
        deeds: dict[Callable[[], object], int] = {
            self._check: 40,
            self._look_at_evidence: 8,
            self._list: 20,
            self._compare: 3,
            self._search_hash: 3,
            self._register_and_end: 5,
            self._bulk_check: 2,
            self._bulk_register: 1,
            self._license: 3,
            self._sign_in: 1,
            self._hand_in_poison: 4,
            self._ask_badly: 8,
        }
        self._deeds, self._weights = list(deeds), list(deeds.values())

    def __enter__(self) -> "Deeds":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._stranger.close()

    def do_one(self) -> None:
        (deed,) = self._random.choices(self._deeds, self._weights)
        deed()

    def register_all(self) -> None:
        for data in self._pictures.originals:
            self._ask("register", "POST", "/v1/references", {200, 201}, files={"file": ("a.jpg", data)})

    # deeds

    def _check(self) -> str | None:
        """The id of the finding, if there is one already."""
        data = self._random.choice(self._pictures.queries)
        answer = self._ask("check", "POST", "/v1/checks", {200, 202}, files={"file": ("listing.jpg", data)})
        return None if answer is None or answer.status_code != 200 else str(answer.json()["finding_id"])

    def _look_at_evidence(self) -> None:
        finding_id = self._check()
        if finding_id is None:
            return
        shown = self._ask("get check", "GET", f"/v1/checks/{finding_id}", {200})
        self._ask("get checked picture", "GET", f"/v1/checks/{finding_id}/picture", {200})
        for number, _ in enumerate(shown.json()["matches"][:1] if shown is not None else (), start=1):
            place = f"/v1/checks/{finding_id}/matches/{number}/pictures"
            listed = self._ask("list evidence", "GET", place, {200})
            for name in listed.json()["pictures"][:2] if listed is not None else ():
                self._ask("draw evidence", "GET", f"{place}/{name}", {200})

    def _list(self) -> None:
        path = f"/v1/{self._random.choice(_LISTS)}"
        page = self._ask("list", "GET", path, {200}, params={"limit": 20})
        if page is not None and (cursor := page.json()["next_cursor"]):
            self._ask("list", "GET", path, {200}, params={"limit": 20, "cursor": cursor})

    def _compare(self) -> None:
        files = {
            "query": ("a.jpg", self._random.choice(self._pictures.queries)),
            "reference": ("b.jpg", self._random.choice(self._pictures.originals)),
        }
        self._ask("compare", "POST", "/v1/compare", {200}, files=files, data={"profile": "quick"})

    def _search_hash(self) -> None:
        digits = f"{self._random.getrandbits(256):064x}"
        self._ask("search hash", "POST", "/v1/search/hash", {200}, json={"pdq": digits})

    def _register_and_end(self) -> None:
        """Found by the next check; not any more once it has ended."""
        data = self.fresh()
        made = self._ask("register", "POST", "/v1/references", {201, 202}, files={"file": ("new.jpg", data)})
        if made is None or made.status_code != 201:
            return
        reference_id = made.json()["reference"]["reference_id"]
        self._expect_found(data, reference_id, found=True)
        how = self._random.choice(("false", "true"))
        kind = "erase" if how == "true" else "withdraw"
        ended = self._ask(kind, "DELETE", f"/v1/references/{reference_id}", {200}, params={"erase": how})
        if ended is not None:
            self._expect_found(data, reference_id, found=False)

    def _expect_found(self, data: bytes, reference_id: str, *, found: bool) -> None:
        """As long as the references that have the same pixels are few, each is among the matches."""
        answer = self._ask("check", "POST", "/v1/checks", {200, 202}, files={"file": ("again.jpg", data)})
        if answer is None or answer.status_code != 200:
            return
        named = {match["reference_id"] for match in answer.json()["matches"]}
        if found != (reference_id in named):
            self._complain("check", f"a reference is {'not found' if found else 'found after its end'}")

    def _bulk_check(self) -> None:
        files = [("files", (f"{n}.jpg", self._random.choice(self._pictures.queries))) for n in range(5)]
        self._finished(self._ask("bulk check", "POST", "/v1/checks/bulk", {202}, files=files))

    def _bulk_register(self) -> None:
        files = [("files", (f"{n}.jpg", self.fresh())) for n in range(3)]
        job_id = self._finished(self._ask("bulk register", "POST", "/v1/references/bulk", {202}, files=files))
        items = self._ask("list items", "GET", f"/v1/jobs/{job_id}/items", {200}) if job_id else None
        for item in items.json()["items"] if items is not None else ():
            if item["result"] is not None:
                path = f"/v1/references/{item['result']['reference_id']}"
                self._ask("erase", "DELETE", path, {200}, params={"erase": "true"})

    def _finished(self, accepted: httpx.Response | None) -> str | None:
        """Follow the job by its events to its end."""
        if accepted is None:
            return None
        job_id, began, state = accepted.json()["job_id"], time.perf_counter(), ""
        try:
            with self._client.stream("GET", f"/v1/jobs/{job_id}/events") as stream:
                for line in stream.iter_lines():
                    if line.startswith("data: "):
                        state = "over" if json.loads(line[6:])["is_over"] else "under way"
                status = stream.status_code
        except httpx.HTTPError as error:
            self._note("follow job", 0, began, f"no answer: {type(error).__name__}")
            return None
        right = (status in {200, 204} and state == "over") or status in _OVERLOADED
        self._note("follow job", status, began, None if right else f"{status}, {state or 'no event'}")
        return str(job_id)

    def _license(self) -> None:
        made = self._ask("grant licence", "POST", "/v1/licences", {201}, json={"by_link": True, "platforms": ["etsy"]})
        if made is not None:
            path = f"/v1/licences/{made.json()['licence']['licence_id']}"
            self._ask("get licence", "GET", path, {200})
            self._ask("revoke licence", "POST", f"{path}/revoke", {200})

    def _sign_in(self) -> None:
        given = {"email": EMAIL, "password": PASSWORD}
        signed_in = self._ask("sign in", "POST", "/v1/session", {200}, client=self._stranger, json=given)
        if signed_in is not None:
            csrf = {"X-CSRF-Token": signed_in.json()["csrf_token"]}
            self._ask("sign out", "DELETE", "/v1/session", {204}, client=self._stranger, headers=csrf)

    def _hand_in_poison(self) -> None:
        """Some of these files are pictures after all."""
        data = self._random.choice(self._pictures.hostile)
        self._ask("check poison", "POST", "/v1/checks", {200, 202, 422}, files={"file": ("poison", data)})

    def _ask_badly(self) -> None:
        wrong = {"Authorization": "Bearer imgguard_01jnv7kea5c7e9g1j3m5p7r9tw_wrong"}
        file = {"file": ("a.jpg", b"no picture")}
        ways: list[tuple[str, str, set[int], dict[str, Any]]] = [
            ("GET", "/v1/checks", {401}, {"headers": wrong}),
            ("GET", "/v1/checks/fnd_01jnv7kn5d7f9h1k3m5p7r9t1v", {404}, {}),
            ("GET", "/v1/checks?cursor=altered", {422}, {}),
            ("PUT", "/v1/checks", {405}, {}),
            ("POST", "/v1/licences", {422}, {"json": {"by_link": "perhaps"}}),
            ("POST", "/v1/checks", {422}, {"files": file}),
            ("POST", "/v1/checks", {413}, {"files": {"file": ("large.jpg", self._pictures.too_large)}}),
            ("POST", "/v1/checks", {415}, {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
        ]
        method, path, right, more = self._random.choice(ways)
        self._ask("bad request", method, path, right, **more)

    # inside

    def fresh(self) -> bytes:
        """A picture with bytes that nobody has handed in before: a comment behind the first marker of a JPEG."""
        data = self._random.choice(self._pictures.originals)
        comment = f"{self._seed}.{next(self._numbers)}".encode()
        return data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + data[2:]

    def _ask(
        self, kind: str, method: str, path: str, right: set[int], *, client: httpx.Client | None = None, **more: Any
    ) -> httpx.Response | None:
        """The answer, if it is one of those that are ``right``."""
        began = time.perf_counter()
        try:
            answer = (client or self._client).request(method, path, **more)
        except httpx.HTTPError as error:
            self._note(kind, 0, began, f"no answer: {type(error).__name__}")
            return None
        if answer.status_code in right:
            self._note(kind, answer.status_code, began, None)
            return answer
        code = answer.json().get("code") if answer.headers.get("content-type", "").endswith("json") else "?"
        is_fine = answer.status_code in _OVERLOADED and code not in _CRASHES
        self._note(kind, answer.status_code, began, None if is_fine else f"{answer.status_code} {code}")
        return None

    def _note(self, kind: str, status: int, began: float, complaint: str | None) -> None:
        seconds = time.perf_counter() - began
        text = None if complaint is None else f"{kind}: {complaint}"
        self.asked.append(Asked(kind=kind, status=status, seconds=seconds, complaint=text))

    def _complain(self, kind: str, complaint: str) -> None:
        self._note(kind, 200, time.perf_counter(), complaint)
