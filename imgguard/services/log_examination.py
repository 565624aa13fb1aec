"""The examination of the log: everything is derived anew from the leaves and compared with what is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from imgguard.errors import ImgguardError, LeafInvalid, NotFound
from imgguard.ports import LogFiles, LoggedLeaf, LogStore, StoredCheckpoint
from imgguard.provenance.checkpoints import open_checkpoint
from imgguard.provenance.leaves import Opening, open_leaf, parse_leaf
from imgguard.provenance.merkle import Frontier, leaf_hash, root_of
from imgguard.provenance.notes import VerifierKey
from imgguard.provenance.tiles import WIDTH, Tile, bundle_path, to_bundle, to_tile
from imgguard.services.transparency import CHECKPOINT

MOST_PROBLEMS = 1000
"""Told; one altered leaf makes most of what stands above it differ too."""

_AT_ONCE = 1024
"""Leaves read at a time, with records of some kilobytes, and at most 256."""


@dataclass(slots=True)
class Examined:
    """``problems`` are in the order of the leaves; ``erased`` counts leaves whose openings were destroyed."""

    leaves: int = 0
    erased: int = 0
    checkpoints: int = 0
    files: int = 0
    problems: list[str] = field(default_factory=list)

    def tell(self, problem: str) -> None:
        """For the first `MOST_PROBLEMS`."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def examine(store: LogStore, files: LogFiles) -> Examined:
    """Of the log as it is now; reads everything, and nothing is given out meanwhile.

    1  the newest checkpoint is the one that is given out
    2  leaves are numbered without a gap, are leaves, and have the hashes that are stored with them
    3  each opening opens its leaf
    4  each checkpoint has the root of its leaves, and the signature of a key of this log
    5  the tiles and bundles of the newest checkpoint are what its leaves make
    6  every active reference has a leaf

    Raises StoreUnavailable; all else is told in ``problems``.
    """
    found = Examined()
    with files.writing():
        checkpoints = store.checkpoints()
        # 1
        _compare_given_out(files, checkpoints[-1] if checkpoints else None, found)
        # 2 3 4 5
        _examine_tree(store, files, checkpoints, found)
    # 6
    for reference_id in store.without_leaf():
        found.tell(f"the reference {reference_id} has no leaf")
    return found


def _examine_tree(store: LogStore, files: LogFiles, checkpoints: Sequence[StoredCheckpoint], found: Examined) -> None:
    keys = tuple(key.vkey for key in store.log_keys())
    published = checkpoints[-1].size if checkpoints else 0
    due = {one.size: one for one in checkpoints}
    frontier, level = Frontier(), _Level(files, found, 0)
    _examine_checkpoint(due.pop(0, None), frontier, keys, found)
    for leaf in _examined_leaves(store, found):
        frontier = frontier.extended([leaf_hash(leaf.leaf)])
        _examine_checkpoint(due.pop(frontier.size, None), frontier, keys, found)
        if leaf.position < published:
            level.add(leaf_hash(leaf.leaf), leaf.leaf)
    level.finish()
    for size in due:
        found.tell(f"a checkpoint of {size} leaves was signed, and there are {frontier.size}")


def _compare_given_out(files: LogFiles, newest: StoredCheckpoint | None, found: Examined) -> None:
    try:
        data = files.read(CHECKPOINT)
    except NotFound:
        if newest is not None:
            found.tell("no checkpoint is given out, though one was signed")
        return
    if newest is None or data != newest.note:
        found.tell("the checkpoint that is given out is not the newest one of the database")


def _examined_leaves(store: LogStore, found: Examined) -> Iterator[LoggedLeaf]:
    size = store.size()
    position = 0
    while position < size:
        rows = store.openings(position, limit=min(_AT_ONCE, size - position))
        if not rows:
            return
        for leaf, opening in rows:
            if leaf.position != position:
                found.tell(f"the leaves from {position} to {leaf.position - 1} are missing")
            position = leaf.position + 1
            found.leaves += 1
            _examine_leaf(leaf, opening, found)
            yield leaf


def _examine_leaf(leaf: LoggedLeaf, opening: Opening | None, found: Examined) -> None:
    if leaf_hash(leaf.leaf) != leaf.leaf_hash:
        found.tell(f"leaf {leaf.position} has another hash than is stored with it")
    try:
        if parse_leaf(leaf.leaf).kind is not leaf.kind:
            found.tell(f"leaf {leaf.position} is of another kind than is stored with it")
        if opening is None:
            found.erased += 1
        else:
            open_leaf(leaf.leaf, opening)
    except LeafInvalid as error:
        found.tell(f"leaf {leaf.position}: {error.detail}")


def _examine_checkpoint(
    stored: StoredCheckpoint | None, frontier: Frontier, keys: tuple[VerifierKey, ...], found: Examined
) -> None:
    if stored is None:
        return
    found.checkpoints += 1
    if stored.root != frontier.root:
        found.tell(f"the checkpoint of {stored.size} leaves has another root than they have")
    try:
        signed = open_checkpoint(stored.note, keys).checkpoint
    except ImgguardError as error:
        found.tell(f"the checkpoint of {stored.size} leaves: {error.detail}")
        return
    if (signed.size, signed.root) != (stored.size, stored.root):
        found.tell(f"the note of the checkpoint of {stored.size} leaves says something else than is stored with it")


class _Level:
    """The tiles of one level, as digests come; full ones become digests of the level above."""

    def __init__(self, files: LogFiles, found: Examined, number: int) -> None:
        self._files = files
        self._found = found
        self._number = number
        self._index = 0
        self._digests: list[bytes] = []
        self._entries: list[bytes] = []
        self._above: _Level | None = None

    def add(self, digest: bytes, entry: bytes | None = None) -> None:
        self._digests.append(digest)
        if entry is not None:
            self._entries.append(entry)
        if len(self._digests) == WIDTH:
            self._compare()
            if self._above is None:
                self._above = _Level(self._files, self._found, self._number + 1)
            self._above.add(root_of(self._digests))
            self._index += 1
            self._digests.clear()
            self._entries.clear()

    def finish(self) -> None:
        """What is left at the right edge."""
        if self._digests:
            self._compare()
        if self._above is not None:
            self._above.finish()

    def _compare(self) -> None:
        width = len(self._digests)
        self._examine(Tile(self._number, self._index, width).path, to_tile(self._digests))
        if self._entries:
            self._examine(bundle_path(self._index, width), to_bundle(self._entries))

    def _examine(self, path: str, expected: bytes) -> None:
        self._found.files += 1
        try:
            if self._files.read(path) != expected:
                self._found.tell(f"the file {path} is not what the leaves make")
        except NotFound:
            self._found.tell(f"the file {path} is missing")
