"""The tree of RFC 6962: known roots; every proof of small trees; and nothing else passes for one."""

from collections.abc import Callable, Iterator, Sequence

import pytest
from small_log import entries, subtree_of

from imgguard.errors import ConsistencyProofInvalid, InclusionProofInvalid, InputError
from imgguard.provenance.merkle import (
    EMPTY_ROOT,
    LARGEST_SIZE,
    Frontier,
    consistency_proof,
    frontier_of,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

CT_ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The leaves of the test tree of Certificate Transparency, and the roots of its beginnings."""
CT_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}

MOST = 64
HASHES = [leaf_hash(entry) for entry in entries(MOST + 1)]
SUBTREE = subtree_of(HASHES)
ROOTS = [root_of(HASHES[:size]) for size in range(MOST + 2)]
OTHER = b"\x5a" * 32


@pytest.mark.parametrize(("size", "root"), CT_ROOTS.items())
def test_the_roots_are_those_of_certificate_transparency(size: int, root: str) -> None:
    hashes = [leaf_hash(entry) for entry in CT_ENTRIES[:size]]
    assert root_of(hashes).hex() == root
    assert frontier_of(size, subtree_of(hashes)).root.hex() == root


def test_a_published_inclusion_proof_is_made_and_verified() -> None:
    hashes = [leaf_hash(entry) for entry in CT_ENTRIES]
    wanted = (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    )  # leaf 0 of 8, from the tests of google/certificate-transparency
    proof = inclusion_proof(0, 8, subtree_of(hashes))
    assert tuple(one.hex() for one in proof) == wanted
    verify_inclusion(hashes[0], 0, 8, proof, bytes.fromhex(CT_ROOTS[8]))


def test_a_frontier_grows_in_any_steps() -> None:
    for size in range(MOST + 1):
        grown = Frontier().extended(HASHES[:size])
        assert grown == frontier_of(size, SUBTREE)
        assert grown.extended(HASHES[size:]).root == ROOTS[MOST + 1]


def altered(proof: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The proof with one digest changed, left out, added or moved."""
    for at in range(len(proof)):
        flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        yield [*proof[:at], flipped, *proof[at + 1 :]]
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[:at], proof[at][:31], *proof[at + 1 :]]
    for at in range(len(proof) + 1):
        yield [*proof[:at], OTHER, *proof[at:]]
    if len(proof) > 1 and proof[0] != proof[1]:
        yield [proof[1], proof[0], *proof[2:]]


def refuses(error: type[Exception], verify: Callable[[], None]) -> bool:
    try:
        verify()
    except error:
        return True
    return False


def test_every_inclusion_proof_holds_and_no_altered_one() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            digest, root = HASHES[index], ROOTS[size]
            proof = inclusion_proof(index, size, SUBTREE)
            verify_inclusion(digest, index, size, proof, root)
            wrong: list[tuple[bytes, int, int, Sequence[bytes], bytes]] = [
                (digest, index, size, one, root) for one in altered(proof)
            ]
            wrong += [(digest, other, size, proof, root) for other in range(-1, size + 1) if other != index]
            wrong += [(digest, index, size, proof, ROOTS[size - 1]), (digest, index, size, proof, OTHER)]
            wrong += [(OTHER, index, size, proof, root), (digest, index, size, proof, root[:31])]
            wrong += [(digest, index, 0, proof, root), (digest, index, LARGEST_SIZE + 1, proof, root)]
            for one in wrong:
                assert refuses(InclusionProofInvalid, lambda one=one: verify_inclusion(*one)), one[1:3]


def sides(index: int, size: int) -> str:
    """On which sides the digests of an inclusion proof stand, from the leaf up (RFC 6962, 2.1.1)."""
    if size == 1:
        return ""
    left = 1
    while left * 2 < size:
        left *= 2
    return sides(index, left) + "r" if index < left else sides(index - left, size - left) + "l"


def test_another_size_is_refused_wherever_the_way_to_the_root_is_another() -> None:
    """Where it is the same, only the checkpoint tells the sizes apart: it binds the size to the root."""
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, SUBTREE)
            for other in range(index + 1, MOST + 1):
                args = (HASHES[index], index, other, proof, ROOTS[size])
                is_refused = refuses(InclusionProofInvalid, lambda args=args: verify_inclusion(*args))
                assert is_refused == (sides(index, size) != sides(index, other))


def test_every_consistency_proof_holds_and_no_altered_one() -> None:
    for new in range(MOST + 1):
        for old in range(new + 1):
            proof = consistency_proof(old, new, SUBTREE)
            verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)
            wrong: list[tuple[int, bytes, int, bytes, Sequence[bytes]]] = [
                (old, ROOTS[old], new, ROOTS[new], one) for one in altered(proof)
            ]
            wrong += [(old, OTHER, new, ROOTS[new], proof), (old, ROOTS[old], LARGEST_SIZE + 1, ROOTS[new], proof)]
            wrong += [(-1, ROOTS[old], new, ROOTS[new], proof), (new + 1, ROOTS[new + 1], new, ROOTS[new], proof)]
            if old:  # with an empty log every root agrees
                wrong += [(old, ROOTS[old], new, OTHER, proof), (old - 1, ROOTS[old], new, ROOTS[new], proof)]
                wrong += [(old, ROOTS[old - 1], new, ROOTS[new], proof), (old, ROOTS[old], new, ROOTS[new + 1], proof)]
            for one in wrong:
                assert refuses(ConsistencyProofInvalid, lambda one=one: verify_consistency(*one)), (one[0], one[2])


def test_the_empty_tree_has_one_root() -> None:
    verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], ())
    with pytest.raises(ConsistencyProofInvalid, match="empty"):
        verify_consistency(0, OTHER, 5, ROOTS[5], ())
    with pytest.raises(ConsistencyProofInvalid, match="empty"):
        verify_consistency(0, EMPTY_ROOT, 0, OTHER, ())


def test_a_tree_of_the_largest_size_can_be_verified_and_a_longer_proof_ends_soon() -> None:
    with pytest.raises(InclusionProofInvalid, match="another root"):
        verify_inclusion(OTHER, LARGEST_SIZE - 1, LARGEST_SIZE, [OTHER] * 62, OTHER)
    with pytest.raises(InclusionProofInvalid, match="too many"):
        verify_inclusion(OTHER, 0, LARGEST_SIZE, [OTHER] * 1000, OTHER)
    with pytest.raises(ConsistencyProofInvalid, match="too many"):
        verify_consistency(1, OTHER, LARGEST_SIZE, OTHER, [OTHER] * 1000)


def test_there_are_no_proofs_of_what_is_not_there() -> None:
    for index, size in ((5, 5), (-1, 5), (0, 0), (0, LARGEST_SIZE + 1)):
        with pytest.raises(InputError):
            inclusion_proof(index, size, SUBTREE)
    for old, new in ((6, 5), (-1, 5), (0, LARGEST_SIZE + 1)):
        with pytest.raises(InputError):
            consistency_proof(old, new, SUBTREE)
    with pytest.raises(InputError):
        Frontier(3, (OTHER,))
    with pytest.raises(InputError):
        Frontier().extended([b"short"])
