"""The log as files that never change: tiles of 256 digests, and bundles of 256 entries (C2SP tlog-tiles).

Level 0 has the hashes of leaves; a digest of level n + 1 is the root of a full tile of level n. Tiles at the right edge
are partial, and are not joined before they are full.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from imgguard.errors import ConsistencyProofInvalid, InclusionProofInvalid, InputError, TileInvalid
from imgguard.provenance import merkle
from imgguard.provenance.merkle import DIGEST_BYTES

WIDTH = 256
HEIGHT = 8
HIGHEST_LEVEL = 63
LONGEST_ENTRY = 65_535


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """``width`` digests from ``index * 256`` on of what ``level`` has; fewer than 256 in a partial tile.

    Raises InputError for numbers that no tile has.
    """

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not (0 <= self.level <= HIGHEST_LEVEL and self.index >= 0 and 1 <= self.width <= WIDTH):
            raise InputError(f"there is no tile {self.index} of level {self.level} and width {self.width}")

    @property
    def path(self) -> str:
        """``tile/<level>/<index>``, below the URL of the log."""
        return f"tile/{self.level}/{_place(self.index, self.width)}"


def bundle_path(index: int, width: int = WIDTH) -> str:
    """Where the entries of the tile of level 0 with the same numbers are: ``tile/entries/<index>``."""
    return f"tile/entries/{_place(index, Tile(0, index, width).width)}"


def _place(index: int, width: int) -> str:
    groups = [index % 1000]
    while index := index // 1000:
        groups.append(index % 1000)
    first = "".join(f"x{group:03d}/" for group in reversed(groups[1:]))
    return f"{first}{groups[0]:03d}" + (f".p/{width}" if width < WIDTH else "")


def tiles_between(old_size: int, new_size: int) -> Iterator[Tile]:
    """Those that a log has to write when it grows, lowest level first; partial ones that it already has are left out.

    The bundles to write are those of level 0. Raises InputError when it does not grow.
    """
    merkle.require_size(new_size)
    if not 0 <= old_size <= new_size:
        raise InputError(f"a log of {old_size} leaves does not grow to {new_size}")
    level = 0
    while new_size > old_size:
        for index in range(old_size // WIDTH, -(-new_size // WIDTH)):
            yield Tile(level, index, min(WIDTH, new_size - index * WIDTH))
        level, old_size, new_size = level + 1, old_size // WIDTH, new_size // WIDTH


def to_tile(digests: Sequence[bytes]) -> bytes:
    """Raises InputError unless these are 1 to 256 digests."""
    if not 1 <= len(digests) <= WIDTH or any(len(one) != DIGEST_BYTES for one in digests):
        raise InputError(f"a tile has 1 to {WIDTH} digests of {DIGEST_BYTES} bytes")
    return b"".join(digests)


def parse_tile(data: bytes, *, width: int) -> tuple[bytes, ...]:
    """The digests of a tile of exactly ``width``. Raises TileInvalid."""
    if len(data) != width * DIGEST_BYTES:
        raise TileInvalid(f"a tile of width {width} has {width * DIGEST_BYTES} bytes, not {len(data)}")
    return tuple(data[start : start + DIGEST_BYTES] for start in range(0, len(data), DIGEST_BYTES))


def to_bundle(entries: Sequence[bytes]) -> bytes:
    """Each entry behind its length in two bytes, big-endian. Raises InputError unless these are 1 to 256 entries."""
    if not 1 <= len(entries) <= WIDTH or any(len(one) > LONGEST_ENTRY for one in entries):
        raise InputError(f"a bundle has 1 to {WIDTH} entries of at most {LONGEST_ENTRY} bytes")
    return b"".join(struct.pack(">H", len(one)) + one for one in entries)


def parse_bundle(data: bytes, *, width: int) -> tuple[bytes, ...]:
    """The entries of a bundle of exactly ``width``. Raises TileInvalid."""
    entries: list[bytes] = []
    start = 0
    while start < len(data) and len(entries) < width:
        (length,) = struct.unpack_from(">H", data, start) if start + 2 <= len(data) else (LONGEST_ENTRY,)
        entries.append(data[start + 2 : start + 2 + length])
        start += 2 + length
    if start != len(data) or len(entries) != width:
        raise TileInvalid(f"this is not a bundle of {width} entries")
    return tuple(entries)


type ReadTile = Callable[[Tile], bytes]
"""Gives the bytes of a tile. Where only a wider one is left, that one serves as well."""


class TiledTree:
    """The tree of one checkpoint, read from tiles. Nothing that it gives out was not checked against the root.

    It keeps what it has read: make one for each request.
    """

    def __init__(self, size: int, root: bytes, read: ReadTile) -> None:
        merkle.require_size(size)
        self.size = size
        self.root = root
        self._read = read
        self._tiles: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def frontier(self) -> merkle.Frontier:
        """The right edge, to append to. Raises TileInvalid."""
        found = merkle.frontier_of(self.size, self._subtree)
        if found.root != self.root:
            raise TileInvalid(f"the tiles of the right edge of {self.size} leaves lead to another root")
        return found

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """Of leaf ``index``. Raises InputError when there is none, TileInvalid."""
        proof = merkle.inclusion_proof(index, self.size, self._subtree)
        try:
            merkle.verify_inclusion(self._subtree(0, index), index, self.size, proof, self.root)
        except InclusionProofInvalid as error:
            raise TileInvalid(f"the tiles around leaf {index} of {self.size} lead to another root") from error
        return proof

    def leaf_hash(self, index: int) -> bytes:
        """Raises InputError when there is no such leaf, TileInvalid."""
        self.inclusion_proof(index)
        return self._subtree(0, index)

    def consistency_proof(self, old_size: int) -> tuple[bytes, ...]:
        """With the first ``old_size`` leaves. Raises InputError when there are not as many, TileInvalid."""
        return self._since(old_size)[1]

    def root_at(self, old_size: int) -> bytes:
        """The root when the log had ``old_size`` leaves. Raises InputError when it has not as many, TileInvalid."""
        return self._since(old_size)[0]

    def _since(self, old_size: int) -> tuple[bytes, tuple[bytes, ...]]:
        proof = merkle.consistency_proof(old_size, self.size, self._subtree)
        old_root = self.root if old_size == self.size else merkle.frontier_of(old_size, self._subtree).root
        try:
            merkle.verify_consistency(old_size, old_root, self.size, self.root, proof)
        except ConsistencyProofInvalid as error:
            raise TileInvalid(f"the tiles of {old_size} leaves of {self.size} lead to another root") from error
        return old_root, proof

    def _subtree(self, level: int, index: int) -> bytes:
        """As `merkle.Subtree`, but not checked."""
        tile_level, height = divmod(level, HEIGHT)
        tile_index, first = divmod(index << height, WIDTH)
        digests = self._digests(tile_level, tile_index)
        return merkle.complete_root(digests[first : first + (1 << height)])

    def _digests(self, level: int, index: int) -> tuple[bytes, ...]:
        found = self._tiles.get((level, index))
        if found is None:
            tile = Tile(level, index, min(WIDTH, (self.size >> HEIGHT * level) - index * WIDTH))
            data = self._read(tile)
            if tile.width * DIGEST_BYTES < len(data) <= WIDTH * DIGEST_BYTES and len(data) % DIGEST_BYTES == 0:
                data = data[: tile.width * DIGEST_BYTES]
            found = self._tiles[level, index] = parse_tile(data, width=tile.width)
        return found


def grown(tree: TiledTree, leaf_hashes: Iterable[bytes]) -> Iterator[tuple[Tile, bytes]]:
    """The tiles to write, as `tiles_between` orders them, when these leaves are appended to ``tree``.

    The right edge of ``tree`` is checked before the first. Raises TileInvalid, InputError.
    """
    tree.frontier()
    added, level = list(leaf_hashes), 0
    while added:
        index, width = divmod(tree.size >> HEIGHT * level, WIDTH)
        digests = [*tree._digests(level, index), *added] if width else added
        added = []
        for start in range(0, len(digests), WIDTH):
            part = digests[start : start + WIDTH]
            yield Tile(level, index + start // WIDTH, len(part)), to_tile(part)
            if len(part) == WIDTH:
                added.append(merkle.complete_root(part))
        level += 1
