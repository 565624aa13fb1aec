"""A log of 66,000 leaves: three levels, partial tiles at each."""

from pathlib import Path

from small_log import ONE, TWO, checkpoint_of, entries

from imgguard.provenance import merkle
from imgguard.provenance.tiles import TiledTree, bundle_path, grown, tiles_between, to_bundle

LARGE = 66_000
LARGE_ENTRIES = entries(LARGE)


def write_log(folder: Path) -> None:
    """As files that any web server can give out."""
    hashes = [merkle.leaf_hash(entry) for entry in LARGE_ENTRIES]

    def nothing(tile: object) -> bytes:
        raise AssertionError

    files = {tile.path: data for tile, data in grown(TiledTree(0, merkle.EMPTY_ROOT, nothing), hashes)}
    for tile in tiles_between(0, LARGE):
        if tile.level == 0:
            start = tile.index * 256
            files[bundle_path(tile.index, tile.width)] = to_bundle(LARGE_ENTRIES[start : start + tile.width])
    files["checkpoint"] = checkpoint_of(LARGE_ENTRIES, ONE, TWO)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def our_tree(folder: Path, root: bytes) -> TiledTree:
    return TiledTree(LARGE, root, lambda tile: (folder / tile.path).read_bytes())
