"""Whatever authorities and processes do: what is published gets its time, and nothing wrong is taken for one."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
import timestamp_forge as forge
from sqlalchemy import delete, update
from timestamp_forge import Certified

from imgguard.errors import (
    CheckpointInvalid,
    StoreUnavailable,
    TimestampAuthorityUnavailable,
    TimestampInvalid,
    TimestampRefused,
)
from imgguard.ports import SELF_ISSUED_URL, CheckpointToken, StampedBy, TokenState
from imgguard.provenance.checkpoints import cosign, parse_checkpoint, verify_cosignatures
from imgguard.provenance.keys import new_key
from imgguard.provenance.notes import COSIGNATURE, Signer, VerifierKey, parse_note, sign_note
from imgguard.provenance.proofs import parse_proof
from imgguard.provenance.timestamp_renewal import certificate_ends, stamped_body, verify_chain
from imgguard.provenance.timestamps import Digest
from imgguard.provenance.trust import Trust, read_trust
from imgguard.services.cosignatures import keep_cosignatures
from imgguard.services.repeating import Repeated
from imgguard.services.stamping import LONGEST_PAUSE, SKEW, NotStamped, Stamped, Stamping
from imgguard.settings import EMBEDDED
from imgguard.storage.local_authority import LocalAuthority
from imgguard.storage.sql.log_tokens import SqlTokens
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.schema import log_tokens

from .conftest import NOW, Books

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LEASE = 2 * MINUTE


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Authority:
    """``fails`` is what it does instead of stamping; ``off`` is how wrong its clock is."""

    clock: Clock
    signer: Certified
    url: str = "https://one.example/tsr"
    name: str = "one.example"
    fails: BaseException | None = None
    off: timedelta = timedelta()
    answer: bytes | None = None
    asked: list[Digest] = field(default_factory=list)

    def stamp(self, digest: Digest) -> bytes:
        self.asked.append(digest)
        if self.fails is not None:
            raise self.fails
        if self.answer is not None:
            return self.answer
        at = self.clock.now() + self.off
        return forge.token(self.signer, imprint=digest.algorithm, imprinted=digest.value, at=at)


@dataclass
class House:
    """One log, its authorities, and the time."""

    books: Books
    clock: Clock
    root: Certified
    authorities: list[Authority]
    trust: Trust
    renewal: timedelta = 90 * DAY

    @property
    def tokens(self) -> SqlTokens:
        return SqlTokens(self.books.database)

    @property
    def one(self) -> Authority:
        return self.authorities[0]

    @property
    def stamping(self) -> Stamping:
        """As a process that has just begun makes it."""
        return Stamping(
            log=self.books.store,
            tokens=self.tokens,
            authorities=self.authorities,
            trust=self.trust,
            clock=self.clock,
            renewal=self.renewal,
            lease=LEASE,
            chance=lambda: 1.0,
        )

    def another(self, name: str, *, signer: Certified | None = None) -> Authority:
        made = Authority(self.clock, signer or self.one.signer, f"https://{name}/tsr", name)
        self.authorities.append(made)
        return made

    def publish(self, count: int = 1) -> int:
        """With ``count`` more leaves; the size."""
        self.books.authorities = tuple(StampedBy(one.url, one.name) for one in self.authorities)
        self.books.append(count)
        return self.books.log.publish().size

    def run(self, *, later: timedelta = timedelta(), at_once: bool = False) -> list[Stamped | NotStamped]:
        self.clock.at += later
        return self.stamping.run(at_once=at_once)

    def body(self, size: int) -> bytes:
        return stamped_body(self.books.store.checkpoint(size).note)

    def states(self, authority: Authority | None = None) -> dict[int, TokenState]:
        url = (authority or self.one).url
        every = [self.tokens.of_checkpoint(one.size) for one in self.books.store.checkpoints()]
        return {one.size: one.state for row in every for one in row if one.url == url}

    def chain(self, size: int) -> list[CheckpointToken]:
        (found,) = self.tokens.chains(size)
        return list(found)


def ders(chain: list[CheckpointToken]) -> list[bytes]:
    return [one.stamp.token for one in chain if one.stamp is not None]


@pytest.fixture(scope="module")
def root() -> Certified:
    return forge.root(days=36_500)


@pytest.fixture(scope="module")
def signer(root: Certified) -> Certified:
    return forge.signer(root)


@pytest.fixture
def house(books: Books, root: Certified, signer: Certified) -> House:
    clock = Clock()
    return House(books, clock, root, [Authority(clock, signer)], read_trust(forge.trust_file(root.pem)))


DOWN = TimestampAuthorityUnavailable("it is down")


class TestStamping:
    def test_the_bytes_that_the_log_signs_are_stamped_once(self, house: House) -> None:
        size = house.publish()
        assert house.tokens.waiting().count == 1
        (done,) = house.run()
        assert done == Stamped(authority="one.example", size=size, gen_time=NOW, is_renewal=False)
        assert house.run(later=DAY) == []
        note = house.books.files.read("checkpoint").decode()
        assert house.body(size).decode() == note[: note.index("\n\n") + 1]
        assert house.one.asked == [Digest.of(house.body(size))]
        found = verify_chain(house.body(size), ders(house.chain(size)), trust=house.trust)
        assert found.no_later_than == NOW

    def test_a_checkpoint_and_what_it_waits_for_are_stored_together(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise StoreUnavailable("the disk is full")

        monkeypatch.setattr("imgguard.storage.sql.log_tokens.wait", fail)
        with pytest.raises(StoreUnavailable):
            house.publish()
        monkeypatch.undo()
        assert house.books.store.last_checkpoint() is None
        house.publish(0)
        assert house.states() == {1: TokenState.WAITING}

    def test_an_empty_log_is_not_stamped(self, house: House) -> None:
        house.publish(0)
        assert house.run() == []
        assert house.one.asked == []

    def test_an_authority_that_is_named_later_stamps_what_is_newest(self, house: House) -> None:
        late = house.authorities.pop()
        house.publish()
        house.publish()
        house.authorities.append(late)
        house.run()
        assert house.states() == {2: TokenState.STAMPED}

    def test_nothing_waits_for_one_that_is_not_named_any_more(self, house: House) -> None:
        gone = house.another("two.example")
        gone.fails = DOWN
        house.publish()
        house.run()
        assert house.tokens.waiting().count == 1
        house.authorities.remove(gone)
        house.run()
        assert house.tokens.waiting().count == 0

    def test_two_authorities_do_not_wait_for_each_other(self, house: House) -> None:
        other = house.another("two.example")
        house.one.fails = DOWN
        size = house.publish()
        failed, done = house.run()
        assert (failed.authority, done.authority) == ("one.example", "two.example")
        assert isinstance(failed, NotStamped)
        assert isinstance(done, Stamped)
        assert (house.states(), house.states(other)) == ({size: TokenState.WAITING}, {size: TokenState.STAMPED})
        house.one.fails = None
        house.run(later=MINUTE)
        assert len(house.tokens.chains(size)) == 2
        assert len(other.asked) == 1


class TestOneThatIsDown:
    def test_it_is_asked_less_and_less_often_and_for_ever(self, house: House) -> None:
        house.one.fails = DOWN
        size = house.publish()
        house.run()
        waits = []
        for _ in range(40):
            (row,) = house.tokens.of_checkpoint(size)
            waits.append((row.next_at - house.clock.at) / MINUTE)
            assert house.run(later=row.next_at - house.clock.at - MINUTE / 60) == []
            assert len(house.run(later=MINUTE / 60)) == 1
        assert waits[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]
        assert set(waits[10:]) == {360}
        house.one.fails = None
        assert len(house.run(later=LONGEST_PAUSE)) == 1
        assert house.states() == {size: TokenState.STAMPED}

    def test_newer_checkpoints_do_not_make_it_be_asked_more_often(self, house: House) -> None:
        house.one.fails = DOWN
        for _ in range(20):
            house.publish()
            house.run(later=MINUTE)
        assert len(house.one.asked) == 5

    def test_when_it_is_back_only_the_newest_is_stamped_and_covers_the_others(self, house: House) -> None:
        house.one.fails = DOWN
        for _ in range(20):
            house.publish()
            house.run(later=MINUTE)
        assert house.tokens.waiting().count == 20
        assert house.tokens.waiting().since == NOW
        house.one.fails = None
        before = len(house.one.asked)
        house.run(later=LONGEST_PAUSE)
        assert house.one.asked[before:] == [Digest.of(house.body(20))]
        assert house.states() == {**dict.fromkeys(range(1, 20), TokenState.COVERED), 20: TokenState.STAMPED}
        assert house.tokens.of_checkpoint(7)[0].covered_by == 20
        assert house.tokens.waiting().count == 0

    def test_nothing_is_forgotten_when_the_service_ends_meanwhile(self, house: House) -> None:
        house.one.fails = DOWN
        house.publish()
        house.run()
        house.books.database.close()
        house.books.database = open_database(house.books.database.path)
        assert house.run(later=timedelta(seconds=30)) == []
        house.one.fails = None
        assert len(house.run(later=timedelta(seconds=30))) == 1
        house.books.database.close()

    def test_it_is_not_asked_before_it_wants_to_be(self, house: House) -> None:
        house.one.fails = TimestampAuthorityUnavailable("busy", retry_after=3600)
        house.publish()
        house.run()
        assert house.run(later=59 * MINUTE) == []
        assert len(house.run(later=MINUTE)) == 1

    def test_a_person_who_asks_now_is_not_made_to_wait(self, house: House) -> None:
        house.one.fails = DOWN
        house.publish()
        house.run()
        house.one.fails = None
        assert house.run() == []
        assert len(house.run(at_once=True)) == 1

    def test_an_error_that_nobody_thought_of_is_one_of_many(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        house.one.fails = ZeroDivisionError()
        size = house.publish()
        (failed,) = house.run()
        assert isinstance(failed, NotStamped)
        assert "ZeroDivisionError" in failed.error.detail
        assert house.states() == {size: TokenState.WAITING}


class TestOneThatRefuses:
    def test_it_is_kept_and_shown_and_the_other_goes_on(self, house: House) -> None:
        other = house.another("two.example")
        house.one.fails = TimestampRefused("bad algorithm")
        size = house.publish()
        house.run()
        assert house.states() == {size: TokenState.REFUSED}
        row = house.tokens.of_checkpoint(size)[0]
        assert (row.error, row.tries) == ("bad algorithm", 1)
        assert house.states(other) == {size: TokenState.STAMPED}
        assert house.run(later=DAY) == []

    def test_older_ones_are_not_asked_for_one_after_the_other(self, house: House) -> None:
        house.one.fails = DOWN
        for _ in range(3):
            house.publish()
        house.run()
        house.one.fails = TimestampRefused("no")
        house.run(later=MINUTE)
        assert house.run(later=HOUR) == []
        assert len(house.one.asked) == 2
        assert house.states() == {1: TokenState.WAITING, 2: TokenState.WAITING, 3: TokenState.REFUSED}
        house.one.fails = None
        house.publish()
        house.run(later=LONGEST_PAUSE)
        assert set(house.states().values()) == {TokenState.COVERED, TokenState.REFUSED, TokenState.STAMPED}

    def test_it_is_asked_again_when_a_person_wants_it(self, house: House) -> None:
        house.one.fails = TimestampRefused("no")
        size = house.publish()
        house.run()
        house.one.fails = None
        house.run(at_once=True)
        assert house.states() == {size: TokenState.STAMPED}


class TestWhatIsNoToken:
    def foreign(self, house: House) -> Certified:
        return forge.signer(forge.root("Somebody else"))

    def refused(self, house: House, reason: str) -> None:
        size = house.publish()
        (failed,) = house.run()
        assert isinstance(failed, NotStamped)
        assert isinstance(failed.error, TimestampInvalid)
        assert reason in failed.error.detail
        (row,) = house.tokens.of_checkpoint(size)
        assert (row.state, row.stamp, row.tries) == (TokenState.WAITING, None, 1)

    def test_a_token_for_something_else(self, house: House) -> None:
        house.one.answer = forge.token(house.one.signer, b"something else", at=NOW)
        self.refused(house, "imprint")

    def test_no_token_at_all(self, house: House) -> None:
        house.one.answer = b"0" * 4000
        self.refused(house, "RFC 3161")

    def test_one_whose_content_was_altered(self, house: House) -> None:
        house.publish()
        digest = Digest.of(house.body(1))
        house.one.answer = forge.token(
            house.one.signer, imprinted=digest.value, at=NOW, change_content=lambda content: content[:-1] + b"0"
        )
        (failed,) = house.run()
        assert isinstance(failed, NotStamped)
        assert house.states() == {1: TokenState.WAITING}

    @pytest.mark.parametrize("off", [-SKEW - MINUTE, SKEW + MINUTE, -365 * DAY])
    def test_one_that_does_not_say_what_time_it_is(self, house: House, off: timedelta) -> None:
        house.one.off = off
        self.refused(house, "not the time on this machine")

    def test_one_of_an_authority_that_the_trust_file_does_not_name(self, house: House) -> None:
        house.one.signer = self.foreign(house)
        self.refused(house, "does not name")

    def test_one_whose_certificate_was_not_good_then(self, house: House) -> None:
        house.one.signer = forge.signer(house.root, start=NOW + DAY)
        self.refused(house, "do not hold")

    def test_without_a_trust_file_its_own_chain_has_to_hold(self, house: House) -> None:
        house.trust = Trust()
        house.one.signer = self.foreign(house)
        size = house.publish()
        house.run()
        assert house.states() == {size: TokenState.STAMPED}

    def test_what_is_stamped_cannot_be_changed_even_by_us(self, house: House) -> None:
        house.publish()
        house.run()
        for statement in (update(log_tokens).values(token=b""), delete(log_tokens)):
            with pytest.raises(StoreUnavailable, match="cannot be changed"), house.books.database.write() as connection:
                connection.execute(statement)


_KILLED = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from imgguard.bootstrap import SystemClock
from imgguard.provenance.trust import Trust
from imgguard.services.cosignatures import keep_cosignatures
from imgguard.services.stamping import Stamping
from imgguard.storage.local_authority import LocalAuthority
from imgguard.storage.sql.log_store import SqlLog
from imgguard.storage.sql.log_tokens import SqlTokens
from imgguard.storage.sql.migrate import open_database

class Killed(SqlTokens):
    def stamped(self, *_, **__):
        print("answered", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

home, clock = Path(sys.argv[1]), SystemClock()
database = open_database(home / "imgguard.db")
Stamping(
    log=SqlLog(database), tokens=Killed(database), authorities=[LocalAuthority(home / "authority.pem", clock=clock)],
    trust=Trust(), clock=clock, renewal=timedelta(), lease=timedelta(seconds=60),
).run()
"""


class TestSeveralProcesses:
    def test_one_that_is_killed_with_the_answer_in_hand_does_no_harm(self, house: House) -> None:
        clock = Clock(datetime.now(NOW.tzinfo))
        ours = LocalAuthority(house.books.home / "authority.pem", clock=clock)
        house.clock, house.authorities = clock, [ours]  # type: ignore[list-item]
        size = house.publish()
        script = [sys.executable, "-c", _KILLED, str(house.books.home)]
        done = subprocess.run(script, capture_output=True, check=False)
        assert (done.stdout, done.returncode) == (b"answered\n", -9)
        assert house.tokens.waiting().count == 1
        house.run(later=LEASE)
        assert [one.state for one in house.tokens.of_checkpoint(size)] == [TokenState.STAMPED]

    def test_what_another_asks_for_is_not_asked_for_twice(self, house: House) -> None:
        house.publish()
        meanwhile: list[list[Stamped | NotStamped]] = []
        stamp = house.one.stamp

        def slow(digest: Digest) -> bytes:
            house.one.stamp = stamp  # type: ignore[method-assign]
            meanwhile.append(house.stamping.run())
            return stamp(digest)

        house.one.stamp = slow  # type: ignore[method-assign]
        assert len(house.run()) == 1
        assert meanwhile == [[]]

    def test_of_two_answers_the_first_one_stays(self, house: House) -> None:
        size = house.publish()
        stamp = house.one.stamp

        def slow(digest: Digest) -> bytes:
            house.one.stamp = stamp  # type: ignore[method-assign]
            house.run(later=LEASE + timedelta(seconds=1))
            return stamp(digest)

        house.one.stamp = slow  # type: ignore[method-assign]
        house.run()
        (row,) = house.tokens.of_checkpoint(size)
        assert row.stamp is not None
        assert row.stamp.gen_time == NOW + LEASE + timedelta(seconds=1)
        assert len(house.one.asked) == 2


@pytest.fixture
def renewing(house: House) -> House:
    """With a checkpoint whose token's certificate ends in 100 days."""
    house.one.signer = ending(house, 100 * DAY)
    house.publish()
    house.run()
    return house


def ending(house: House, after: timedelta) -> Certified:
    return forge.signer(house.root, days=(house.clock.at + after - forge.START) // DAY)


class TestStamper:
    def test_the_thread_stamps_what_comes_and_survives_what_goes_wrong(
        self, house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        house.publish()
        errors: list[Exception] = [StoreUnavailable("locked"), ZeroDivisionError()]
        run = Stamping.run

        def failing(stamping: Stamping) -> list[Stamped | NotStamped]:
            if errors:
                raise errors.pop()
            return run(stamping)

        monkeypatch.setattr(Stamping, "run", failing)
        with Repeated("stamper", house.stamping.run, pause=0.01):
            deadline = time.monotonic() + 30
            while house.tokens.waiting().count and time.monotonic() < deadline:
                time.sleep(0.01)
        assert house.states() == {1: TokenState.STAMPED}
        assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
        assert not any(thread.name == "imgguard-stamper" for thread in threading.enumerate())


class TestRenewal:
    def test_in_time_a_later_token_covers_the_older_one(self, renewing: House) -> None:
        house = renewing
        assert house.run(later=9 * DAY) == []
        house.one.signer = ending(house, 365 * DAY)
        (done,) = house.run(later=2 * DAY)
        assert isinstance(done, Stamped)
        assert done.is_renewal
        first, second = house.chain(1)
        assert house.one.asked[-1] == Digest.of(house.body(1) + ders([first])[0], algorithm="sha512")
        assert house.run(later=DAY) == []
        found = verify_chain(house.body(1), ders([first, second]), trust=house.trust)
        assert found.no_later_than == NOW
        assert found.holds_until == certificate_ends(ders([second])[0])

    def test_a_chain_grows_for_ever(self, renewing: House) -> None:
        house = renewing
        for _ in range(3):
            end = house.chain(1)[-1].stamp
            assert end is not None
            house.clock.at = end.expires_at - 10 * DAY
            house.one.signer = ending(house, 400 * DAY)
            house.run()
        chain = ders(house.chain(1))
        assert len(chain) == 4
        assert verify_chain(house.body(1), chain, trust=house.trust).no_later_than == NOW

    def test_a_certificate_that_lasts_no_longer_renews_nothing(self, renewing: House) -> None:
        house = renewing
        (failed,) = house.run(later=20 * DAY)
        assert isinstance(failed, NotStamped)
        assert "no later" in failed.error.detail
        assert len(house.chain(1)) == 1
        assert house.run(later=19 * DAY) == []
        house.one.signer = ending(house, 365 * DAY)
        assert len(house.run(later=2 * DAY)) == 1
        assert len(house.chain(1)) == 2

    def test_one_that_is_down_leaves_it_to_the_next(self, renewing: House) -> None:
        house = renewing
        other = house.another("two.example", signer=ending(house, 500 * DAY))
        house.run()
        house.one.fails = DOWN
        (failed,) = house.run(later=20 * DAY)
        assert failed.authority == "one.example"
        (done,) = house.run(later=MINUTE)
        assert (done.authority, len(other.asked)) == ("two.example", 2)
        chains = [[one.authority for one in chain] for chain in house.tokens.chains(1)]
        assert chains == [["one.example", "two.example"], ["two.example"]]

    def test_what_has_ended_is_not_renewed(self, renewing: House) -> None:
        renewing.one.signer = ending(renewing, 1000 * DAY)
        assert renewing.run(later=101 * DAY) == []

    def test_an_independent_token_is_not_carried_on_by_our_own(self, renewing: House) -> None:
        house = renewing
        ours = LocalAuthority(house.books.home / "authority.pem", clock=house.clock)
        house.authorities.append(ours)  # type: ignore[arg-type]
        house.run()
        house.one.fails = DOWN
        house.run(later=20 * DAY)
        house.run(later=MINUTE)
        assert [[one.is_self_issued for one in chain] for chain in house.tokens.chains(1)] == [[False], [True]]

    def test_zero_days_renew_nothing(self, renewing: House) -> None:
        renewing.renewal = timedelta()
        assert renewing.run(later=99 * DAY) == []


class TestProofs:
    def proven(self, house: House, number: int) -> tuple[int, list[list[str]]]:
        """The size of the checkpoint of the proof about a leaf, and who has stamped it."""
        found = house.books.log.proof_of(f"clm_{number}")
        size = parse_checkpoint(parse_note(parse_proof(found.proof).checkpoint).text).size
        assert found.checkpoint.size == size
        return size, [[one.authority for one in chain] for chain in found.tokens]

    def test_without_a_token_the_newest_checkpoint_proves(self, house: House) -> None:
        for _ in range(3):
            house.publish(2)
        assert self.proven(house, 0) == (6, [])

    def test_the_oldest_checkpoint_with_a_token_proves(self, house: House) -> None:
        for fails in (DOWN, None, None):
            house.one.fails = fails
            house.publish(100)
            house.run(later=HOUR)
        house.publish(100)
        assert [self.proven(house, number)[0] for number in (0, 99, 150, 200, 299, 300)] == [
            200,
            200,
            200,
            300,
            300,
            400,
        ]
        assert self.proven(house, 0)[1] == [["one.example"]]

    def test_what_is_self_issued_is_the_last_choice(self, house: House) -> None:
        ours = LocalAuthority(house.books.home / "authority.pem", clock=house.clock)
        house.authorities.append(ours)  # type: ignore[arg-type]
        house.one.fails = DOWN
        house.publish()
        house.run()
        (size, ((name,),)) = self.proven(house, 0)
        assert (size, "SELF-ISSUED, NOT INDEPENDENT" in name) == (1, True)
        house.one.fails = None
        house.publish()
        house.run(later=MINUTE)
        assert self.proven(house, 0)[0] == 2

    def test_our_own_authority_is_known_by_one_address(self) -> None:
        assert SELF_ISSUED_URL == EMBEDDED == LocalAuthority.url


class TestWitnesses:
    def signer(self, name: str = "witness.example") -> Signer:
        return Signer(name, new_key(), key_type=COSIGNATURE)

    def keep(self, house: House, note: bytes, *keys: VerifierKey) -> int:
        return keep_cosignatures(note, keys, log=house.books.store, tokens=house.tokens, clock=house.clock)

    def test_what_they_sign_is_below_the_checkpoint_and_in_proofs(self, house: House) -> None:
        house.publish()
        plain = house.books.files.read("checkpoint")
        first, second = self.signer(), self.signer("other.example")
        for witness in (first, second):
            assert self.keep(house, cosign(plain, witness, seconds=1_772_366_400), witness.key) == 1
        keys = [first.key, second.key]
        given = house.books.log.file("checkpoint")
        assert given.startswith(plain)
        assert {one.key for one in verify_cosignatures(parse_note(given), keys)} == set(keys)
        proof = parse_proof(house.books.log.proof_of("clm_0").proof)
        assert proof.checkpoint == given
        house.publish()
        assert verify_cosignatures(parse_note(house.books.log.file("checkpoint")), keys) == ()
        assert house.books.problems() == []

    def test_the_first_of_a_witness_stays(self, house: House) -> None:
        house.publish()
        plain, witness = house.books.files.read("checkpoint"), self.signer()
        for seconds in (5, 9):
            self.keep(house, cosign(plain, witness, seconds=seconds), witness.key)
        (found,) = verify_cosignatures(parse_note(house.books.log.file("checkpoint")), [witness.key])
        assert found.seconds == 5

    def test_what_is_wrong_or_of_strangers_is_not_kept(self, house: House) -> None:
        house.publish()
        plain, witness = house.books.files.read("checkpoint"), self.signer()
        assert self.keep(house, cosign(plain, self.signer("stranger.example"), seconds=1), witness.key) == 0
        note = parse_note(cosign(plain, witness, seconds=1))
        bad = replace(note.signatures[-1], signature=bytes(72))
        with pytest.raises(CheckpointInvalid, match="wrong"):
            self.keep(house, replace(note, signatures=(*note.signatures[:-1], bad)).to_bytes(), witness.key)
        forged = sign_note(house.body(1).decode() + "more\n", [Signer("x", new_key())])
        with pytest.raises(CheckpointInvalid, match="another checkpoint"):
            self.keep(house, cosign(forged, witness, seconds=1), witness.key)
        assert house.books.log.file("checkpoint") == plain
