"""The search by perceptual hash: who is answered, by what, and that memory follows the store."""

import hashlib
import secrets

import numpy as np
import pytest
from sqlalchemy import select, update

from imgguard.errors import InputError, PermissionDenied
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, pack_vector
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Disclosure, Scope
from imgguard.registry.records import Content, Reference
from imgguard.services import hash_search
from imgguard.services.hash_memory import HashMemory
from imgguard.services.views import HashMatchView
from imgguard.storage.sql.schema import descriptors

from .town import Town, pdq_of, references_of

HASH = int.from_bytes(hashlib.sha256(b"some picture").digest())
STUDIO = "Sample Studio"


def register(town: Town, pdq: int, owner: str = STUDIO, *, quality: int = 100) -> Reference:
    """A picture that nobody sees, with that hash."""
    catalogue, digest = town.services.catalogue, secrets.token_hex(32)
    generation = catalogue.active_generation()
    assert generation is not None
    content = Content(
        number=0,
        sha256=digest,
        byte_length=1,
        pixel_digest=digest,
        media_type="image/png",
        width=400,
        height=300,
        decoder="pillow",
        decoder_version="13.0",
        declared_times="[]",
    )
    vector = pack_vector(np.eye(1, 512, dtype=np.float32)[0])
    described = [
        Descriptor(
            kind=DescriptorKind.EMBEDDING,
            algorithm="sscd",
            version="1",
            weights_sha256=generation.weights_sha256,
            data=vector,
        ),
        Descriptor(
            kind=DescriptorKind.PDQ,
            algorithm="pdq",
            version="1",
            weights_sha256=None,
            data=pdq.to_bytes(32) + bytes([quality]),
        ),
    ]
    return catalogue.add_reference(owner, content, described, file="a.png", at=town.services.clock.now())


def changed(pdq: int, *, bits: int) -> int:
    """So many bits away."""
    return pdq ^ (2**bits - 1)


def found(town: Town, viewer: str | Actor, pdq: int = HASH, *, distance: int = 31) -> list[HashMatchView]:
    actor = town.actor(viewer) if isinstance(viewer, str) else viewer
    return list(town.services.hash_search.search(actor, f"{pdq:064x}", distance=distance))


def ids(views: list[HashMatchView]) -> list[str]:
    return [view.reference_id for view in views]


def memory(town: Town) -> HashMemory:
    return HashMemory(catalogue=town.services.catalogue, store=town.services.check_store)


class TestWhoIsAnswered:
    @pytest.mark.parametrize("policy", Disclosure)
    def test_strangers_by_originals_in_full_only(self, town: Town, policy: Disclosure) -> None:
        town.disclose(policy)
        theirs = [register(town, changed(HASH, bits=bits)).reference_id for bits in (6, 0, 31)]
        mine = register(town, changed(HASH, bits=9), "Shop").reference_id
        nearest = [theirs[1], theirs[0], mine, theirs[2]]
        views = found(town, "asker")
        assert ids(views) == (nearest if policy is Disclosure.FULL else [mine])
        assert [view.number for view in views] == list(range(1, len(views) + 1))
        assert {view.reference_id: (view.disclosure, view.is_own) for view in views}[mine] == ("everything", True)
        assert ids(found(town, "reviewer")) == nearest
        assert [view.hamming_distance for view in found(town, "owner", distance=6)][:2] == [0, 6]

    @pytest.mark.parametrize("policy", [Disclosure.OUTLINE, Disclosure.CONTACT])
    def test_no_hash_is_read_out_bit_by_bit(self, town: Town, policy: Disclosure) -> None:
        """From a copy at the very edge each bit, turned over, would tell by a yes or no which it is."""
        town.disclose(policy)
        register(town, HASH)
        edge = changed(HASH, bits=31)
        answers = [found(town, "asker", edge ^ (1 << bit)) for bit in range(0, 256, 3)]
        assert answers == [[]] * len(answers)

    def test_what_is_hidden_pushes_nothing_out(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hash_search, "_LOOKED_UP", 2)
        mine = [register(town, changed(HASH, bits=20), "Shop").reference_id for _ in range(3)]
        before = found(town, "asker")
        for bits in range(12):
            register(town, changed(HASH, bits=bits))
        assert found(town, "asker") == before
        assert ids(before) == mine

    def test_owners_without_accounts_have_outline(self, town: Town) -> None:
        reference_id = register(town, HASH, "nobody's organisation").reference_id
        assert found(town, "asker") == []
        assert ids(found(town, "reviewer")) == [reference_id]

    def test_a_policy_counts_at_once(self, town: Town) -> None:
        register(town, HASH)
        for policy, hits in ((Disclosure.FULL, 1), (Disclosure.OUTLINE, 0), (Disclosure.FULL, 1)):
            town.disclose(policy)
            assert len(found(town, "asker")) == hits

    def test_a_key_of_a_reviewer_without_the_scope_reviews_nothing(self, town: Town) -> None:
        register(town, HASH)
        assert found(town, town.key("reviewer", Scope.CHECKS_WRITE)) == []

    @pytest.mark.parametrize("viewer", ["owner's admin", "asker's admin", "admin"])
    def test_admins_search_nothing(self, town: Town, viewer: str) -> None:
        before = town.actions()
        with pytest.raises(PermissionDenied):
            found(town, viewer)
        assert town.actions() == before

    @pytest.mark.parametrize(("pdq", "distance"), [("0" * 63, 5), ("g" * 64, 5), ("0" * 64, 32), ("0" * 64, -1)])
    def test_what_is_no_hash(self, town: Town, pdq: str, distance: int) -> None:
        with pytest.raises(InputError):
            town.services.hash_search.search(town.actor("asker"), pdq, distance=distance)


class TestWhatIsFound:
    def test_the_hash_of_a_picture(self, town: Town) -> None:
        reference = references_of(town, "Second Studio")[0]
        views = found(town, "other owner", int(pdq_of(town, reference), 16), distance=0)
        assert [(view.reference_id, view.file, view.owner, view.hamming_distance) for view in views] == [
            (reference.reference_id, "denim-jacket-again.jpg", "Second Studio", 0)
        ]

    def test_as_far_as_was_asked(self, town: Town) -> None:
        register(town, HASH)
        for bits, distance, hits in ((31, 31, 1), (32, 31, 0), (20, 20, 1), (21, 20, 0), (256, 31, 0)):
            assert len(found(town, "owner", changed(HASH, bits=bits), distance=distance)) == hits

    def test_plain_ones_and_damaged_ones_are_not(self, town: Town) -> None:
        register(town, HASH, quality=49)
        fine, damaged = register(town, HASH, quality=50), register(town, HASH)
        with town.services.database.write() as connection:
            last = select(descriptors).where(descriptors.c.kind == DescriptorKind.PDQ)
            row = connection.execute(last.order_by(descriptors.c.descriptor_id.desc())).first()
            assert row is not None
            short = update(descriptors).where(descriptors.c.descriptor_id == row.descriptor_id)
            connection.execute(short.values(data=b"short"))
        assert ids(found(town, "owner")) == [fine.reference_id] != [damaged.reference_id]

    def test_twenty_at_most_the_nearest_first(self, town: Town) -> None:
        bits = [*range(24, 0, -1)]
        made = {one: register(town, changed(HASH, bits=one)).reference_id for one in bits}
        assert ids(found(town, "owner")) == [made[one] for one in range(1, 21)]


class TestTheTrail:
    def test_each_search_is_in_it_without_the_hash(self, town: Town) -> None:
        reference, asker = register(town, HASH), town.actor("asker")
        for _ in range(2):
            found(town, "asker")
        found(town, "owner")
        events = [one for one in town.services.audit_trail.events(limit=1000) if one.action == "hash.searched"]
        assert [(one.object_id, dict(one.detail)) for one in events] == [
            (asker.organisation_id, {"hits": 0}),
            (asker.organisation_id, {"hits": 0}),
            (town.organisation(STUDIO).organisation_id, {"hits": 1}),
        ]
        assert events[0].actor == asker.member_id
        assert events[0].parties == {asker.organisation_id}
        assert not [one for one in events if reference.reference_id in repr(one) or f"{HASH:064x}" in repr(one)]


class TestMemory:
    def test_it_follows_what_is_registered_withdrawn_and_erased(self, town: Town) -> None:
        held = memory(town)
        before = len(held.current())
        first, second = register(town, HASH), register(town, changed(HASH, bits=1))
        assert len(held.current()) == before + 2
        catalogue, now = town.services.catalogue, town.services.clock.now()
        catalogue.withdraw(first.reference_id, at=now)
        assert len(held.current()) == before + 1
        catalogue.erase(second.reference_id, at=now)
        kept = held.current()
        assert len(kept) == before
        assert HASH.to_bytes(32) not in kept.words.tobytes()
        assert changed(HASH, bits=1).to_bytes(32) not in kept.words.tobytes()

    def test_an_erased_original_is_not_answered_by_a_service_that_held_it(self, town: Town) -> None:
        reference = register(town, HASH)
        assert ids(found(town, "owner")) == [reference.reference_id]
        town.services.catalogue.erase(reference.reference_id, at=town.services.clock.now())
        assert found(town, "owner") == found(town, "reviewer") == []

    def test_of_two_owners_of_one_content_the_one_who_stays_is_answered(self, town: Town) -> None:
        first, second = references_of(town, "Second Studio")[0], references_of(town, STUDIO)
        pdq = int(pdq_of(town, first), 16)
        town.services.catalogue.erase(first.reference_id, at=town.services.clock.now())
        assert found(town, "other owner", pdq) == []
        same = [one.reference_id for one in second if one.sha256 == first.sha256]
        assert set(same) <= set(ids(found(town, "owner", pdq)))

    def test_nothing_is_read_anew_while_nothing_changes(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        register(town, HASH)
        assert len(found(town, "owner")) == 1
        monkeypatch.delattr(type(town.services.check_store), "perceptual_hashes")
        assert len(found(town, "owner")) == 1
        register(town, HASH)
        assert len(found(town, "owner")) == 2

    def test_more_changes_than_are_read_at_a_time(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("imgguard.services.hash_memory._PAGE", 2)
        held = memory(town)
        before = len(held.current())
        made = [register(town, HASH) for _ in range(5)]
        assert len(held.current()) == len(memory(town).current()) == before + 5
        for reference in made:
            town.services.catalogue.erase(reference.reference_id, at=town.services.clock.now())
        assert len(held.current()) == before

    def test_a_restored_store_is_noticed(self, town: Town) -> None:
        """Changed as often as the other since, so that the number of changes says nothing."""
        database, held = town.services.database, memory(town)
        database.scrub()
        backup = database.path.read_bytes()
        register(town, HASH)
        assert HASH.to_bytes(32) in held.current().words.tobytes()
        town.services.catalogue.close()
        database.path.with_name(database.path.name + "-wal").unlink(missing_ok=True)
        database.path.write_bytes(backup)
        other = changed(HASH, bits=100)
        register(town, other)
        words = held.current().words.tobytes()
        assert HASH.to_bytes(32) not in words
        assert other.to_bytes(32) in words

    def test_a_content_takes_40_bytes(self, town: Town) -> None:
        kept = memory(town).current()
        assert kept.numbers.nbytes + kept.words.nbytes == 40 * len(kept) > 0
