"""The files of the log: their names, their bytes, and what happens when one is damaged."""

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

import pytest
from small_log import entries, subtree_of

from imgguard.errors import InputError, TileInvalid
from imgguard.provenance import merkle
from imgguard.provenance.tiles import (
    LONGEST_ENTRY,
    Tile,
    TiledTree,
    bundle_path,
    grown,
    parse_bundle,
    parse_tile,
    tiles_between,
    to_bundle,
    to_tile,
)

COUNT = 70_000
HASHES = [sha256(number.to_bytes(4)).digest() for number in range(COUNT)]


def empty_tree() -> TiledTree:
    def nothing(tile: Tile) -> bytes:
        raise AssertionError("an empty log has no tiles")

    return TiledTree(0, merkle.EMPTY_ROOT, nothing)


@pytest.fixture(scope="module")
def tiles() -> dict[Tile, bytes]:
    return dict(grown(empty_tree(), HASHES))


@pytest.fixture(scope="module")
def root() -> bytes:
    return merkle.root_of(HASHES)


def test_70000_leaves_have_the_layout_of_the_specification(tiles: dict[Tile, bytes], root: bytes) -> None:
    widths = Counter((tile.level, tile.width) for tile in tiles)
    assert widths == {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}
    assert list(tiles) == list(tiles_between(0, COUNT))
    assert all(len(data) == 32 * tile.width for tile, data in tiles.items())
    assert tiles[Tile(0, 273, 112)] == b"".join(HASHES[273 * 256 :])
    assert tiles[Tile(2, 0, 1)] == merkle.root_of(HASHES[:65_536])
    assert TiledTree(COUNT, root, tiles.__getitem__).frontier().root == root


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(3, 1_234_067), "tile/3/x001/x234/067"),
        (Tile(63, 1_000, 1), "tile/63/x001/000.p/1"),
    ],
)
def test_paths_of_tiles(tile: Tile, path: str) -> None:
    assert tile.path == path


def test_paths_of_bundles() -> None:
    assert bundle_path(0) == "tile/entries/000"
    assert bundle_path(1_234_067, 255) == "tile/entries/x001/x234/067.p/255"


@pytest.mark.parametrize(("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_there_are_no_other_tiles(level: int, index: int, width: int) -> None:
    with pytest.raises(InputError):
        Tile(level, index, width)


def test_a_log_writes_what_is_new_and_only_that() -> None:
    assert list(tiles_between(0, 0)) == list(tiles_between(300, 300)) == []
    assert list(tiles_between(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_between(255, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_between(256, 257)) == [Tile(0, 1, 1)]
    assert list(tiles_between(10, 20)) == [Tile(0, 0, 20)]
    assert list(tiles_between(65_535, 65_536)) == [Tile(0, 255), Tile(1, 0), Tile(2, 0, 1)]
    for old, new in ((2, 1), (-1, 1), (0, merkle.LARGEST_SIZE + 1)):
        with pytest.raises(InputError):
            list(tiles_between(old, new))


def test_growing_in_steps_writes_the_same_tiles_as_at_once() -> None:
    stored: dict[Tile, bytes] = {}
    size, root = 0, merkle.EMPTY_ROOT
    for step in (1, 1, 253, 1, 1, 0, 255, 256, 300, 7):
        new = grown(TiledTree(size, root, stored.__getitem__), HASHES[size : size + step])
        written = dict(new)
        assert list(written) == list(tiles_between(size, size + step))
        stored.update(written)
        size, root = size + step, merkle.root_of(HASHES[: size + step])
    wanted = dict(grown(empty_tree(), HASHES[:size]))
    assert wanted.items() <= stored.items()


def test_proofs_from_tiles_are_those_of_the_tree(tiles: dict[Tile, bytes], root: bytes) -> None:
    subtree = subtree_of(HASHES)
    for index in (0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, COUNT - 1):
        tree = TiledTree(COUNT, root, tiles.__getitem__)
        proof = tree.inclusion_proof(index)
        assert proof == merkle.inclusion_proof(index, COUNT, subtree)
        assert tree.leaf_hash(index) == HASHES[index]
    for size in (0, 1, 255, 256, 257, 23_333, 65_536, 65_537, 69_999, COUNT):
        tree = TiledTree(COUNT, root, tiles.__getitem__)
        assert tree.consistency_proof(size) == merkle.consistency_proof(size, COUNT, subtree)
        assert tree.root_at(size) == merkle.root_of(HASHES[:size])


def test_a_wider_tile_serves_for_a_partial_one() -> None:
    full = dict(grown(empty_tree(), HASHES[:600]))
    widest = {(tile.level, tile.index): data for tile, data in full.items()}
    tree = TiledTree(300, merkle.root_of(HASHES[:300]), lambda tile: widest[tile.level, tile.index])
    assert tree.inclusion_proof(299) == merkle.inclusion_proof(299, 300, subtree_of(HASHES[:300]))
    assert tree.frontier() == merkle.Frontier().extended(HASHES[:300])


def damaged(size: int) -> Iterator[tuple[dict[Tile, bytes], Tile, int]]:
    """A log with one digest changed, for every digest."""
    stored = dict(grown(empty_tree(), HASHES[:size]))
    for tile, data in stored.items():
        for place in range(tile.width):
            at = place * 32
            yield {**stored, tile: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]}, tile, place


def test_no_proof_is_given_out_that_does_not_hold() -> None:
    """Also where a damaged tile shares digests with the one above it, which is where other readers went wrong."""
    size = 521
    root, subtree = merkle.root_of(HASHES[:size]), subtree_of(HASHES[:size])
    refused = Counter[str]()
    for stored, tile, place in damaged(size):
        first = (tile.index * 256 + place) << 8 * tile.level
        for index in {first, (first + 1) % size, first ^ 2 if first ^ 2 < size else 0, size - 1}:
            try:
                proof = TiledTree(size, root, stored.__getitem__).inclusion_proof(index)
            except TileInvalid:
                refused["inclusion"] += 1
            else:
                assert proof == merkle.inclusion_proof(index, size, subtree)
        for old in (1, 255, 256, 257, 512, 520):
            try:
                proof = TiledTree(size, root, stored.__getitem__).consistency_proof(old)
                assert TiledTree(size, root, stored.__getitem__).root_at(old) == merkle.root_of(HASHES[:old])
            except TileInvalid:
                refused["consistency"] += 1
            else:
                assert proof == merkle.consistency_proof(old, size, subtree)
    assert refused["inclusion"] > 500
    assert refused["consistency"] > 500


def test_nothing_is_appended_to_a_damaged_edge() -> None:
    size = 300
    root = merkle.root_of(HASHES[:size])
    for stored, tile, _ in damaged(size):
        tree = TiledTree(size, root, stored.__getitem__)
        if tile.width < 256:
            with pytest.raises(TileInvalid):
                next(grown(tree, HASHES[size : size + 1]))
    with pytest.raises(InputError):
        list(grown(empty_tree(), [b"short"]))


def test_a_tile_cut_short_is_refused() -> None:
    stored = dict(grown(empty_tree(), HASHES[:300]))
    for cut in (0, 1, 31, 32, 44 * 32 - 1, 44 * 32 + 1):
        short = {**stored, Tile(0, 1, 44): (stored[Tile(0, 1, 44)] + b"\0" * 32)[:cut]}
        with pytest.raises(TileInvalid):
            TiledTree(300, merkle.root_of(HASHES[:300]), short.__getitem__).inclusion_proof(299)


def test_bytes_of_tiles_and_bundles() -> None:
    data = to_tile(HASHES[:3])
    assert data == HASHES[0] + HASHES[1] + HASHES[2]
    assert parse_tile(data, width=3) == tuple(HASHES[:3])
    bundle = to_bundle([b"", b"ab", b"x" * LONGEST_ENTRY])
    assert bundle == b"\0\0" + b"\0\2ab" + b"\xff\xff" + b"x" * LONGEST_ENTRY
    assert parse_bundle(bundle, width=3) == (b"", b"ab", b"x" * LONGEST_ENTRY)


@pytest.mark.parametrize(
    ("data", "width"),
    [
        (b"", 1),
        (b"\0", 1),
        (b"\0\1", 1),
        (b"\0\1a\0", 1),
        (b"\0\1a", 2),
        (b"\0\1a\0\1b", 1),
        (b"\xff\xff" + b"x" * 65_534, 1),
        (b"\0\0" * 257, 256),
    ],
)
def test_other_bytes_are_no_bundle(data: bytes, width: int) -> None:
    with pytest.raises(TileInvalid):
        parse_bundle(data, width=width)


def test_what_does_not_fit_is_not_written() -> None:
    for digests in ([], [b"short"], HASHES[:257]):
        with pytest.raises(InputError):
            to_tile(digests)
    for some in ([], [b"x" * 65_536], entries(257)):
        with pytest.raises(InputError):
            to_bundle(some)
