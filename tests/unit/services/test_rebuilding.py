"""Rebuilding: resumed, stopped, overtaken by a registration, and stuck on a damaged original."""

import threading
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from imgguard.errors import DigestMismatch, InvalidTransition, StoreUnavailable, VerificationError
from imgguard.ports import Generation
from imgguard.registry.records import Content
from imgguard.services import rebuilding
from imgguard.services.rebuilding import Rebuilding

OLD, NEW = "0" * 64, "1" * 64


class Contents:
    """The few methods of a catalogue that a rebuild uses, over a set of contents that lack an embedding."""

    def __init__(self, *missing: Content, clock: Any) -> None:
        self.missing = {content.sha256: content for content in missing}
        self.active = Generation(
            generation_id="gen_old", weights_sha256=OLD, status="active", created_at=clock.now(), activated_at=None
        )
        self.building = replace(self.active, generation_id="gen_new", weights_sha256=NEW, status="building")
        self.late: list[Content] = []

    def active_generation(self) -> Generation:
        return self.active

    def begin_generation(self, weights_sha256: str, *, at: object) -> Generation:
        assert weights_sha256 == NEW
        return self.building

    def activate_generation(self, generation_id: str, *, at: object) -> Generation:
        if self.late:  # registered by somebody between the last embedding and the swap
            content = self.late.pop()
            self.missing[content.sha256] = content
        if self.missing:
            raise InvalidTransition("incomplete")
        self.active = replace(self.building, status="active")
        return self.active

    def contents_without_embedding(self, weights_sha256: str, *, limit: int) -> list[Content]:
        return list(self.missing.values())[:limit]

    def add_descriptor(self, sha256: str, descriptor: object) -> None:
        del self.missing[sha256]


def numbered(content: Content, number: int) -> Content:
    return replace(content, number=number, sha256=f"{number:064x}")


def service(contents: Contents, clock: Any, monkeypatch: pytest.MonkeyPatch, **blobs: Any) -> Rebuilding:
    monkeypatch.setattr(rebuilding, "embedding_descriptor", Mock())
    return Rebuilding(
        catalogue=contents,  # type: ignore[arg-type]
        blobs=Mock(**blobs),
        index=Mock(**{"rebuild.return_value": 5}),
        decoder=Mock(),
        models=Mock(**{"configured.return_value.sha256": NEW}),
        clock=clock,
        workers=2,
    )


def test_everything_is_embedded_then_swapped(clock: Any, content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = Contents(*(numbered(content, number) for number in range(700)), clock=clock)
    heard: list[int] = []
    rebuilt = service(contents, clock, monkeypatch).rebuild(stop=threading.Event(), advanced=heard.append)
    assert rebuilt is not None
    assert (rebuilt.embedded, rebuilt.contents, rebuilt.generation.generation_id) == (700, 5, "gen_new")
    assert heard == list(range(1, 701))


def test_what_is_registered_meanwhile_is_embedded_too(
    clock: Any, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = Contents(numbered(content, 1), clock=clock)
    contents.late = [numbered(content, 2), numbered(content, 3)]
    rebuilt = service(contents, clock, monkeypatch).rebuild(stop=threading.Event())
    assert rebuilt is not None
    assert rebuilt.embedded == 3


def test_stopped_it_leaves_the_old_generation(clock: Any, content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = Contents(*(numbered(content, number) for number in range(700)), clock=clock)
    stop = threading.Event()

    def advanced(count: int) -> None:
        if count == 10:
            stop.set()

    assert service(contents, clock, monkeypatch).rebuild(stop=stop, advanced=advanced) is None
    assert contents.active.generation_id == "gen_old"
    assert 0 < len(contents.missing) < 700


def test_damaged_originals_are_named_and_prevent_the_swap(
    clock: Any, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = Contents(numbered(content, 1), numbered(content, 0xABC << 244), clock=clock)

    def get(sha256: str) -> bytes:
        if sha256.startswith("abc"):
            raise DigestMismatch("bad bytes")
        return b""

    with pytest.raises(VerificationError, match=r"1 originals .* abc000000000"):
        service(contents, clock, monkeypatch, **{"get.side_effect": get}).rebuild(stop=threading.Event())
    assert contents.active.generation_id == "gen_old"
    assert len(contents.missing) == 1


def test_a_store_that_fails_is_not_a_damaged_original(
    clock: Any, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = Contents(numbered(content, 1), clock=clock)
    failing = service(contents, clock, monkeypatch, **{"get.side_effect": StoreUnavailable("gone")})
    with pytest.raises(StoreUnavailable):
        failing.rebuild(stop=threading.Event())
