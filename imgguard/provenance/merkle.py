"""The Merkle tree of the log: RFC 6962 with SHA-256. Digests are 32 bytes; sizes count leaves, indices begin with 0.

Proofs are made from a function that gives the root of complete subtrees, wherever their digests are kept, and are
verified by the algorithms of RFC 9162.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from imgguard.errors import ConsistencyProofInvalid, InclusionProofInvalid, InputError

DIGEST_BYTES = 32
LARGEST_SIZE = 2**63 - 1
LONGEST_PROOF = 64
"""Digests. A tree of `LARGEST_SIZE` leaves has 63 levels; a consistency proof has one digest more at most."""

EMPTY_ROOT = sha256(b"").digest()

type Subtree = Callable[[int, int], bytes]
"""``subtree(level, index)``: the root of the leaves from ``index << level`` up to ``(index + 1) << level``."""


def leaf_hash(entry: bytes) -> bytes:
    """Of one entry (RFC 6962, 2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Of two subtrees side by side (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: the roots of its complete subtrees, the largest first, one for each bit of ``size``.

    All that is needed to append leaves and to have the root.
    """

    size: int = 0
    digests: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        require_size(self.size)
        if len(self.digests) != self.size.bit_count() or any(len(one) != DIGEST_BYTES for one in self.digests):
            raise InputError(f"these are not the digests of the right edge of {self.size} leaves")

    @property
    def root(self) -> bytes:
        """Of the whole tree."""
        return _joined(self.digests) if self.digests else EMPTY_ROOT

    def extended(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """The right edge with these leaves appended. Raises InputError for what is no digest."""
        size, digests = self.size, list(self.digests)
        for digest in leaf_hashes:
            if len(digest) != DIGEST_BYTES:
                raise InputError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")
            carried, joins = digest, size
            while joins & 1:
                carried, joins = node_hash(digests.pop(), carried), joins >> 1
            digests.append(carried)
            size += 1
        return Frontier(size, tuple(digests))


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Of the tree with these leaves."""
    return Frontier().extended(leaf_hashes).root


def complete_root(digests: Sequence[bytes]) -> bytes:
    """Of a complete subtree with these leaves: as many as a power of two."""
    level = digests
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return level[0]


def frontier_of(size: int, subtree: Subtree) -> Frontier:
    """The right edge of the first ``size`` leaves."""
    require_size(size)
    return Frontier(size, tuple(_complete(0, size, subtree)))


def inclusion_proof(index: int, size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """That leaf ``index`` is in the tree of ``size``, from the leaf's sibling up (RFC 9162, 2.1.3.1).

    Raises InputError when there is no such leaf.
    """
    require_size(size)
    if not 0 <= index < size:
        raise InputError(f"there is no leaf {index} in a tree of {size}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return tuple(_joined(_complete(*one, subtree)) for one in reversed(ranges))


def consistency_proof(old_size: int, new_size: int, subtree: Subtree) -> tuple[bytes, ...]:
    """That the tree of ``new_size`` begins with that of ``old_size`` (RFC 9162, 2.1.4.1).

    Empty when the sizes are equal or the old one is 0. Raises InputError when the old one is larger.
    """
    require_size(new_size)
    if not 0 <= old_size <= new_size:
        raise InputError(f"a tree of {new_size} leaves does not begin with one of {old_size}")
    if old_size == 0:
        return ()
    ranges: list[tuple[int, int]] = []
    start, end = 0, new_size
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # else it is the old tree itself, whose root the verifier has
        ranges.append((start, end))
    return tuple(_joined(_complete(*one, subtree)) for one in reversed(ranges))


def verify_inclusion(digest: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """That the leaf with this hash is leaf ``index`` of the tree of ``size`` with this root (RFC 9162, 2.1.3.2).

    1  there is such a leaf
    2  begin with its place and the last place, and with its hash
    3  join every digest of the proof from the side on which it stands, level by level
    4  the proof was as long as the tree is high
    5  the outcome is the root

    Raises InclusionProofInvalid.
    """
    # 1
    if not 0 <= index < size <= LARGEST_SIZE:
        raise InclusionProofInvalid(f"there is no leaf {index} in a tree of {size}")
    _check_digests((digest, *proof, root), InclusionProofInvalid)
    # 2
    place, last, found = index, size - 1, digest
    # 3
    for sibling in proof:
        if last == 0:
            raise InclusionProofInvalid("the proof has too many digests")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    # 4
    if last:
        raise InclusionProofInvalid("the proof has too few digests")
    # 5
    if found != root:
        raise InclusionProofInvalid("the proof leads to another root")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """That the tree of ``new_size`` begins with all leaves of that of ``old_size`` (RFC 9162, 2.1.4.2).

    1  the old tree is not larger; an empty or equal one needs no proof and has none
    2  an old tree that is a complete subtree stands in the new one as it is
    3  begin where the last leaf of the old tree stands, at the level of its last complete subtree
    4  join every digest: what is left of it to both roots, what is right of it to the new root only
    5  the proof was as long as the tree is high, and the outcomes are the two roots

    Raises ConsistencyProofInvalid.
    """
    # 1
    if not 0 <= old_size <= new_size <= LARGEST_SIZE:
        raise ConsistencyProofInvalid(f"a tree of {new_size} leaves does not begin with one of {old_size}")
    _check_digests((old_root, new_root, *proof), ConsistencyProofInvalid)
    if (old_size == 0 and old_root != EMPTY_ROOT) or (new_size == 0 and new_root != EMPTY_ROOT):
        raise ConsistencyProofInvalid("the empty tree has another root")
    if old_size in (0, new_size):
        if proof:
            raise ConsistencyProofInvalid("the proof has too many digests")
        if old_size and old_root != new_root:
            raise ConsistencyProofInvalid("two trees of one size have different roots")
        return
    # 2
    digests = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not digests:
        raise ConsistencyProofInvalid("the proof has too few digests")
    # 3
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_found = new_found = digests[0]
    # 4
    for sibling in digests[1:]:
        if last == 0:
            raise ConsistencyProofInvalid("the proof has too many digests")
        if place & 1 or place == last:
            old_found, new_found = node_hash(sibling, old_found), node_hash(sibling, new_found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new_found = node_hash(new_found, sibling)
        place, last = place >> 1, last >> 1
    # 5
    if last:
        raise ConsistencyProofInvalid("the proof has too few digests")
    if old_found != old_root:
        raise ConsistencyProofInvalid("the proof leads to another root of the old tree")
    if new_found != new_root:
        raise ConsistencyProofInvalid("the proof leads to another root of the new tree")


def require_size(size: int) -> None:
    """Raises InputError for what is no number of leaves."""
    if not 0 <= size <= LARGEST_SIZE:
        raise InputError(f"a log has 0 to {LARGEST_SIZE} leaves, not {size}")


def _split(count: int) -> int:
    """The largest power of two below ``count``, which is 2 or more."""
    return 1 << (count - 1).bit_length() - 1


def _complete(start: int, end: int, subtree: Subtree) -> list[bytes]:
    """The roots of the largest complete subtrees that make up these leaves, from the left."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append(subtree(level, start >> level))
        start += 1 << level
    return found


def _joined(digests: Sequence[bytes]) -> bytes:
    """One root of complete subtrees that stand side by side, the largest first."""
    *others, root = digests
    for digest in reversed(others):
        root = node_hash(digest, root)
    return root


def _check_digests(
    digests: Sequence[bytes], error: type[InclusionProofInvalid] | type[ConsistencyProofInvalid]
) -> None:
    if len(digests) > LONGEST_PROOF + 2:
        raise error("the proof has too many digests")
    if any(len(one) != DIGEST_BYTES for one in digests):
        raise error(f"a digest has {DIGEST_BYTES} bytes")
