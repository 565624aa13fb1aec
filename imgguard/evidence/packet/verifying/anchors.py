"""Step 9: what blocks of Bitcoin attest by way of OpenTimestamps, as far as the trust file names them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imgguard.errors import OpenTimestampsInvalid, PacketInvalid
from imgguard.evidence.packet.verifying.container import Container
from imgguard.evidence.packet.verifying.layout import ANCHOR, ANCHOR_PROOF, PACKET
from imgguard.evidence.packet.verifying.log import Included, check_log, included_by, newest_checkpoint
from imgguard.evidence.packet.verifying.statement import Statement, moment_of
from imgguard.evidence.packet.verifying.times import TOLERANCE
from imgguard.provenance.anchors import verify_anchor
from imgguard.provenance.opentimestamps import LONGEST_FILE, OpenTimestamp, parse_file
from imgguard.provenance.policy import Policy
from imgguard.provenance.proofs import LONGEST_FILE as LONGEST_PROOF
from imgguard.provenance.trust import BLOCK_TOLERANCE, Trust, TrustedBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """``file`` is of a checkpoint that has the leaf of ``included``. ``blocks``: those that the trust file names, which
    hold it, the earliest first."""

    included: Included
    file: str
    timestamp: OpenTimestamp
    blocks: tuple[TrustedBlock, ...]


def check_anchors(
    included: Sequence[Included], container: Container, trust: Trust, policy: Policy | None
) -> tuple[Anchored, ...]:
    """All OpenTimestamps files of the packet. A proof of its own leads from the leaf to the checkpoint of each.

    1  that checkpoint has the leaf, and is of the same log: of one size and with one root, not newer than
       `log/checkpoint`, and signed by a log of ``policy``
    2  the file is about the text of that checkpoint
    3  blocks that the trust file names have the Merkle roots that the file leads to
    4  `packet.json` names the blocks and calendars of the file, and no others

    Raises PacketInvalid. A block that the trust file does not name is not looked at.
    """
    newest = newest_checkpoint(container)
    roots = {newest.size: newest.root} | {one.checkpoint.size: one.checkpoint.root for one in included}
    found = []
    for one in included:
        subject = one.entry.subject
        if not subject.is_anchored:
            continue
        # 1
        proof_file, file = subject.of_log(ANCHOR_PROOF), subject.of_log(ANCHOR)
        proof = container.read(proof_file, most_bytes=LONGEST_PROOF)
        anchored = included_by(one.entry, proof, proof_file, newest, roots)
        if policy is not None:
            check_log(anchored.note, proof_file, policy)
        # 2, 3
        try:
            timestamp = parse_file(container.read(file, most_bytes=LONGEST_FILE))
            blocks = verify_anchor(timestamp, anchored.stamped, trust=trust)
        except OpenTimestampsInvalid as error:
            raise PacketInvalid(error.detail, reason=error.code, file=file) from error
        # 4
        stated = subject.stated.get("anchor") if subject.is_reference else None
        if stated is not None and (stated["blocks"], stated["calendars"]) != (
            list(timestamp.heights),
            list(timestamp.calendars),
        ):
            detail = f"packet.json names other blocks or calendars than {file}"
            raise PacketInvalid(detail, reason="other_anchor", file=PACKET)
        found.append(Anchored(included=one, file=file, timestamp=timestamp, blocks=blocks))
    return tuple(found)


def check_block_times(statement: Statement, anchored: Sequence[Anchored]) -> None:
    """That nothing was received after a block had it, and that no block is later than the packet, give or take what the
    clocks of miners may be off. Raises PacketInvalid."""
    for one in anchored:
        received_at = moment_of(one.included.entry.leaf.received_at)
        for block in one.blocks:
            if received_at - block.no_later_than > TOLERANCE:
                detail = f"block {block.height} of Bitcoin has it, and the log says that it received the leaf later"
                raise PacketInvalid(detail, reason="times_disagree", file=one.file)
            if block.time - BLOCK_TOLERANCE - statement.created_at > TOLERANCE:
                detail = f"block {block.height} of Bitcoin is later than the packet itself"
                raise PacketInvalid(detail, reason="times_disagree", file=one.file)


def sentences_of(anchored: Sequence[Anchored], one: Included, what: str) -> Iterator[str]:
    """What blocks say of ``one``, which is called ``what``."""
    for each in anchored:
        for block in each.blocks if each.included is one else ():
            yield (
                f"{what} existed no later than {block.no_later_than:%Y-%m-%d %H:%M:%S} UTC, says block {block.height} "
                "of Bitcoin (independent): two hours after the time in it, as miners' clocks may be off."
            )
