"""The anchor of a leaf: the checkpoint that has it and was handed to calendars, the way there, and the `.ots` file."""

from dataclasses import dataclass, field

from imgguard.ports import AnchorStore, LoggedLeaf, StoredCheckpoint, TokenStore
from imgguard.provenance.anchors import merged
from imgguard.provenance.merkle import leaf_hash, verify_inclusion
from imgguard.provenance.opentimestamps import parse_file
from imgguard.provenance.proofs import Proof
from imgguard.services.cosignatures import cosigned
from imgguard.services.log_tiles import LogTiles


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnchor:
    """``proof`` is a C2SP tlog-proof by the anchored ``checkpoint``, seldom that of the timestamps. ``file`` is about
    its text, and has what all calendars have said."""

    checkpoint: StoredCheckpoint
    proof: bytes = field(repr=False)
    file: bytes = field(repr=False)


def anchor_of(leaf: LoggedLeaf, *, anchors: AnchorStore, tiles: LogTiles, tokens: TokenStore) -> LogAnchor | None:
    """By the oldest checkpoint that has the leaf and is attested, else by the oldest with a promise; None without any.

    Raises TileInvalid, NotFound and InclusionProofInvalid when files of the log are damaged, OpenTimestampsInvalid when
    what is stored is.
    """
    chosen = anchors.anchored_checkpoint(leaf.position)
    if chosen is None:
        return None
    path = tiles.tree(chosen.size, chosen.root).inclusion_proof(leaf.position)
    verify_inclusion(leaf_hash(leaf.leaf), leaf.position, chosen.size, path, chosen.root)
    files = [parse_file(one.file) for one in anchors.of_checkpoint(chosen.size) if one.file is not None]
    return LogAnchor(
        checkpoint=chosen,
        proof=Proof(index=leaf.position, path=path, checkpoint=cosigned(chosen.note, tokens)).to_bytes(),
        file=merged(files).to_bytes(),
    )
