"""What a verified packet proves and does not prove, in sentences that say no more than the steps have shown."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from imgguard.evidence.packet.verifying.anchors import Anchored, sentences_of
from imgguard.evidence.packet.verifying.log import Included
from imgguard.evidence.packet.verifying.seals import Seal
from imgguard.evidence.packet.verifying.statement import Statement
from imgguard.evidence.packet.verifying.steps import Level
from imgguard.evidence.packet.verifying.times import COUNTING, Stamped
from imgguard.provenance.checkpoints import Cosignature
from imgguard.provenance.policy import Policy
from imgguard.provenance.records import Kind
from imgguard.provenance.trust import Trust

_ALWAYS = (
    "Who made a picture, whom it belongs to, that it was not published by somebody else before, or that it was "
    "registered first.",
    "That what claimants state, and what files say of themselves, is true.",
    "That the reports, thumbnails and drawings show what packet.json says: look at the originals and the listings.",
)
_CAPTURED = (
    "That others were shown the same at the address of a listing picture: that it was fetched there is what the "
    "installation says."
)
_MOST = 20


def proven(
    level: Level,
    seal: Seal | None,
    trust: Trust,
    included: Sequence[Included],
    stamped: Sequence[Stamped],
    cosignatures: Mapping[str, Sequence[Cosignature]],
    policy: Policy | None,
    anchored: Sequence[Anchored] = (),
) -> tuple[str, ...]:
    """Nothing when ``level`` is none."""
    if level is Level.NONE or seal is None:
        return ()
    sealer = trust.sealer(seal.certificate)
    who = f"by {sealer.name}" if sealer else f"with the certificate {seal.sha256} (whose it is, nobody here knows)"
    sentences = [f"No byte of this packet has changed since it was sealed {who}."]
    if level is Level.INTEGRITY:
        return tuple(sentences)
    origin = next(one.checkpoint.origin for one in included)
    sentences.append(f"Each record is one that the log {origin} has committed itself to.")
    bounds = [sentence for one in included for sentence in _bounds(one, stamped, cosignatures, policy)]
    bounds += [sentence for one in included for sentence in sentences_of(anchored, one, _what(one))]
    sentences += bounds[:_MOST]
    if len(bounds) > _MOST:
        sentences.append(f"{len(bounds) - _MOST} more such times hold.")
    return tuple(sentences)


def _bounds(
    one: Included,
    stamped: Sequence[Stamped],
    cosignatures: Mapping[str, Sequence[Cosignature]],
    policy: Policy | None,
) -> Iterator[str]:
    what = _what(one)
    for each in stamped:
        vouched = each.timestamp.no_later_than
        if each.included is one and vouched is not None:
            kind = each.timestamp.trust_class.value.replace("_", "-")
            doubt = "" if each.timestamp.trust_class in COUNTING else ", which is not independent of who made it"
            yield f"{what} existed no later than {_when(vouched)}, says {each.timestamp.authority} ({kind}){doubt}."
    names = {witness.key: witness.name for witness in policy.witnesses} if policy else {}
    for cosignature in cosignatures.get(one.entry.subject.folder, ()):
        at = datetime.fromtimestamp(cosignature.seconds, UTC) if cosignature.seconds < 2**35 else None
        if at is not None:
            witness = names.get(cosignature.key, cosignature.key.name)
            yield f"{what} existed no later than {_when(at)}, says the witness {witness}."


def _what(one: Included) -> str:
    subject = one.entry.subject
    if subject.is_reference:
        return f"The file with SHA-256 {subject.stated['file']['sha256']}, and what its record claims ({subject.what}),"
    return f"The record of {subject.what}"


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def not_proven(level: Level, statement: Statement | None) -> tuple[str, ...]:
    """Also what the levels above would have shown."""
    lacking = []
    if level is Level.NONE:
        return ("Anything: a step has failed.",)
    if level is Level.INTEGRITY:
        lacking.append("Who made this packet, that a log has its records, and since when they exist.")
    if level in (Level.INTEGRITY, Level.LOGGED):
        lacking.append("That the registered files existed before now, by the word of an independent authority.")
    if level is not Level.WITNESSED:
        lacking.append("That the log shows everybody the same: no quorum of witnesses was verified.")
    if statement is not None:
        unlogged = [one.what for one in statement.subjects if not one.is_logged]
        if unlogged:
            shown = ", ".join(unlogged[:_MOST]) + (", …" if len(unlogged) > _MOST else "")
            lacking.append(f"Since when there is a record of: {shown}. Only the seal speaks for it.")
        if any(one.kind is Kind.CAPTURE for one in statement.subjects):
            lacking.append(_CAPTURED)
    return (*lacking, *_ALWAYS)
