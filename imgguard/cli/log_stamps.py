"""What `imgguard log` tells of timestamps and cosignatures."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from imgguard.cli.output import say

if TYPE_CHECKING:
    from imgguard.bootstrap import Services
    from imgguard.ports import Anchor, CheckpointToken
    from imgguard.services.transparency import LogProof, LogStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """``tokens`` and ``witnesses`` are those of the newest checkpoint, ``waiting`` counts those of all. ``anchors`` are
    those of the newest checkpoint that calendars were asked about."""

    tokens: "tuple[CheckpointToken, ...]"
    waiting: int
    waiting_since: datetime | None
    witnesses: tuple[str, ...]
    anchors: "tuple[Anchor, ...]"

    def to_object(self) -> dict[str, object]:
        """As `log show --json` prints it, beside the rest."""
        return {
            "timestamps": [token_object(one) for one in self.tokens],
            "timestamps_waiting": self.waiting,
            "timestamps_waiting_since": _moment(self.waiting_since),
            "witnesses": list(self.witnesses),
            "opentimestamps": [anchor_object(one) for one in self.anchors],
        }

    def facts(self) -> list[tuple[str, str]]:
        found = [("Timestamp", told(one)) for one in self.tokens]
        if self.waiting_since is not None:
            found.append(("Timestamps", f"{self.waiting} waited for, the oldest since {_moment(self.waiting_since)}"))
        found += [("OpenTimestamps", anchor_told(one)) for one in self.anchors]
        return found + [("Witness", name) for name in self.witnesses]


def look(services: "Services", status: "LogStatus") -> Stamps:
    """What there is for the checkpoint of ``status``."""
    store = services.token_store
    size = 0 if status.checkpoint is None else status.checkpoint.size
    waiting = store.waiting()
    tokens = tuple(store.of_checkpoint(size))
    witnesses = tuple(line.split(" ")[1] for line in store.cosignatures(size))
    anchors = tuple(services.anchor_store.newest())
    return Stamps(
        tokens=tokens, waiting=waiting.count, waiting_since=waiting.since, witnesses=witnesses, anchors=anchors
    )


def ask(services: "Services") -> None:
    """Have stamped what waits, and tell of those that do not answer."""
    from imgguard.services.stamping import NotStamped

    for one in services.stamping.run(at_once=True):
        if isinstance(one, NotStamped):
            say(f"WARNING: {one.authority} has not stamped the checkpoint of {one.size} leaves: {one.error.detail}")


def ask_calendars(services: "Services") -> None:
    """Hand in what is due, ask for blocks, and tell of calendars that do not answer."""
    for one in services.anchoring.run(at_once=True):
        if one.error is not None:
            say(f"WARNING: {one.calendar} has not anchored the checkpoint of {one.size} leaves: {one.error.detail}")


def token_object(token: "CheckpointToken") -> dict[str, object]:
    """In the JSON of the commands."""
    stamp = token.stamp
    return {
        "size": token.size,
        "authority": token.authority,
        "self_issued": token.is_self_issued,
        "state": token.state.value,
        "gen_time": None if stamp is None else _moment(stamp.gen_time),
        "certificate_ends": None if stamp is None else _moment(stamp.expires_at),
        "tries": token.tries,
        "error": token.error,
    }


def told(token: "CheckpointToken") -> str:
    """In one line. The name of an authority that is our own says so."""
    if token.stamp is not None:
        return f"{_moment(token.stamp.gen_time)} by {token.authority}"
    why = "" if token.error is None else f": {token.error}"
    return f"{token.state.value}, {token.authority}{why}"


def anchor_object(anchor: "Anchor") -> dict[str, object]:
    """In the JSON of the commands. A block is what the calendar names: nobody here has looked at it."""
    from imgguard.provenance.opentimestamps import parse_file

    return {
        "size": anchor.size,
        "calendar": anchor.calendar,
        "state": anchor.state.value,
        "blocks": [] if anchor.file is None else list(parse_file(anchor.file).heights),
        "since": _moment(anchor.begun_at),
        "tries": anchor.tries,
        "error": anchor.error,
    }


def anchor_told(anchor: "Anchor") -> str:
    """In one line. A promise is called one."""
    from imgguard.provenance.opentimestamps import parse_file

    heights = () if anchor.file is None else parse_file(anchor.file).heights
    what = f"{anchor.size} leaves, {anchor.calendar}, {anchor.state.value}"
    if heights:
        return f"{what} by block {', '.join(map(str, heights))} of Bitcoin"
    why = "" if anchor.error is None else f": {anchor.error}"
    return f"{what} since {_moment(anchor.begun_at)}, no time yet{why}"


def files(proof: "LogProof") -> Iterator[tuple[str, bytes]]:
    """Names and bytes: what was stamped, and each chain of tokens, numbered from the first one on; what calendars were
    asked about, what they have said, and the proof that this has the leaf, too."""
    from imgguard.provenance.timestamp_renewal import stamped_body

    yield "checkpoint.txt", stamped_body(proof.checkpoint.note)
    for place, chain in enumerate(proof.tokens, start=1):
        for number, token in enumerate(chain, start=1):
            if token.stamp is not None:
                label = ".self-issued" if token.is_self_issued else ""
                yield f"checkpoint.{place}.{number}{label}.tst", token.stamp.token
    if proof.anchor is not None:
        yield "anchored.txt", stamped_body(proof.anchor.checkpoint.note)
        yield "anchored.txt.ots", proof.anchor.file
        yield "anchored.tlog-proof", proof.anchor.proof


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
