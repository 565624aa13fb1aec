"""A chain of tokens is read as it was made, each token at its own time and over all before it."""

from datetime import timedelta

import pytest
import timestamp_forge as forge
from timestamp_forge import DATA, NOON, START, Certified

from imgguard.errors import NoteInvalid, TimestampInvalid
from imgguard.provenance.keys import new_key
from imgguard.provenance.notes import Signer, sign_note
from imgguard.provenance.timestamp_renewal import (
    MOST_TOKENS,
    certificate_ends,
    digest_to_stamp,
    stamped_body,
    verify_chain,
)
from imgguard.provenance.timestamps import Digest
from imgguard.provenance.trust import Trust

DAY = timedelta(days=1)


def renewed(by: Certified, *tokens: bytes, after: timedelta = 365 * DAY, imprint: str = "sha512") -> bytes:
    return forge.token(by, DATA + b"".join(tokens), at=NOON + after, imprint=imprint)


@pytest.fixture(scope="module")
def first(signer: Certified) -> bytes:
    return forge.token(signer)


def test_the_body_is_what_was_signed_and_no_signature() -> None:
    text = "log.example.org\n7\n" + "A" * 43 + "=\n"
    note = sign_note(text, [Signer("log.example.org", new_key())])
    assert stamped_body(note) == text.encode()
    assert stamped_body(sign_note(text, [Signer("log.example.org", new_key())])) == text.encode()
    with pytest.raises(NoteInvalid):
        stamped_body(text.encode())


def test_what_is_stamped_next() -> None:
    assert digest_to_stamp(b"body\n") == Digest.of(b"body\n", algorithm="sha256")
    assert digest_to_stamp(b"body\n", [b"one", b"two"]) == Digest.of(b"body\nonetwo", algorithm="sha512")


def test_the_time_is_that_of_the_first_and_it_holds_as_long_as_the_last(
    first: bytes, root: Certified, signer: Certified, trust: Trust
) -> None:
    later = forge.signer(root, start=START + DAY)
    second = renewed(later, first)
    third = renewed(later, first, second, after=730 * DAY)
    found = verify_chain(DATA, [first, second, third], trust=trust)
    assert found.no_later_than == NOON
    assert found.holds_until == certificate_ends(third) == START + 3651 * DAY
    assert verify_chain(DATA, [first], trust=trust).holds_until == certificate_ends(first) == START + 3650 * DAY


def test_renewals_that_nobody_believes_carry_nothing_on(first: bytes, trust: Trust) -> None:
    second = renewed(forge.signer(forge.root("Stranger")), first)
    found = verify_chain(DATA, [first, second], trust=trust)
    assert (found.no_later_than, found.holds_until) == (NOON, certificate_ends(first))
    nobody = verify_chain(DATA, [first, second], trust=Trust())
    assert (nobody.no_later_than, nobody.holds_until) == (None, None)


def test_a_token_that_is_left_out_changed_or_moved_is_missed(first: bytes, signer: Certified, trust: Trust) -> None:
    second = renewed(signer, first)
    third = renewed(signer, first, second, after=730 * DAY)
    other = forge.token(signer, at=NOON + DAY)
    for tokens in ([first, third], [second, third], [other, second], [first, third, second], [first, first]):
        with pytest.raises(TimestampInvalid):
            verify_chain(DATA, tokens, trust=trust)


def test_a_renewal_is_by_sha512(first: bytes, signer: Certified, trust: Trust) -> None:
    with pytest.raises(TimestampInvalid, match="imprint"):
        verify_chain(DATA, [first, renewed(signer, first, imprint="sha256")], trust=trust)


@pytest.mark.parametrize("after", [-DAY, 2000 * DAY])
def test_a_renewal_before_the_first_or_after_its_end_is_none(
    root: Certified, signer: Certified, trust: Trust, after: timedelta
) -> None:
    begun = forge.token(forge.signer(root, days=1000))
    late = renewed(signer, begun, after=after)
    with pytest.raises(TimestampInvalid, match="could be renewed"):
        verify_chain(DATA, [begun, late], trust=trust)


def test_no_token_and_too_many_are_no_chain(first: bytes, trust: Trust) -> None:
    for tokens in ([], [first] * (MOST_TOKENS + 1)):
        with pytest.raises(TimestampInvalid, match="chain has from one"):
            verify_chain(DATA, tokens, trust=trust)
