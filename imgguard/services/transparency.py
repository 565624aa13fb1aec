"""The transparency log: leaves of the database become files, checkpoints and proofs.

The database is the truth; files follow from it and can be made again. What was signed is never contradicted: before a
checkpoint is signed, the tiles that it stands for are on the disk, and lead from the one before to the new one.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imgguard.errors import (
    CheckpointInvalid,
    InvalidTransition,
    LogInconsistent,
    NoteInvalid,
    NotFound,
    TileInvalid,
)
from imgguard.ports import (
    AnchorStore,
    CheckpointToken,
    Clock,
    LogFiles,
    LoggedLeaf,
    LogStore,
    StampedBy,
    StoredCheckpoint,
    TokenStore,
)
from imgguard.provenance.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from imgguard.provenance.leaves import Opening
from imgguard.provenance.merkle import EMPTY_ROOT, leaf_hash, verify_inclusion
from imgguard.provenance.notes import Signer, VerifierKey
from imgguard.provenance.proofs import Proof
from imgguard.provenance.records import Kind
from imgguard.provenance.tiles import TiledTree, bundle_path, tiles_between
from imgguard.services.cosignatures import cosigned
from imgguard.services.log_anchors import LogAnchor, anchor_of
from imgguard.services.log_keys import LogKeys
from imgguard.services.log_tiles import LogTiles

CHECKPOINT = "checkpoint"

_RESTORED = (
    "An older backup of the database was restored, or it was altered: restore the newest one, and keep the folder "
    "`log` as it is. docs/transparency-log.md says what can be done when there is none."
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStatus:
    """``keys``: all that have signed, the present one last. ``checkpoint``: the newest, None before there is one."""

    keys: tuple[VerifierKey, ...]
    checkpoint: StoredCheckpoint | None
    leaves: int
    counts: dict[str, int]

    @property
    def unpublished(self) -> int:
        """Leaves that no checkpoint has yet."""
        return self.leaves - (0 if self.checkpoint is None else self.checkpoint.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """``proof`` is a C2SP tlog-proof, with the cosignatures that were collected. ``opening`` is private, and None when
    it was erased.

    ``tokens`` are the timestamps of the proof's checkpoint: each one with those that renew it. ``anchor`` is by
    another, where calendars are asked.
    """

    leaf: LoggedLeaf
    proof: bytes
    checkpoint: StoredCheckpoint
    tokens: Sequence[Sequence[CheckpointToken]]
    opening: Opening | None = field(repr=False)
    anchor: LogAnchor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Last:
    """The last checkpoint that was signed; ``given_out`` is what the file has, perhaps an earlier one."""

    checkpoint: StoredCheckpoint | None
    given_out: bytes | None
    given_size: int

    @property
    def size(self) -> int:
        return 0 if self.checkpoint is None else self.checkpoint.size

    @property
    def root(self) -> bytes:
        return EMPTY_ROOT if self.checkpoint is None else self.checkpoint.root


class Transparency:
    """Thread safe. Each checkpoint will wait for the tokens of ``authorities``."""

    def __init__(
        self,
        *,
        store: LogStore,
        files: LogFiles,
        keys: LogKeys,
        tokens: TokenStore,
        anchors: AnchorStore,
        clock: Clock,
        authorities: Sequence[StampedBy] = (),
    ) -> None:
        self._store = store
        self._files = files
        self._keys = keys
        self._tiles = LogTiles(store=store, files=files)
        self._tokens = tokens
        self._anchors = anchors
        self._clock = clock
        self._authorities = tuple(authorities)

    # giving out

    def publish(self, *, held: Ed25519PrivateKey | None = None) -> StoredCheckpoint:
        """Write what is new, and sign it; returns the newest checkpoint. Does nothing when nothing is new.

        1  references from before there was a log get their leaves
        2  the last checkpoint, that of the database or of the file, is one that this database can stand for
        3  the files of the new leaves are written and durable
        4  these files lead from the last checkpoint to the new root
        5  the new checkpoint is signed, and stored
        6  it is given out, and partial tiles that are full now are removed

        Stopped anywhere, the next call does the rest. ``held`` as in `LogKeys.signers`. Raises LogInconsistent,
        ConfigurationError, StoreUnavailable.
        """
        with self._files.writing():
            # 1
            self._store.log_earlier(at=self._clock.now())
            # 2
            last = self._last()
            size = self._store.size()
            signers = self._keys.signers(last.size, held=held)
            if size < last.size:
                raise LogInconsistent(f"{last.size} leaves were signed, the database has {size}", hint=_RESTORED)
            newest = last.checkpoint
            if newest is None or size > last.size or last.given_out is None:
                # 3
                tree = self._grown(last, size)
                self._files.settle()
                # 4
                self._require_continuation(tree, last)
                # 5
                if newest is None or size > last.size:
                    newest = self._signed(tree, signers)
            # 6
            if last.given_out != newest.note:
                self._files.write(CHECKPOINT, newest.note)
                self._files.settle()
                self._tiles.discard_partial(last.given_size, newest.size)
            return newest

    def _signed(self, tree: TiledTree, signers: Sequence[Signer]) -> StoredCheckpoint:
        checkpoint = Checkpoint(signers[0].key.name, tree.size, tree.root)
        note = sign_checkpoint(checkpoint, *signers)
        made = StoredCheckpoint(size=tree.size, root=tree.root, note=note, signed_at=self._clock.now())
        self._store.add_checkpoint(made, stamped_by=self._authorities)
        return made

    def check(self) -> None:
        """That the database stands for what was given out. Reads the hashes of all leaves: about 3 s for a million.

        Raises LogInconsistent.
        """
        with self._files.writing():
            last = self._last()
            if self._tiles.root_in_database(last.size) != last.root:
                raise LogInconsistent(
                    f"the first {last.size} leaves of the database are not those that were signed", hint=_RESTORED
                )

    def _last(self) -> _Last:
        stored = self._store.last_checkpoint()
        try:
            data = self._files.read(CHECKPOINT)
        except NotFound:
            return _Last(checkpoint=stored, given_out=None, given_size=0)
        try:
            found = open_checkpoint(data, self._keys.known()).checkpoint
        except (NoteInvalid, CheckpointInvalid) as error:
            raise LogInconsistent(
                f"the checkpoint in the folder of the log is not one of this database: {error.detail}", hint=_RESTORED
            ) from error
        if stored is None or found.size > stored.size:
            stored = self._adopted(found, data)
        if found.size == stored.size and found.root != stored.root:
            raise LogInconsistent(f"two checkpoints of {found.size} leaves were signed", hint=_RESTORED)
        return _Last(checkpoint=stored, given_out=data, given_size=found.size)

    def _adopted(self, found: Checkpoint, data: bytes) -> StoredCheckpoint:
        """A checkpoint that was given out, and that the database does not know: that one is from a backup."""
        if self._store.size() < found.size or self._tiles.root_in_database(found.size) != found.root:
            raise LogInconsistent(
                f"a checkpoint of {found.size} leaves was given out, which this database does not have", hint=_RESTORED
            )
        adopted = StoredCheckpoint(size=found.size, root=found.root, note=data, signed_at=self._clock.now())
        self._store.add_checkpoint(adopted, stamped_by=self._authorities)
        return adopted

    def _grown(self, last: _Last, size: int) -> TiledTree:
        if last.given_out is not None:
            try:
                return self._tiles.grow(self._tiles.tree(last.size, last.root), size)
            except (TileInvalid, NotFound) as error:
                _log.warning("the files of the log are made again: %s", error)
        tree = self._tiles.grow_anew(last.size)
        if tree.root != last.root:
            raise LogInconsistent(
                f"the first {last.size} leaves of the database are not those that were signed", hint=_RESTORED
            )
        return self._tiles.grow(tree, size)

    def _require_continuation(self, tree: TiledTree, last: _Last) -> None:
        """From the files as they are on the disk, whatever was meant to be written. Raises LogInconsistent."""
        again = self._tiles.tree(tree.size, tree.root)
        try:
            is_same = again.root_at(last.size) == last.root
        except TileInvalid as error:
            raise LogInconsistent(f"the files of the log do not lead to the new root: {error.detail}") from error
        if not is_same:
            raise LogInconsistent(f"the new log does not begin with the {last.size} leaves that were signed")

    def rotate_key(self, to: Ed25519PrivateKey | None = None) -> StoredCheckpoint:
        """Sign with another key from now on: with ``to``, or with one that is made in the store.

        The change is a leaf. The first checkpoint that has it is signed by both keys, and given out at once. Raises
        as `publish`.
        """
        self.publish()
        self._keys.rotate(to)
        return self.publish(held=to)

    # looking

    def status(self) -> LogStatus:
        return LogStatus(
            keys=self._keys.known(),
            checkpoint=self._store.last_checkpoint(),
            leaves=self._store.size(),
            counts=self._store.counts(),
        )

    def file(self, path: str) -> bytes:
        """As it is given out, the checkpoint with the cosignatures that were collected. Raises NotFound."""
        data = self._files.read(path)
        return cosigned(data, self._tokens) if path == CHECKPOINT else data

    def exported(self) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of each file of the newest checkpoint, which comes last; nothing before there is one.

        Nothing is given out meanwhile. Raises NotFound, TileInvalid when files are missing or damaged.
        """
        with self._files.writing():
            last = self._store.last_checkpoint()
            if last is None:
                return
            self._tiles.tree(last.size, last.root).frontier()
            for tile in tiles_between(0, last.size):
                yield tile.path, self._files.read(tile.path)
                if tile.level == 0:
                    path = bundle_path(tile.index, tile.width)
                    yield path, self._files.read(path)
            yield CHECKPOINT, cosigned(last.note, self._tokens)

    def consistency_proof(self, old_size: int, checkpoint: StoredCheckpoint) -> tuple[bytes, ...]:
        """That the log of ``checkpoint`` begins with its first ``old_size`` leaves, as RFC 6962, section 2.1.2, has it.

        Raises InputError when it has not as many, TileInvalid, NotFound when files are damaged or missing.
        """
        return self._tiles.tree(checkpoint.size, checkpoint.root).consistency_proof(old_size)

    def leaf_of(self, object_id: str, kind: Kind | None = None) -> tuple[LoggedLeaf, Opening | None]:
        """The leaf about ``object_id``, the latest of ``kind`` or the first of all, and what opens it; None once that
        is erased. Raises NotFound."""
        leaf = self._store.leaf_about(object_id, kind)
        return self._store.openings(leaf.position, limit=1)[0]

    def proof_of(self, object_id: str, kind: Kind | None = None) -> LogProof:
        """That the log has the leaf that `leaf_of` gives.

        By the oldest checkpoint that has it and a token, as its time is the earliest, and one that is not self-issued
        before all that are; without any by the newest checkpoint.

        Raises NotFound, InvalidTransition while no checkpoint has it, TileInvalid and InclusionProofInvalid when the
        files are damaged.
        """
        leaf, opening = self.leaf_of(object_id, kind)
        chosen = self._tokens.stamped_checkpoint(leaf.position) or self._store.last_checkpoint()
        if chosen is None or leaf.position >= chosen.size:
            raise InvalidTransition(
                f"no checkpoint has the leaf about {object_id} yet",
                hint="Ask again in a minute, or publish it with `imgguard log publish`.",
            )
        path = self._tiles.tree(chosen.size, chosen.root).inclusion_proof(leaf.position)
        verify_inclusion(leaf_hash(leaf.leaf), leaf.position, chosen.size, path, chosen.root)
        proof = Proof(index=leaf.position, path=path, checkpoint=cosigned(chosen.note, self._tokens)).to_bytes()
        tokens = self._tokens.chains(chosen.size)
        anchor = anchor_of(leaf, anchors=self._anchors, tiles=self._tiles, tokens=self._tokens)
        return LogProof(leaf=leaf, proof=proof, checkpoint=chosen, tokens=tokens, opening=opening, anchor=anchor)
