"""Checkpoints get their times: what waits is stamped, what ends soon is renewed, and nothing is lost meanwhile.

An authority may be down for days. Then only the newest checkpoint that waits for it is stamped: it holds all that the
older ones hold, and a token made now over an older one would have the same time.
"""

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from imgguard.errors import ImgguardError, TimestampAuthorityUnavailable, TimestampInvalid, TimestampRefused
from imgguard.ports import (
    SELF_ISSUED_URL,
    CheckpointToken,
    Clock,
    LogStore,
    Stamp,
    StampedBy,
    TimestampAuthority,
    TokenStore,
)
from imgguard.provenance.timestamp_renewal import certificate_ends, digest_to_stamp, stamped_body
from imgguard.provenance.timestamps import Digest, verify_timestamp
from imgguard.provenance.trust import Trust, TrustClass

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
SKEW = timedelta(minutes=5)
"""How far the time of a token may be from our clock: what was asked for just now was not stamped last year."""
RENEWALS_AT_ONCE = 10
"""Of one run: certificates of many tokens end at the same time, and an authority is no place to hurry."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """``authority`` has stamped the checkpoint of ``size`` leaves at ``gen_time``; ``is_renewal`` of an older token."""

    authority: str
    size: int
    gen_time: datetime
    is_renewal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStamped:
    """``authority`` did not, which is tried again unless it refused."""

    authority: str
    size: int
    error: ImgguardError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A token that is for us to ask for, of whom, and for which bytes; ``old`` is what it renews."""

    row: CheckpointToken
    authority: TimestampAuthority
    digest: Digest
    old: Stamp | None = None

    @property
    def by(self) -> StampedBy:
        return StampedBy(self.authority.url, self.authority.name)


class Stamping:
    """Thread safe, and several processes may do it. ``lease``: longer than an authority is waited for.

    Tokens that end within ``renewal`` are renewed; zero renews none.
    """

    def __init__(
        self,
        *,
        log: LogStore,
        tokens: TokenStore,
        authorities: Sequence[TimestampAuthority],
        trust: Trust,
        clock: Clock,
        renewal: timedelta,
        lease: timedelta,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._log = log
        self._tokens = tokens
        self._authorities = {authority.url: authority for authority in authorities}
        self._trust = trust
        self._clock = clock
        self._renewal = renewal
        self._lease = lease
        self._chance = chance

    @property
    def stamped_by(self) -> tuple[StampedBy, ...]:
        """The authorities, in the order of the settings."""
        return tuple(StampedBy(one.url, one.name) for one in self._authorities.values())

    def waiting_seconds(self) -> tuple[int, float]:
        """How many first tokens are waited for, and how long ago the oldest of their checkpoints was signed."""
        found = self._tokens.waiting()
        age = timedelta() if found.since is None else self._clock.now() - found.since
        return found.count, max(age, timedelta()).total_seconds()

    def run(self, *, at_once: bool = False) -> list[Stamped | NotStamped]:
        """Ask for what is due; returns what came of it. Waits for the slowest authority.

        1  the newest checkpoint waits for each authority, also for one that the settings name since
        2  of each authority that is due, the newest checkpoint that waits is asked, of all at the same time
        3  an answer is stored when it holds; else it is asked for again later, and the others are not held up
        4  tokens that end soon are renewed

        ``at_once``: whether due or not, and also what was refused. Raises StoreUnavailable.
        """
        # 1
        self._tokens.prepare(self.stamped_by, at=self._clock.now(), again=at_once)
        # 2
        asked = [one for url in self._authorities if (one := self._claimed(url, at_once=at_once)) is not None]
        # 3
        found = [self._ended(one, answer) for one, answer in zip(asked, self._answers(asked), strict=True)]
        # 4
        return found + (list(self._renewed()) if self._renewal else [])

    def _claimed(self, url: str, *, at_once: bool) -> _Asked | None:
        row = self._tokens.newest_waiting(url)
        if row is None or not self._claim(row, at_once=at_once):
            return None
        body = stamped_body(self._log.checkpoint(row.size).note)
        return _Asked(row=row, authority=self._authorities[url], digest=digest_to_stamp(body))

    def _claim(self, row: CheckpointToken, *, at_once: bool = False) -> bool:
        now = self._clock.now()
        if row.next_at > now and not at_once:
            return False
        return self._tokens.claim(row.token_id, due=None if at_once else now, until=now + self._lease)

    def _answers(self, asked: Sequence[_Asked]) -> Iterable[Stamp | ImgguardError]:
        if len(asked) < 2:
            return map(self._answer, asked)
        with ThreadPoolExecutor(len(asked), thread_name_prefix="imgguard-stamping") as threads:
            return list(threads.map(self._answer, asked))

    def _answer(self, asked: _Asked) -> Stamp | ImgguardError:
        """The token, verified; or why there is none."""
        name = asked.authority.name
        try:
            return self._verified(asked.authority, asked.authority.stamp(asked.digest), asked.digest)
        except ImgguardError as error:
            return error
        except Exception as error:
            _log.exception("the timestamp authority %s cannot be asked", name)
            return TimestampAuthorityUnavailable(f"{name} cannot be asked: unexpected {type(error).__name__}")

    def _verified(self, authority: TimestampAuthority, token: bytes, digest: Digest) -> Stamp:
        """Raises TimestampInvalid. Without a trust file a token has to hold by its own chain; with one, by that file:
        else anybody on the way to the authority could put another token in its place."""
        verified = verify_timestamp(token, digest, trust=self._trust)
        is_unknown = verified.trust_class is TrustClass.UNKNOWN and authority.url != SELF_ISSUED_URL
        if self._trust.authorities and is_unknown:
            raise TimestampInvalid(
                f"the trust file does not name the authority that has signed for {authority.name}",
                hint="Add its certificate to the file that IMGGUARD_TRUST_FILE names.",
            )
        gen_time = verified.token.gen_time
        if abs(gen_time - self._clock.now()) > SKEW:
            raise TimestampInvalid(
                f"the token says {gen_time:%Y-%m-%d %H:%M:%S}Z, which is not the time on this machine",
                hint="Set the clock of this machine, or name another authority in IMGGUARD_TIMESTAMP_AUTHORITIES.",
            )
        return Stamp(token=token, gen_time=gen_time, expires_at=certificate_ends(token))

    def _ended(self, asked: _Asked, answer: Stamp | ImgguardError) -> Stamped | NotStamped:
        row, by = asked.row, asked.by
        if isinstance(answer, Stamp):
            self._tokens.stamped(row.token_id, answer, by=by)
            return Stamped(authority=by.name, size=row.size, gen_time=answer.gen_time, is_renewal=asked.old is not None)
        _log.warning("the checkpoint of %d leaves was not stamped by %s: %s", row.size, by.name, answer.detail)
        if isinstance(answer, TimestampRefused) and asked.old is None:
            self._tokens.refused(row.token_id, next_at=self._clock.now() + LONGEST_PAUSE, error=answer.detail)
        else:
            then = self._next_renewer(by.url) if asked.old is not None else None
            self._tokens.put_off(row.token_id, next_at=self._later(asked, answer), error=answer.detail, by=then)
        return NotStamped(authority=by.name, size=row.size, error=answer)

    def _later(self, asked: _Asked, error: ImgguardError) -> datetime:
        now = self._clock.now()
        part: float = 0.75 + self._chance() / 4
        pause: timedelta = min(FIRST_PAUSE * 2 ** min(asked.row.tries, 16), LONGEST_PAUSE) * part
        if isinstance(error, TimestampAuthorityUnavailable) and error.retry_after is not None:
            pause = max(pause, timedelta(seconds=error.retry_after))
        if isinstance(error, TimestampInvalid) and asked.old is not None:
            is_last = (asked.row.tries + 1) % len(self._renewers) == 0
            pause = max(pause, LONGEST_PAUSE, (asked.old.expires_at - now) / 4) if is_last else pause
        return now + pause

    # renewal

    @property
    def _renewers(self) -> tuple[StampedBy, ...]:
        """Those that are not self-issued: what an outsider has vouched for, we cannot carry on."""
        every = self.stamped_by
        return tuple(one for one in every if one.url != SELF_ISSUED_URL) or every

    def _renewed(self) -> Iterable[Stamped | NotStamped]:
        """Until one fails: the others would, too."""
        for _ in range(RENEWALS_AT_ONCE):
            now = self._clock.now()
            row = self._tokens.renewal(self._renewers, ends_before=now + self._renewal, at=now)
            if row is None or row.renews is None or not self._claim(row):
                return
            asked = self._to_renew(row, self._tokens.chain(row.renews))
            ended = self._ended(asked, _carried_on(asked, self._answer(asked)))
            yield ended
            if isinstance(ended, NotStamped):
                return

    def _to_renew(self, row: CheckpointToken, chain: Sequence[CheckpointToken]) -> _Asked:
        body = stamped_body(self._log.checkpoint(row.size).note)
        digest = digest_to_stamp(body, [one.stamp.token for one in chain if one.stamp is not None])
        return _Asked(row=row, authority=self._authorities[row.url], digest=digest, old=chain[-1].stamp)

    def _next_renewer(self, url: str) -> StampedBy:
        urls = [one.url for one in self._renewers]
        return self._renewers[(urls.index(url) + 1) % len(urls) if url in urls else 0]


def _carried_on(asked: _Asked, answer: Stamp | ImgguardError) -> Stamp | ImgguardError:
    """A token that would not carry the old one on is none."""
    name, old = asked.authority.name, asked.old
    if not isinstance(answer, Stamp) or old is None:
        return answer
    if answer.expires_at <= old.expires_at:
        return TimestampInvalid(f"the certificate of {name} ends no later than that of the token to be renewed")
    if not old.gen_time <= answer.gen_time <= old.expires_at:
        return TimestampInvalid(f"the time of {name} is not within that of the token to be renewed")
    return answer
