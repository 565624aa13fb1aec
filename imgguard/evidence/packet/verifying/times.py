"""Steps 8 and 10: since when the checkpoints exist, who says so, and whether `packet.json` says no more than that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from imgguard.errors import PacketInvalid, TimestampInvalid
from imgguard.evidence.packet.verifying.container import Container
from imgguard.evidence.packet.verifying.layout import PACKET
from imgguard.evidence.packet.verifying.log import Included
from imgguard.evidence.packet.verifying.statement import Statement, moment_of
from imgguard.provenance.checkpoints import Cosignature
from imgguard.provenance.timestamps import MAX_TOKEN_BYTES, VerifiedTimestamp, verify_timestamp
from imgguard.provenance.trust import Trust, TrustClass

TOLERANCE = timedelta(minutes=1)
"""Between two clocks that are both right. The log's clock and that of an authority are never set alike."""

COUNTING = frozenset((TrustClass.QUALIFIED, TrustClass.INDEPENDENT))
_RANK = {name: rank for rank, name in enumerate(("unknown", "self_issued", "independent", "qualified"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A token that holds, of the checkpoint that ``included`` is in; that existed by ``at``, if one believes it."""

    included: Included
    file: str
    timestamp: VerifiedTimestamp
    at: datetime


def check_timestamps(included: Sequence[Included], container: Container, trust: Trust) -> tuple[Stamped, ...]:
    """All tokens of the packet.

    1  each is a token of the text of its checkpoint, and its certificates were good at its own time
    2  `packet.json` names no earlier time for it, nor a better class than the trust file gives its authority

    Raises PacketInvalid.
    """
    found = []
    for one in included:
        for file in one.entry.subject.tokens:
            # 1
            try:
                token = container.read(file, most_bytes=MAX_TOKEN_BYTES)
                timestamp = verify_timestamp(token, one.stamped, trust=trust)
                stamped = Stamped(included=one, file=file, timestamp=timestamp, at=_latest(timestamp))
            except TimestampInvalid as error:
                raise PacketInvalid(error.detail, reason=error.code, file=file) from error
            # 2
            for bound in one.entry.subject.bounds:
                if bound["basis"] == "timestamp" and bound["file"] == file:
                    _check_bound(bound, stamped, is_judged=bool(trust.authorities))
            found.append(stamped)
    return tuple(found)


def _latest(timestamp: VerifiedTimestamp) -> datetime:
    token = timestamp.token
    try:
        return token.gen_time + (token.accuracy or timedelta())
    except OverflowError as error:
        raise TimestampInvalid("the token's time lies beyond all calendars") from error


def _check_bound(bound: Mapping[str, Any], stamped: Stamped, *, is_judged: bool) -> None:
    if moment_of(bound["at"]) < stamped.at:
        detail = f"packet.json says that {stamped.file} is of {bound['at']}, and it is later"
        raise PacketInvalid(detail, reason="time_overstated", file=PACKET)
    given = stamped.timestamp.trust_class
    if is_judged and given is not TrustClass.UNKNOWN and _RANK[bound["trust"]] > _RANK[given.value]:
        detail = f"packet.json calls the authority of {stamped.file} {bound['trust']}, and it is {given.value}"
        raise PacketInvalid(detail, reason="class_overstated", file=PACKET)


def check_other_bounds(included: Sequence[Included], cosignatures: Mapping[str, Sequence[Cosignature]]) -> None:
    """That `packet.json` names no time that nothing in the packet shows. Raises PacketInvalid.

    ``cosignatures``: those that hold, by the folder of the subject.
    """
    for one in included:
        subject = one.entry.subject
        for bound in subject.bounds:
            at, earliest = moment_of(bound["at"]), None
            if bound["basis"] == "timestamp" and bound["file"] in subject.tokens:
                continue
            if bound["basis"] == "log":
                earliest = moment_of(one.entry.leaf.received_at)
                if bound["trust"] not in ("self_issued", "unknown"):
                    detail = "packet.json calls the log's own time something better than self-issued"
                    raise PacketInvalid(detail, reason="class_overstated", file=PACKET)
            if bound["basis"] == "cosignature":
                seen = [each.seconds for each in cosignatures.get(subject.folder, ()) if each.key.name == bound["by"]]
                if not seen:
                    continue  # by a witness that the trust file does not have: it counts for nothing, and is not told
                earliest = datetime.fromtimestamp(min(seen), UTC)
            if earliest is None or at < earliest:
                detail = f"packet.json names the time {bound['at']}, and nothing shows it"
                raise PacketInvalid(detail, reason="time_overstated", file=PACKET)


def unconfirmed_bounds(
    included: Sequence[Included], stamped: Sequence[Stamped], cosignatures: Mapping[str, Sequence[Cosignature]]
) -> Iterator[str]:
    """Times that `packet.json` calls independent or qualified, by somebody of whom the trust file says nothing."""
    unknown = {each.file for each in stamped if each.timestamp.trust_class is TrustClass.UNKNOWN}
    for one in included:
        subject = one.entry.subject
        believed = {each.key.name for each in cosignatures.get(subject.folder, ())}
        for bound in subject.bounds:
            is_claimed = bound["trust"] in (TrustClass.INDEPENDENT.value, TrustClass.QUALIFIED.value)
            is_unknown = bound["file"] in unknown if bound["basis"] == "timestamp" else bound["by"] not in believed
            if is_claimed and is_unknown:
                yield f"that {subject.what} existed at {bound['at']}, by {bound['by'][:80]}, called {bound['trust']}"


def check_times(
    statement: Statement,
    included: Sequence[Included],
    stamped: Sequence[Stamped],
    cosignatures: Mapping[str, Sequence[Cosignature]],
) -> None:
    """That nothing was received after it was timestamped or cosigned, and all before the packet was made, give or take
    `TOLERANCE`. Raises PacketInvalid."""
    for one in included:
        subject = one.entry.subject
        received_at = moment_of(one.entry.leaf.received_at)
        times = [(each.file, each.timestamp.token.gen_time) for each in stamped if each.included is one]
        seen = [each.seconds for each in cosignatures.get(subject.folder, ()) if each.seconds < 2**35]
        times += [(one.entry.proof_file, datetime.fromtimestamp(seconds, UTC)) for seconds in seen]
        for file, at in times:
            if received_at - at > TOLERANCE:
                detail = f"it is of {at:%Y-%m-%dT%H:%M:%SZ}, and the log says that it received the leaf later"
                raise PacketInvalid(detail, reason="times_disagree", file=file)
        for file, at in [(PACKET, received_at), *times]:
            if at - statement.created_at > TOLERANCE:
                detail = f"a time in it, {at:%Y-%m-%dT%H:%M:%SZ}, is later than the packet itself"
                raise PacketInvalid(detail, reason="times_disagree", file=file)
