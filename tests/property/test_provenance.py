"""Whatever bytes are handed in: a typed error, or a value that is written as the same bytes again."""

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_log import ONE, TWO, entries, leaf, opening, policy, proof_of, registration

from imgguard.errors import InputError, VerificationError
from imgguard.provenance import merkle
from imgguard.provenance.canonical import parse_canonical, to_canonical
from imgguard.provenance.checkpoints import parse_checkpoint
from imgguard.provenance.keys import parse_pem
from imgguard.provenance.leaves import parse_leaf, parse_opening
from imgguard.provenance.notes import VerifierKey, parse_note
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.proofs import parse_proof
from imgguard.provenance.records import parse_record
from imgguard.provenance.tiles import TiledTree, grown, parse_bundle, tiles_between, to_bundle

PROOF = proof_of(entries(11), 6, ONE, TWO)

WRITTEN_AGAIN: dict[str, Callable[[bytes], bytes]] = {
    "canonical": lambda data: to_canonical(parse_canonical(data, most_bytes=100_000)),
    "record": lambda data: parse_record(data).to_bytes(),
    "leaf": lambda data: parse_leaf(data).to_bytes(),
    "opening": lambda data: parse_opening(data).to_bytes(),
    "note": lambda data: parse_note(data).to_bytes(),
    "proof": lambda data: parse_proof(data).to_bytes(),
    "checkpoint": lambda data: parse_checkpoint(data.decode("utf-8", "replace")).text.encode(),
    "key": lambda data: VerifierKey.parse(data.decode("utf-8", "surrogateescape")).text.encode(),
}
SAMPLES = {
    "canonical": b'{"a":[1,2.5,"x"],"b":null}',
    "record": registration().to_bytes(),
    "leaf": leaf(),
    "opening": opening().to_bytes(),
    "note": PROOF.checkpoint,
    "proof": PROOF.to_bytes(),
    "checkpoint": parse_note(PROOF.checkpoint).text.encode(),
    "key": ONE.key.text.encode(),
}


@st.composite
def near(draw: st.DrawFn, samples: dict[str, bytes]) -> tuple[str, bytes]:
    """A sample with some spans replaced, so that parsers get beyond their first check."""
    name = draw(st.sampled_from(sorted(samples)))
    data = samples[name]
    pieces = st.binary(max_size=8) | st.sampled_from(
        [b"\n", b"\n\n", b" ", b'"', b"{", b"[", b"}", b"0", b"1e9", b"\xff", b"\xe2\x80\x94 ", b"=", b"\\u0000", b"+"]
    )
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        data = data[:start] + draw(pieces) + data[end:]
    return name, data


@settings(max_examples=1500, deadline=None)
@given(near(SAMPLES) | st.tuples(st.sampled_from(sorted(SAMPLES)), st.binary(max_size=400)))
@example(("note", b"\n\n\n"))
@example(("note", "a\n\n\n— b AAAAAAA=\n".encode()))
@example(("canonical", b"1" * 5000))
@example(("canonical", b'"\\ud800"'))
def test_a_typed_error_or_the_same_bytes_again(given_: tuple[str, bytes]) -> None:
    name, data = given_
    try:
        again = WRITTEN_AGAIN[name](data)
    except (VerificationError, InputError):
        return
    if name == "checkpoint":
        data = data.decode("utf-8", "replace").encode()
    assert again == data


def test_the_samples_are_accepted() -> None:
    for name, data in SAMPLES.items():
        assert WRITTEN_AGAIN[name](data) == data


policy_words = st.sampled_from(
    ["log", "witness", "group", "quorum", "none", "all", "any", "1", "2", "a", "b", "#", "\t", "\n", "\n", ONE.key.text]
)


@settings(max_examples=800, deadline=None)
@given(
    st.lists(policy_words, max_size=30).map(lambda words: (" ".join(words) + "\n").encode()) | st.binary(max_size=200)
)
def test_a_policy_or_a_typed_error(data: bytes) -> None:
    try:
        found = parse_policy(data)
    except InputError:
        return
    keys = found.witness_keys
    if found.quorum_holds([]):
        assert found.quorum == "none"
    assert found.quorum_holds(keys)


@given(st.sets(st.sampled_from([ONE.key, TWO.key])), st.sets(st.sampled_from([ONE.key, TWO.key])))
def test_more_witnesses_never_lose_a_quorum(some: set[VerifierKey], more: set[VerifierKey]) -> None:
    for quorum in ("one", "both", "none"):
        rules = policy(quorum)
        assert rules.quorum_holds(some | more) >= rules.quorum_holds(some)


@given(st.binary(max_size=300))
def test_a_key_or_a_typed_error(data: bytes) -> None:
    try:
        parse_pem(b"-----BEGIN PRIVATE KEY-----\n" + data)
    except InputError:
        return


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None)
@given(json_values)
@example([5e-324, 1.7976931348623157e308, -0.0, 9007199254740991.0, 1e-7, 0.000001, 123456789.125])
def test_what_is_written_in_canonical_form_is_read_as_the_same_value(value: object) -> None:
    try:
        data = to_canonical(value)
    except InputError:
        return  # a float that is an integer beyond what is exact
    assert parse_canonical(data, most_bytes=100_000) == value


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256), st.integers(1, 256), st.binary(max_size=3))
def test_bundles(all_entries: list[bytes], width: int, more: bytes) -> None:
    data = to_bundle(all_entries)
    assert parse_bundle(data, width=len(all_entries)) == tuple(all_entries)
    try:
        found = parse_bundle(data + more, width=width)
    except VerificationError:
        return
    assert to_bundle(found) == data + more


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=5), st.data())
def test_a_log_that_grew_in_any_steps_proves_all_that_it_has(steps: list[int], data: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(entry) for entry in entries(sum(steps))]
    stored: dict[str, bytes] = {}
    size, root = 0, merkle.EMPTY_ROOT
    sizes = [0]
    for step in steps:
        tree = TiledTree(size, root, lambda tile, stored=stored: stored[tile.path])
        written = dict(grown(tree, hashes[size : size + step]))
        assert list(written) == list(tiles_between(size, size + step))
        stored |= {tile.path: content for tile, content in written.items()}
        root = tree.frontier().extended(hashes[size : size + step]).root
        size += step
        sizes.append(size)
    tree = TiledTree(size, root, lambda tile, stored=stored: stored[tile.path])
    assert tree.root == merkle.root_of(hashes)
    for old in sizes:
        assert tree.root_at(old) == merkle.root_of(hashes[:old])
    if size:
        index = data.draw(st.integers(0, size - 1))
        merkle.verify_inclusion(hashes[index], index, size, tree.inclusion_proof(index), root)
