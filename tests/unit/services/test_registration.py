"""Registration when others are faster, and when the comparison after it fails."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from imgguard.errors import ConfigurationError, DigestMismatch, DuplicateReference, StoreUnavailable, WeightsUnavailable
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, pack_vector
from imgguard.imaging.credentials import NO_CREDENTIALS
from imgguard.imaging.image import DecodedImage
from imgguard.index.fusion import FusedHit
from imgguard.pipeline import Tools
from imgguard.registry.records import Content, Reference
from imgguard.services import registration
from imgguard.services.registration import Registration, owner_name
from imgguard.services.sources import source_of
from imgguard.verdict.finding import Judgement

EMBEDDING = Descriptor(
    kind=DescriptorKind.EMBEDDING,
    algorithm="test",
    version="1",
    weights_sha256="e" * 64,
    data=pack_vector(np.full(4, 0.5, np.float32)),
)


@pytest.fixture
def catalogue(reference: Callable[..., Reference]) -> Mock:
    mock = Mock()
    mock.find_reference.return_value = None
    mock.add_reference.return_value = reference(reference_id="ref_new")
    return mock


@pytest.fixture
def index() -> Mock:
    mock = Mock()
    mock.search.return_value = [FusedHit(number=7, cosine_similarity=0.9, view=0)]
    return mock


@pytest.fixture
def service(
    catalogue: Mock, index: Mock, clock: Any, image: DecodedImage, monkeypatch: pytest.MonkeyPatch
) -> Registration:
    monkeypatch.setattr(registration, "describe", lambda *_: [EMBEDDING])
    monkeypatch.setattr(registration, "pdq", Mock())
    return Registration(
        catalogue=catalogue,
        blobs=Mock(),
        index=index,
        decoder=Mock(**{"decode.return_value": image}),
        credentials=Mock(**{"credentials.return_value": NO_CREDENTIALS}),
        models=Mock(),
        calibration=Mock(),
        clock=clock,
        max_bytes=1000,
    )


def test_similar_ones_without_the_new_reference_itself(
    service: Registration,
    catalogue: Mock,
    monkeypatch: pytest.MonkeyPatch,
    judgement: Judgement,
    reference: Callable[..., Reference],
) -> None:
    monkeypatch.setattr(registration, "verify_candidates", lambda *_: (judgement,))
    catalogue.references_of.return_value = [reference(), reference(reference_id="ref_new", owner="Me")]
    line = service.register(b"abc", owner="Me", file="a.jpg")
    assert [match.reference_id for match in line.similar] == ["ref_1"]


def test_below_the_gate_nothing_is_compared(
    service: Registration, index: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = Mock()
    monkeypatch.setattr(registration, "verify_candidates", verify)
    index.search.return_value = [FusedHit(number=7, cosine_similarity=0.49, view=0)]
    assert service.register(b"abc", owner="Me", file="a.jpg").similar == []
    assert not verify.called


def test_a_failed_comparison_does_not_undo_the_registration(
    service: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "verify_candidates", Mock(side_effect=DigestMismatch("damaged")))
    line = service.register(b"abc", owner="Me", file="a.jpg")
    assert (line.status, line.reference_id) == ("registered", "ref_new")
    assert line.error is not None
    assert line.error.code == "digest_mismatch"


def test_a_damaged_candidate_is_told_beside_the_whole_ones(
    service: Registration,
    catalogue: Mock,
    content: Content,
    monkeypatch: pytest.MonkeyPatch,
    judgement: Judgement,
    reference: Callable[..., Reference],
) -> None:
    catalogue.content_numbered.return_value = content
    catalogue.descriptors.return_value = []
    catalogue.references_of.return_value = [reference()]

    def verify(image: object, hashes: object, views: object, hits: object, tools: Tools, profile: object) -> Any:
        assert tools.library.load(7) is None
        return (judgement,)

    monkeypatch.setattr(registration, "verify_candidates", verify)
    line = service.register(b"abc", owner="Me", file="a.jpg")
    assert [match.reference_id for match in line.similar] == ["ref_1"]
    assert line.error is not None
    assert (line.status, line.error.code) == ("registered", "digest_mismatch")


def test_registered_by_another_process_meanwhile(
    service: Registration, catalogue: Mock, reference: Callable[..., Reference]
) -> None:
    catalogue.add_reference.side_effect = DuplicateReference("there already")
    catalogue.find_reference.side_effect = [None, reference()]
    line = service.register(b"abc", owner="Ann", file="a.jpg")
    assert (line.status, line.reference_id) == ("duplicate", "ref_1")


def test_weights_changed_while_a_picture_was_described(service: Registration, catalogue: Mock) -> None:
    old, new = Mock(weights_sha256="0" * 64), Mock(weights_sha256="1" * 64)
    catalogue.active_generation.side_effect = [old, new, new]
    reference = catalogue.add_reference.return_value
    catalogue.add_reference.side_effect = [WeightsUnavailable("not embedded with the new weights"), reference]
    assert service.register(b"abc", owner="Me", file="a.jpg").status == "registered"
    assert [call.args for call in service._models.reference.call_args_list][:2] == [("0" * 64,), ("1" * 64,)]  # type: ignore[attr-defined]


def test_weights_that_are_simply_missing(service: Registration, catalogue: Mock) -> None:
    catalogue.active_generation.return_value = Mock(weights_sha256="0" * 64)
    catalogue.add_reference.side_effect = WeightsUnavailable("no embedding")
    with pytest.raises(WeightsUnavailable):
        service.register(b"abc", owner="Me", file="a.jpg")


def test_the_bytes_are_stored_before_the_row_and_again_inside_it(service: Registration, catalogue: Mock) -> None:
    blobs = service._blobs
    assert isinstance(blobs, Mock)

    def add(*_: object, store_blob: Callable[[], object], **__: object) -> Any:
        assert blobs.put.call_count == 1
        store_blob()
        return catalogue.add_reference.return_value

    catalogue.add_reference.side_effect = add
    service.register(b"abc", owner="Me", file="a.jpg")
    assert [call.args for call in blobs.put.call_args_list] == [(b"abc",), (b"abc",)]


def test_a_store_that_fails_ends_the_run(service: Registration, catalogue: Mock, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"abc")
    catalogue.add_reference.side_effect = StoreUnavailable("disk full")
    registered = service.line(source_of(path), owner="Me")
    assert registered.line.status == "rejected"
    assert isinstance(registered.fatal, StoreUnavailable)


@pytest.mark.parametrize("name", ["", " ", "a\tb", "a\u202eb", "x" * 201])
def test_names_that_name_nobody(name: str) -> None:
    with pytest.raises(ConfigurationError):
        owner_name(name)


def test_a_name_keeps_its_inside() -> None:
    assert owner_name("  Müller & Söhne 株式会社 ") == "Müller & Söhne 株式会社"
