"""Whatever is changed in a good token, nothing else comes out of it as verified."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest
import timestamp_forge as forge
from asn1crypto import cms, core
from hypothesis import given, settings
from hypothesis import strategies as st

from imgguard.errors import TimestampInvalid, TimestampRefused
from imgguard.provenance.timestamps import (
    Digest,
    TimestampToken,
    VerifiedTimestamp,
    read_response,
    request_for,
    verify_timestamp,
)
from imgguard.provenance.trust import read_trust

ROOT = forge.root()
BETWEEN = forge.intermediate(ROOT)
SIGNER = forge.signer(BETWEEN)
STRANGER = forge.certified("Nobody asked for this one")
NOTE_TYPE = "1.2.3.4.5"
NOTE = b"\x04\x04note"
TRUST = read_trust(forge.trust_file(ROOT.pem))
TOKEN = forge.token(
    SIGNER,
    info={"nonce": 12345, "accuracy": {"seconds": 1}},
    certificates=forge.certificate_set(SIGNER.der, BETWEEN.der, STRANGER.der),
    unsigned_attributes=[{"type": NOTE_TYPE, "values": cms.SetOfAny(contents=NOTE)}],
)
GOOD = verify_timestamp(TOKEN, forge.DATA, trust=TRUST)


def verified(token: bytes) -> VerifiedTimestamp | None:
    with contextlib.suppress(TimestampInvalid):
        return verify_timestamp(token, forge.DATA, trust=TRUST)
    return None


def facts(found: VerifiedTimestamp) -> TimestampToken:
    """All that it says, but which certificates came along."""
    return replace(found.token, certificates_sha256=())


def says_no_more(found: VerifiedTimestamp) -> bool:
    """The same by the same authority; or the same by nobody, since an intermediate certificate was spoiled: no time."""
    if facts(found) != facts(GOOD):
        return False
    is_the_same = (found.trust_class, found.authority, found.chain_sha256) == (
        GOOD.trust_class,
        GOOD.authority,
        GOOD.chain_sha256,
    )
    return is_the_same or found.no_later_than is None


def place_of(part: bytes) -> range:
    assert TOKEN.count(part) == 1
    return range(TOKEN.index(part), TOKEN.index(part) + len(part))


def test_a_changed_byte_is_noticed_or_was_never_signed() -> None:
    """One bit of each, of every third in certificates; the bits take turns, so that all eight are tried.

    What still verifies lies in a certificate that the chain does not use, or in the attribute that says of itself that
    it is not signed. Where the chain's own intermediate was changed, it is nobody's word any more.
    """
    unused, between, note = (
        place_of(STRANGER.der),
        place_of(BETWEEN.der),
        place_of(core.ObjectIdentifier(NOTE_TYPE).dump() + b"\x31\x06" + NOTE),
    )
    accepted, nobodys = set(), set()
    for place in range(len(TOKEN)):
        if place % 3 and any(place in part for part in (place_of(SIGNER.der), between, unused)):
            continue
        found = verified(TOKEN[:place] + bytes([TOKEN[place] ^ (1 << place % 8)]) + TOKEN[place + 1 :])
        if found is not None:
            assert says_no_more(found)
            (nobodys if found.no_later_than is None else accepted).add(place)
    assert accepted <= {*unused, *note}
    assert nobodys <= {*between}
    assert accepted & {*unused}, "the test would show nothing if these were refused"
    assert nobodys


@settings(deadline=None)
@given(place=st.integers(0, len(TOKEN) - 1), value=st.integers(0, 255))
def test_no_byte_makes_it_say_something_else(place: int, value: int) -> None:
    found = verified(TOKEN[:place] + bytes([value]) + TOKEN[place + 1 :])
    assert found is None or says_no_more(found)


@settings(deadline=None)
@given(start=st.integers(0, len(TOKEN)), length=st.integers(0, 40), instead=st.binary(max_size=40))
def test_no_splice_makes_it_say_something_else(start: int, length: int, instead: bytes) -> None:
    found = verified(TOKEN[:start] + instead + TOKEN[start + length :])
    assert found is None or says_no_more(found)


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    assert verified(data) is None
    with pytest.raises((TimestampInvalid, TimestampRefused)):
        read_response(data, request_for(Digest.of(forge.DATA), nonce=1))


@settings(deadline=None)
@given(st.integers(0, 20 * 365 * 86_400))
def test_a_time_is_believed_exactly_while_all_certificates_are_good(seconds: int) -> None:
    at = forge.START - timedelta(days=365) + timedelta(seconds=seconds)
    end = min(one.certificate.not_valid_after_utc for one in (ROOT, BETWEEN, SIGNER))
    found = verified(forge.token(SIGNER, at=at, certificates=forge.certificate_set(SIGNER.der, BETWEEN.der)))
    assert (found is not None) == (forge.START <= at < end)
