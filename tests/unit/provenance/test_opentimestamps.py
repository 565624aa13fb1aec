"""Files of OpenTimestamps: read as the reference implementation writes them, and nothing else is read."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ots_files import CALENDAR, HEIGHT, attested, forked, nested, promised

from imgguard.errors import OpenTimestampsInvalid
from imgguard.provenance.opentimestamps import (
    APPEND,
    DEEPEST,
    LONGEST_ANSWER,
    LONGEST_FILE,
    LONGEST_MESSAGE,
    MAGIC,
    MOST_PATHS,
    PREPEND,
    SHA256,
    Attestation,
    OpenTimestamp,
    Operation,
    Path,
    parse_file,
    parse_tree,
    tree_bytes,
)

DIGEST = sha256(b"data").digest()
HEAD = MAGIC + b"\x01\x08" + DIGEST
PENDING, BITCOIN = bytes.fromhex("83dfe30d2ef90c8e"), bytes.fromhex("0588960d73d71901")

WRITTEN_BY_THE_REFERENCE = bytes.fromhex(
    "004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e8929401083a6eb0790f39ac87c94f3856b2dd2c5d110e681160"
    "2261a9a923d3bb23adc8b7ff000909090909090909013ff0056e6f6e636508ff0083dfe30d2ef90c8e121168747470733a2f2f612e65"
    "78616d706c65f102747808000588960d73d7190103f7ef15"
)
"""By python-opentimestamps 0.4.5, about `data`: SHA-256 after the appended `nonce`; there a promise of
https://a.example, and after a prepended `tx` and SHA-256 block 358391; beside it something unknown."""


def test_a_file_of_the_reference_implementation_is_read_and_written_the_same() -> None:
    file = parse_file(WRITTEN_BY_THE_REFERENCE)
    middle = sha256(DIGEST + b"nonce").digest()
    assert file.digest == DIGEST
    assert {(path.attestation.tag, path.message) for path in file.paths} == {
        (PENDING, middle),
        (BITCOIN, sha256(b"tx" + middle).digest()),
        (b"\x09" * 8, DIGEST),
    }
    assert (file.heights, file.calendars) == ((358_391,), ("https://a.example",))
    assert file.to_bytes() == WRITTEN_BY_THE_REFERENCE


def test_what_is_unknown_is_kept_and_means_nothing() -> None:
    (unknown,) = [path for path in parse_file(WRITTEN_BY_THE_REFERENCE).paths if path.attestation.tag == b"\x09" * 8]
    assert unknown.attestation.payload == b"?"
    assert (unknown.attestation.height, unknown.attestation.calendar) == (None, None)


@pytest.mark.parametrize("file", [promised(b"data"), attested(b"data")])
def test_what_is_written_is_read_again(file: OpenTimestamp) -> None:
    assert parse_file(file.to_bytes()) == file


def test_blocks_and_calendars_are_named_once_and_in_order() -> None:
    ways = [Path((), Attestation.by_block(height), DIGEST) for height in (300, 2, 300)]
    ways += [Path((), Attestation.by_calendar(url), DIGEST) for url in ("https://b.example", CALENDAR)]
    file = parse_file(OpenTimestamp(DIGEST, tuple(ways)).to_bytes())
    assert (file.heights, file.calendars) == ((2, 300), ("https://b.example", CALENDAR))
    assert len(file.paths) == 4
    assert attested(b"data").heights == (HEIGHT,)


ONE = Attestation.by_block(1).to_bytes()
HOSTILE = {
    "empty": (b"", "ends too early"),
    "without an attestation": (b"\x08", "ends too early"),
    "cut short": (b"\x00" + ONE[:-1], "ends too early"),
    "with something after it": (b"\x00" + ONE + b"\x00", "follows after its end"),
    "with a fork that leads nowhere": (b"\xff\x00" + ONE, "ends too early"),
    "with a fork in a fork": (b"\xff\xff\x00" + ONE + b"\x00" + ONE, "not known here: 0xff"),
    "with SHA-1": (b"\x02\x00" + ONE, "not known here: SHA-1"),
    "with RIPEMD-160": (b"\x03\x00" + ONE, "not known here: RIPEMD-160"),
    "with Keccak-256": (b"\x67\x00" + ONE, "not known here: Keccak-256"),
    "reversed": (b"\xf2\x00" + ONE, "not known here: reverse"),
    "with an unknown operation": (b"\x42\x00" + ONE, "not known here: 0x42"),
    "with nothing appended": (b"\xf0\x00\x00" + ONE, "empty argument"),
    "too deep": (nested(DEEPEST + 1), "operations away"),
    "with too many attestations": (forked(MOST_PATHS + 1), "more than 64 attestations"),
    "with many forks that are never closed": (b"\xff\x08" * 2000, "more than 64 attestations"),
    "with too long an argument": (b"\xf0\x81\x20" + bytes(4097) + b"\x00" + ONE, "4096 are the most"),
    "with too long a message": (b"\xf0\x80\x20" + bytes(4096) + b"\x00" + ONE, "more than 4096 bytes"),
    "with too long a payload": (b"\x00" + bytes(8) + b"\x81\x40" + bytes(8193), "8192 are the most"),
    "with a number that never ends": (b"\xf0" + b"\xff" * 500, "too large"),
    "with a number written longer": (b"\xf0\x81\x00x\x00" + ONE, "written longer"),
    "with a height beyond 32 bits": (b"\x00" + BITCOIN + b"\x05" + b"\xff\xff\xff\xff\x1f", "too large"),
    "with something behind the height": (b"\x00" + BITCOIN + b"\x02\x01\x00", "follows after its end"),
    "with no height": (b"\x00" + BITCOIN + b"\x00", "ends too early"),
    "with an address that is none": (b"\x00" + PENDING + b"\x0b\x0ahttps://a@b", "not allowed"),
    "with a line in the address": (b"\x00" + PENDING + b"\x04\x03a\nb", "not allowed"),
    "with an address beyond ASCII": (b"\x00" + PENDING + b"\x03\x02\xc3\xa9", "not allowed"),
    "with something behind the address": (b"\x00" + PENDING + b"\x03\x01ab", "follows after its end"),
    "too long": (forked(2) + bytes(LONGEST_ANSWER), "more than 10000 bytes"),
}


@pytest.mark.parametrize(("tree", "why"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_tree_is_refused(tree: bytes, why: str) -> None:
    with pytest.raises(OpenTimestampsInvalid, match=why):
        parse_tree(tree, DIGEST)


def test_the_limits_themselves_are_allowed() -> None:
    assert len(parse_tree(nested(DEEPEST), DIGEST)[0].operations) == DEEPEST
    assert len(parse_tree(forked(MOST_PATHS), DIGEST)) == MOST_PATHS
    longest = b"\xf0\xe0\x1f" + bytes(LONGEST_MESSAGE - 32) + b"\x00" + ONE
    assert len(parse_tree(longest, DIGEST)[0].message) == LONGEST_MESSAGE
    file = OpenTimestamp(DIGEST, parse_tree(nested(DEEPEST), DIGEST))
    assert parse_file(file.to_bytes()) == file


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ends too early"),
        (HEAD, "ends too early"),
        (MAGIC[:-1] + b"\x00" + HEAD[len(MAGIC) :] + b"\x00" + ONE, "no OpenTimestamps file"),
        (MAGIC + b"\x02\x08" + DIGEST + b"\x00" + ONE, "no OpenTimestamps file of version 1"),
        (MAGIC + b"\x01\x02" + DIGEST[:20] + b"\x00" + ONE, "not about a SHA-256 digest"),
        (HEAD + bytes(LONGEST_FILE), "more than 65536 bytes"),
    ],
)
def test_what_is_no_file_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(OpenTimestampsInvalid, match=why):
        parse_file(data)


def test_no_byte_of_a_file_is_read_past_its_end() -> None:
    data = attested(b"data").to_bytes()
    for end in range(len(data)):
        with pytest.raises(OpenTimestampsInvalid):
            parse_file(data[:end])


OPERATIONS = st.one_of(
    st.just(Operation(SHA256)),
    st.builds(Operation, st.sampled_from([APPEND, PREPEND]), st.binary(min_size=1, max_size=40)),
)
ATTESTATIONS = st.one_of(
    st.builds(Attestation.by_block, st.integers(0, 2**32 - 1)),
    st.builds(Attestation.by_calendar, st.text("abc./:-", max_size=30)),
    st.builds(Attestation, st.just(b"\x07" * 8), st.binary(max_size=20)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(OPERATIONS, max_size=12), ATTESTATIONS), min_size=1, max_size=20))
def test_every_tree_is_read_as_it_was_meant(ways: list[tuple[list[Operation], Attestation]]) -> None:
    made = set()
    for operations, attestation in ways:
        message = DIGEST
        for operation in operations:
            message = operation.applied(message)
        made.add(Path(tuple(operations), attestation, message))
    data = tree_bytes(tuple(made))
    found = parse_tree(data, DIGEST)
    assert set(found) == made
    assert tree_bytes(found) == data


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.lists(st.sampled_from([0, 1, 8, 0xF0, 0xFF, 2, 5]), max_size=300).map(bytes))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = parse_tree(data, DIGEST)
    except OpenTimestampsInvalid:
        return
    assert set(parse_tree(tree_bytes(found), DIGEST)) == set(found)
