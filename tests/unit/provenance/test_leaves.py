"""Public leaves: what they say, what opens them, and what does not."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from small_log import CLAIMANT, RECEIVED_AT, key, leaf, opening, registration

from imgguard.errors import InputError, LeafInvalid
from imgguard.provenance.leaves import (
    ClaimantOpening,
    Leaf,
    Opening,
    commitment,
    leaf_of,
    new_salt,
    open_leaf,
    parse_leaf,
    parse_opening,
    signed_by,
    statement_of,
)
from imgguard.provenance.records import Kind, event_record

EVENT = event_record(Kind.WITHDRAWAL, subject="ref_1", occurred_at="2026-03-01T12:00:00Z").to_bytes()


def test_a_leaf_says_kind_and_time_and_two_digests() -> None:
    shown, given = json.loads(leaf()), opening()
    assert given.claimant is not None
    commit = sha256(b"imgguard record v1\n" + given.salt + given.record).digest()
    person = given.claimant
    digest = sha256(b"imgguard claimant v1\n" + person.salt + person.public_key + person.signature).hexdigest()
    assert shown == {
        "v": 1,
        "kind": "registration",
        "commit": commit.hex(),
        "received_at": RECEIVED_AT,
        "claimant": digest,
    }
    CLAIMANT.public_key().verify(person.signature, b"imgguard commitment v1\n" + commit)


def test_a_leaf_opens_to_its_record() -> None:
    assert open_leaf(leaf(), opening()) == registration()
    assert open_leaf(leaf(is_signed=False), opening(is_signed=False)) == registration(is_signed=False)
    assert "claimant" not in json.loads(leaf(is_signed=False))
    assert open_leaf(leaf(), parse_opening(opening().to_bytes())) == registration()


def test_leaves_of_one_claimant_and_record_have_nothing_in_common() -> None:
    record = registration().to_bytes()
    shown = []
    for _ in range(2):
        salt = new_salt()
        made = Opening(salt=salt, record=record, claimant=signed_by(CLAIMANT, commitment(record, salt)))
        shown.append(json.loads(leaf_of(made, received_at=RECEIVED_AT)))
    assert shown[0]["commit"] != shown[1]["commit"]
    assert shown[0]["claimant"] != shown[1]["claimant"]


def test_no_altered_byte_of_a_leaf_opens_but_those_of_the_time() -> None:
    """What the log says about the time is bound by the tree, and not by the opening."""
    data, given = leaf(), opening()
    start = data.index(RECEIVED_AT.encode())
    for at in range(len(data)):
        for bit in (1, 2, 4, 8, 16, 32, 64, 128):
            altered = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
            try:
                open_leaf(altered, given)
            except LeafInvalid:
                continue
            assert start <= at < start + len(RECEIVED_AT)
        with pytest.raises(LeafInvalid):
            open_leaf(data[:at], given)


def test_no_altered_byte_of_an_opening_passes() -> None:
    data, shown = opening().to_bytes(), leaf()
    for at in range(len(data)):
        for bit in (1, 2, 32, 128):
            with pytest.raises(LeafInvalid):
                open_leaf(shown, parse_opening(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]))
        with pytest.raises(LeafInvalid):
            parse_opening(data[:at])


def test_every_part_of_an_opening_counts() -> None:
    given, shown = opening(), leaf()
    assert given.claimant is not None
    person = given.claimant
    other = signed_by(key("other"), given.commit, salt=person.salt)
    wrong = [
        replace(given, salt=bytes(32)),
        replace(given, salt=b""),
        replace(given, record=EVENT),
        replace(given, claimant=None),
        replace(given, claimant=other),
        replace(given, claimant=replace(person, salt=bytes(32))),
        replace(given, claimant=replace(person, public_key=other.public_key)),
        replace(given, claimant=replace(person, signature=other.signature)),
    ]
    for one in wrong:
        with pytest.raises((LeafInvalid, InputError)):
            open_leaf(shown, one)


def forged(given: Opening, *, kind: Kind = Kind.REGISTRATION) -> bytes:
    """A leaf made without the checks."""
    digest = given.claimant.digest if given.claimant else None
    return Leaf(kind=kind, commit=given.commit, received_at=RECEIVED_AT, claimant=digest).to_bytes()


def test_a_leaf_that_was_made_wrong_does_not_open() -> None:
    given = opening()
    assert given.claimant is not None
    unsigned = replace(given, claimant=replace(given.claimant, signature=bytes(64)))
    with pytest.raises(LeafInvalid, match="signature of the claimant"):
        open_leaf(forged(unsigned), unsigned)
    foreign = replace(given, claimant=signed_by(key("other"), given.commit))
    with pytest.raises(LeafInvalid, match="another key"):
        open_leaf(forged(foreign), foreign)
    missing = replace(given, claimant=None)
    with pytest.raises(LeafInvalid, match="another key"):
        open_leaf(forged(missing), missing)
    with pytest.raises(LeafInvalid, match="says packet"):
        open_leaf(forged(given, kind=Kind.PACKET), given)
    spaced = replace(given, record=given.record + b"\n", claimant=None)
    with pytest.raises(LeafInvalid, match="record cannot be read"):
        open_leaf(forged(spaced), spaced)
    over_another = replace(given, claimant=signed_by(CLAIMANT, bytes(32)))
    with pytest.raises(LeafInvalid, match="signature of the claimant"):
        open_leaf(forged(over_another), over_another)


def test_bytes_cannot_move_from_one_part_to_the_next() -> None:
    """The digests are of parts put together: each but the last has a fixed length, which is checked."""
    given = opening()
    assert given.claimant is not None
    person = given.claimant
    moved = ClaimantOpening(
        salt=person.salt + person.public_key[:1],
        public_key=person.public_key[1:] + person.signature[:1],
        signature=person.signature[1:],
    )
    assert moved.digest == person.digest
    with pytest.raises(LeafInvalid, match="another claimant"):
        open_leaf(leaf(), replace(given, claimant=moved))
    with pytest.raises(InputError, match="salt"):
        commitment(given.record[1:], given.salt + given.record[:1])
    with pytest.raises(LeafInvalid, match="salt"):
        open_leaf(leaf(), replace(given, salt=given.salt + given.record[:1], record=given.record[1:]))


def test_events_can_be_signed_by_anybody_or_nobody() -> None:
    for claimant in (None, signed_by(CLAIMANT, commitment(EVENT, b"\1" * 32))):
        given = Opening(salt=b"\1" * 32, record=EVENT, claimant=claimant)
        assert open_leaf(leaf_of(given, received_at=RECEIVED_AT), given).kind is Kind.WITHDRAWAL


def test_what_is_signed_is_set_apart_from_other_uses_of_the_key() -> None:
    assert statement_of(b"\1" * 32) == b"imgguard commitment v1\n" + b"\1" * 32


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"v":1}',
        leaf().replace(b'"v":1', b'"v":2'),
        leaf().replace(b"registration", b"accident"),
        leaf().replace(b"}", b',"z":1}'),
        leaf().replace(b"12:00:00Z", b"12:00:00+"),
        leaf().upper(),
        leaf() + b"\n",
        b"x" * 2000,
    ],
)
def test_other_bytes_are_no_leaf(data: bytes) -> None:
    with pytest.raises(LeafInvalid):
        parse_leaf(data)


def test_what_is_no_leaf_is_not_written() -> None:
    for one in (
        Leaf(kind=Kind.CLAIM, commit=b"short", received_at=RECEIVED_AT),
        Leaf(kind=Kind.CLAIM, commit=bytes(32), received_at="now"),
        Leaf(kind=Kind.CLAIM, commit=bytes(32), received_at=RECEIVED_AT, claimant=b""),
    ):
        with pytest.raises(InputError):
            one.to_bytes()
    with pytest.raises(InputError):
        leaf_of(opening(), received_at="2026-03-01")
    with pytest.raises(LeafInvalid):
        leaf_of(replace(opening(), record=b"{}"), received_at=RECEIVED_AT)


def test_an_opening_does_not_show_its_secrets_by_accident() -> None:
    given = opening()
    assert given.salt.hex() not in repr(given)
    assert str(given.salt) not in repr(given)
    assert "Ada" not in repr(given)
    assert "Ada" not in repr(registration())
