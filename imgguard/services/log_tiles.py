"""The log as files: grown from the leaves of the database, read back for proofs."""

from collections.abc import Sequence

from imgguard.errors import LogInconsistent, NotFound
from imgguard.ports import LogFiles, LoggedLeaf, LogStore
from imgguard.provenance.merkle import EMPTY_ROOT, Frontier, leaf_hash
from imgguard.provenance.tiles import WIDTH, Tile, TiledTree, bundle_path, grown, tiles_between, to_bundle

AT_ONCE = 64 * WIDTH
"""Leaves that are read and written at a time: some 10 MB."""


class LogTiles:
    """Not thread safe but for reading: whoever writes holds `LogFiles.writing`."""

    def __init__(self, *, store: LogStore, files: LogFiles) -> None:
        self._store = store
        self._files = files

    def tree(self, size: int, root: bytes) -> TiledTree:
        """Of that checkpoint."""
        return TiledTree(size, root, self.read)

    def read(self, tile: Tile) -> bytes:
        """A tile, or the full one that has taken its place. Raises NotFound."""
        try:
            return self._files.read(tile.path)
        except NotFound:
            return self._files.read(Tile(tile.level, tile.index).path)

    def grow(self, tree: TiledTree, size: int) -> TiledTree:
        """Write what ``size`` leaves need beyond ``tree``. Nothing of it is durable yet.

        Raises TileInvalid when the right edge of ``tree`` is not what was signed, NotFound when it is not there, and
        LogInconsistent when the database has other leaves than were signed.
        """
        while tree.size < size:
            end = min(size, (tree.size // AT_ONCE + 1) * AT_ONCE)
            first = tree.size // WIDTH * WIDTH
            leaves = self._leaves(first, end)
            hashes = [leaf_hash(one.leaf) for one in leaves]
            known = tree.size - first
            if known and tree.leaf_hash(tree.size - 1) != hashes[known - 1]:
                raise LogInconsistent(f"leaf {tree.size - 1} of the database is not the one that was signed")
            for tile, data in grown(tree, hashes[known:]):
                self._files.write(tile.path, data)
            for start in range(0, len(leaves), WIDTH):
                part = [one.leaf for one in leaves[start : start + WIDTH]]
                self._files.write(bundle_path((first + start) // WIDTH, len(part)), to_bundle(part))
            tree = self.tree(end, tree.frontier().extended(hashes[known:]).root)
        return tree

    def grow_anew(self, size: int) -> TiledTree:
        """All files of the first ``size`` leaves."""
        return self.grow(self.tree(0, EMPTY_ROOT), size)

    def discard_partial(self, old_size: int, new_size: int) -> None:
        """Remove partial tiles and bundles in whose place there are full ones now."""
        for tile in tiles_between(old_size, new_size):
            if tile.width == WIDTH:
                self._files.discard(tile.path)
                if tile.level == 0:
                    self._files.discard(bundle_path(tile.index))

    def root_in_database(self, size: int) -> bytes:
        """Of the first ``size`` leaves, from their stored hashes. Raises LogInconsistent when there are fewer."""
        found = Frontier()
        while found.size < size:
            hashes = self._store.hashes(found.size, limit=min(AT_ONCE, size - found.size))
            if not hashes:
                raise LogInconsistent(f"the database has {found.size} leaves, and a checkpoint of {size} was signed")
            found = found.extended(hashes)
        return found.root

    def _leaves(self, start: int, end: int) -> Sequence[LoggedLeaf]:
        found = self._store.leaves(start, limit=end - start)
        if [one.position for one in found] != list(range(start, end)):
            raise LogInconsistent(f"the database has not all leaves from {start} to {end - 1}")
        return found
