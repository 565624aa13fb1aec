"""The anchor of a leaf: the checkpoint that has it and was handed to calendars, the way there, and the `.ots` file."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from imgguard.errors import OpenTimestampsInvalid
from imgguard.ports import Anchor, AnchorState, AnchorStore, LoggedLeaf, StoredCheckpoint, TokenStore
from imgguard.provenance.anchors import merged
from imgguard.provenance.merkle import leaf_hash, verify_inclusion
from imgguard.provenance.opentimestamps import OpenTimestamp, parse_file
from imgguard.provenance.proofs import Proof
from imgguard.services.cosignatures import cosigned
from imgguard.services.log_tiles import LogTiles

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnchor:
    """``proof`` is a C2SP tlog-proof by the anchored ``checkpoint``, seldom that of the timestamps. ``file`` is about
    its text, and has what all calendars have said."""

    checkpoint: StoredCheckpoint
    proof: bytes = field(repr=False)
    file: bytes = field(repr=False)


def anchor_of(leaf: LoggedLeaf, *, anchors: AnchorStore, tiles: LogTiles, tokens: TokenStore) -> LogAnchor | None:
    """By the oldest checkpoint that has the leaf and is attested, else by the oldest with a promise; None without any.

    Raises TileInvalid, NotFound and InclusionProofInvalid when files of the log are damaged.
    """
    chosen = anchors.anchored_checkpoint(leaf.position)
    if chosen is None:
        return None
    path = tiles.tree(chosen.size, chosen.root).inclusion_proof(leaf.position)
    verify_inclusion(leaf_hash(leaf.leaf), leaf.position, chosen.size, path, chosen.root)
    file = _file(anchors.of_checkpoint(chosen.size))
    if file is None:
        return None
    proof = Proof(index=leaf.position, path=path, checkpoint=cosigned(chosen.note, tokens))
    return LogAnchor(checkpoint=chosen, proof=proof.to_bytes(), file=file.to_bytes())


def _file(anchors: Sequence[Anchor]) -> OpenTimestamp | None:
    """What all calendars have said, those with blocks first. What would go beyond the limits of one file is left out:
    what one calendar answers must not cost what the others have."""
    found: OpenTimestamp | None = None
    for one in sorted(anchors, key=lambda one: one.state is not AnchorState.ATTESTED):
        try:
            if one.file is not None:
                read = parse_file(one.file)
                found = read if found is None else merged([found, read])
        except OpenTimestampsInvalid as error:
            _log.warning("what %s has said of %d leaves is left out: %s", one.calendar, one.size, error.detail)
    return found
