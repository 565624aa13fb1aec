"""What is stated of a reference and attached to it is in the log, in the transaction of the change."""

import hashlib
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from imgguard.errors import DigestMismatch, InputError, InvalidTransition, NotFound, StoreUnavailable
from imgguard.provenance.leaves import open_leaf
from imgguard.provenance.records import Claims, Kind, ProofKind, Record
from imgguard.registry.claims import AttachedProof, Keeping, NewClaims
from imgguard.registry.records import Reference
from imgguard.services.claiming import Claiming
from imgguard.storage.blobs import LocalBlobStore
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.claim_store import SqlClaims
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.log_store import SqlLog
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.schema import reference_claims, reference_proofs

from . import stores
from .stores import NOON

RED, BLUE = b"red shirt", b"blue shirt"
RAW = b"a raw file"
SAID = Claims(
    dates=(("taken", "2026-02-01"), ("published", "2026-02")),
    places=("a studio in Oslo",),
    urls=("https://studio.example/red",),
    statement="Taken in our studio.\nNeighbouring frames are attached.",
)


class FixedClock:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "home" / "imgguard.db")
    yield opened
    opened.close()


@pytest.fixture
def catalogue(database: Database) -> SqlCatalogue:
    return SqlCatalogue(database)


@pytest.fixture
def log(database: Database) -> SqlLog:
    return SqlLog(database)


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobStore:
    return LocalBlobStore(tmp_path / "home" / "originals")


@pytest.fixture
def claiming(database: Database, catalogue: SqlCatalogue, blobs: LocalBlobStore) -> Claiming:
    store = SqlClaims(database)
    return Claiming(store=store, catalogue=catalogue, blobs=blobs, clock=FixedClock(), max_bytes=1000)


def register(catalogue: SqlCatalogue, data: bytes = RED, stated: NewClaims | None = None) -> Reference:
    content, described = stores.content(data), stores.descriptors(data)
    return catalogue.add_reference("ann", content, described, file="a.jpg", at=NOON, stated=stated)


def attach(claiming: Claiming, reference: Reference, data: bytes = RAW, *, name: str = "a.nef") -> AttachedProof:
    return claiming.attach(reference.reference_id, io.BytesIO(data), kind=ProofKind.RAW, name=name)


def record(log: SqlLog, object_id: str, kind: Kind) -> Record:
    """Of the latest leaf about it, which opens, and is signed."""
    leaf = log.leaf_about(object_id, kind)
    ((_, opening),) = log.openings(leaf.position, limit=1)
    assert opening is not None
    assert opening.claimant is not None
    return open_leaf(leaf.leaf, opening)


class TestStating:
    def test_what_is_stated_with_a_registration_is_in_its_record(
        self, catalogue: SqlCatalogue, claiming: Claiming, log: SqlLog
    ) -> None:
        made = register(catalogue, stated=NewClaims(claims=SAID))
        assert record(log, made.reference_id, Kind.REGISTRATION).body["claims"] == {
            "dates": [{"what": "taken", "at": "2026-02-01"}, {"what": "published", "at": "2026-02"}],
            "places": ["a studio in Oslo"],
            "urls": ["https://studio.example/red"],
            "statement": SAID.statement,
        }
        (statement,) = claiming.statements(made.reference_id)
        assert (statement.claims, statement.at_registration, statement.made_at) == (SAID, True, NOON)
        assert log.size() == 1

    def test_what_is_stated_later_has_a_leaf_of_its_own(
        self, catalogue: SqlCatalogue, claiming: Claiming, log: SqlLog
    ) -> None:
        made = register(catalogue)
        first, second = (claiming.state(made.reference_id, Claims(places=(place,))) for place in ("Oslo", "Bergen"))
        assert record(log, first.claim_id, Kind.CLAIM).body == {
            "subject": made.reference_id,
            "occurred_at": "2026-03-01T12:00:00Z",
            "facts": {"event": "claimed", "claims": {"places": ["Oslo"]}},
        }
        assert record(log, second.claim_id, Kind.CLAIM).body["facts"]["claims"] == {"places": ["Bergen"]}
        assert claiming.statements(made.reference_id) == [first, second]

    def test_there_are_no_more_than_fifty(self, catalogue: SqlCatalogue, claiming: Claiming, log: SqlLog) -> None:
        made = register(catalogue)
        for number in range(50):
            claiming.state(made.reference_id, Claims(places=(f"{number}",)))
        with pytest.raises(InvalidTransition, match="50"):
            claiming.state(made.reference_id, SAID)
        assert log.size() == 51

    def test_of_what_is_not_there_nothing_is_stated(self, claiming: Claiming, log: SqlLog) -> None:
        with pytest.raises(NotFound):
            claiming.state("ref_nobody", SAID)
        assert log.size() == 0


class TestAttaching:
    def test_a_file_is_kept_and_its_digest_is_in_the_log(
        self, catalogue: SqlCatalogue, claiming: Claiming, log: SqlLog
    ) -> None:
        made = register(catalogue)
        proof = attach(claiming, made)
        sha256 = hashlib.sha256(RAW).hexdigest()
        assert (proof.sha256, proof.byte_length, proof.keeping) == (sha256, len(RAW), Keeping.STORED)
        told = record(log, proof.proof_id, Kind.CLAIM).body
        assert told["digests"] == {"proof": sha256}
        assert told["facts"] == {
            "event": "attached",
            "proof": {"kind": "raw", "sha256": sha256, "bytes": len(RAW), "name": "a.nef"},
        }
        with claiming.opened(made.reference_id, proof.proof_id) as file:
            assert file.read() == RAW

    def test_what_is_attached_is_no_orphan(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore
    ) -> None:
        proof = attach(claiming, register(catalogue))
        assert list(catalogue.kept_queries()) == [proof.sha256]
        assert catalogue.queue_blob_deletions([proof.sha256], at=NOON) == 0
        assert list(blobs.digests()) == [proof.sha256]

    def test_a_digest_alone_keeps_no_file(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore, log: SqlLog
    ) -> None:
        made = register(catalogue)
        sha256 = "a" * 64
        kind = ProofKind.NEIGHBOURING_FRAME
        proof = claiming.attach_digest(made.reference_id, kind=kind, name="b.nef", sha256=sha256, byte_length=7)
        assert record(log, proof.proof_id, Kind.CLAIM).body["digests"] == {"proof": sha256}
        assert (list(blobs.digests()), list(catalogue.kept_queries())) == ([], [])
        with pytest.raises(NotFound, match="no file"):
            claiming.opened(made.reference_id, proof.proof_id)

    @pytest.mark.parametrize("sha256", ["A" * 64, "a" * 63, "../../etc/passwd", ""])
    def test_what_is_no_digest_is_refused(self, catalogue: SqlCatalogue, claiming: Claiming, sha256: str) -> None:
        made = register(catalogue)
        with pytest.raises(InputError):
            claiming.attach_digest(made.reference_id, kind=ProofKind.RAW, name="a.nef", sha256=sha256, byte_length=1)

    @pytest.mark.parametrize("data", [b"", b"x" * 1001])
    def test_neither_nothing_nor_too_much_is_kept(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore, data: bytes
    ) -> None:
        with pytest.raises(InputError, match="1 to 1000 bytes"):
            attach(claiming, register(catalogue), data)
        assert list(blobs.digests()) == []

    def test_there_are_no_more_than_fifty_and_the_next_leaves_no_file(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore
    ) -> None:
        made = register(catalogue)
        for number in range(50):
            attach(claiming, made, f"{number}".encode())
        with pytest.raises(InvalidTransition, match="50"):
            attach(claiming, made, b"one more")
        assert catalogue.delete_blobs(blobs.delete).deleted == 1
        assert len(list(blobs.digests())) == 50

    def test_a_file_that_was_deleted_meanwhile_is_stored_again(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made, put = register(catalogue), blobs.put_file
        times = []

        def put_and_lose(file: io.BytesIO) -> object:
            stored = put(file)
            times.append(stored)
            if len(times) == 1:
                blobs.delete(stored.sha256)
            return stored

        monkeypatch.setattr(blobs, "put_file", put_and_lose)
        proof = attach(claiming, made)
        assert blobs.get(proof.sha256) == RAW

    def test_without_its_leaf_there_is_no_proof(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = register(catalogue)

        def fail(_: str) -> datetime:
            raise StoreUnavailable("the disk is gone")

        monkeypatch.setattr(blobs, "stored_at", fail)
        with pytest.raises(StoreUnavailable):
            attach(claiming, made)
        assert claiming.proofs(made.reference_id) == []


class TestRemoving:
    def test_the_file_goes_and_the_digest_stays(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore, log: SqlLog
    ) -> None:
        made = register(catalogue)
        proof = attach(claiming, made)
        removed = claiming.remove(made.reference_id, proof.proof_id)
        assert (removed.keeping, removed.sha256, removed.removed_at) == (Keeping.REMOVED, proof.sha256, NOON)
        assert claiming.proofs(made.reference_id) == [removed]
        assert list(blobs.digests()) == []
        assert record(log, proof.proof_id, Kind.CLAIM).body["facts"]["event"] == "removed"
        first = log.leaf_about(proof.proof_id)
        ((_, opening),) = log.openings(first.position, limit=1)
        assert opening is not None
        assert open_leaf(first.leaf, opening).body["facts"]["event"] == "attached"
        with pytest.raises(InvalidTransition):
            claiming.remove(made.reference_id, proof.proof_id)

    def test_what_another_proof_has_too_stays(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore
    ) -> None:
        red, blue = register(catalogue), register(catalogue, BLUE)
        mine, other = attach(claiming, red), attach(claiming, blue)
        claiming.remove(red.reference_id, mine.proof_id)
        assert blobs.get(other.sha256) == RAW

    def test_a_proof_belongs_to_its_reference(self, catalogue: SqlCatalogue, claiming: Claiming) -> None:
        red, blue = register(catalogue), register(catalogue, BLUE)
        proof = attach(claiming, red)
        with pytest.raises(NotFound):
            claiming.remove(blue.reference_id, proof.proof_id)
        with pytest.raises(NotFound):
            claiming.opened(blue.reference_id, proof.proof_id)


class TestErasing:
    def test_nothing_is_left_that_opens_a_leaf(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore, log: SqlLog, database: Database
    ) -> None:
        made = register(catalogue, stated=NewClaims(claims=SAID))
        attach(claiming, made)
        claiming.state(made.reference_id, Claims(places=("Bergen",)))
        claiming.remove(made.reference_id, attach(claiming, made, b"another").proof_id)
        catalogue.erase(made.reference_id, at=NOON)
        catalogue.delete_blobs(blobs.delete)
        opened = [leaf.kind for leaf, opening in log.openings(0, limit=10) if opening is not None]
        assert (opened, log.size()) == ([Kind.WITHDRAWAL], 6)  # that it was erased, which names nobody
        assert list(blobs.digests()) == []
        with database.read() as connection:
            for table in (reference_claims, reference_proofs):
                assert connection.execute(select(table)).first() is None
        with pytest.raises(InvalidTransition):
            attach(claiming, made)
        with pytest.raises(InvalidTransition):
            claiming.state(made.reference_id, SAID)

    def test_a_proof_with_the_bytes_of_the_original_goes_too(
        self, catalogue: SqlCatalogue, claiming: Claiming, blobs: LocalBlobStore
    ) -> None:
        made = register(catalogue)
        attach(claiming, made, RED)
        catalogue.erase(made.reference_id, at=NOON)
        catalogue.delete_blobs(blobs.delete)
        assert list(blobs.digests()) == []

    def test_withdrawn_it_may_still_be_backed(self, catalogue: SqlCatalogue, claiming: Claiming) -> None:
        made = register(catalogue)
        catalogue.withdraw(made.reference_id, at=NOON)
        assert claiming.state(made.reference_id, SAID).claims == SAID


def test_damage_of_a_file_is_told(catalogue: SqlCatalogue, claiming: Claiming, tmp_path: Path) -> None:
    made = register(catalogue)
    proof = attach(claiming, made)
    (path,) = (tmp_path / "home" / "originals").rglob(proof.sha256)
    path.write_bytes(b"A raw file")
    with pytest.raises(DigestMismatch):
        claiming.opened(made.reference_id, proof.proof_id)
    attach(claiming, made)
    assert path.read_bytes() == RAW


def test_what_is_stored_reads_back_as_it_was_given(database: Database, catalogue: SqlCatalogue) -> None:
    made = register(catalogue, stated=NewClaims(claims=SAID))
    with database.read() as connection:
        (text,) = connection.execute(select(reference_claims.c.claims)).scalars()
    assert json.loads(text)["dates"][0] == {"what": "taken", "at": "2026-02-01"}
    assert SqlClaims(database).statements(made.reference_id)[0].claims == SAID
