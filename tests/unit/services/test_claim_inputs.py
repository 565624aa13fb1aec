"""What people state: accepted as it is, or refused by the name of what is wrong."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgguard.errors import InputError
from imgguard.provenance.canonical import to_canonical
from imgguard.provenance.records import LONGEST_RECORD, Claims, Kind, claims_of, event_record
from imgguard.services.claim_inputs import LONGEST_CLAIMS, checked_claims, claims_in, joined
from imgguard.services.claim_tables import claims_by_file

OSLO, BERGEN = Claims(places=("Oslo",)), Claims(places=("Bergen",))


def test_what_is_accepted_fits_into_a_record() -> None:
    statement = "x" * 10_000
    claims = checked_claims({"places": ["é" * 2_000] * 22, "statement": statement})
    data = event_record(
        Kind.CLAIM, subject="ref_1", occurred_at="2026-03-01T12:00:00Z", facts={"claims": claims.to_object()}
    ).to_bytes()
    assert LONGEST_CLAIMS * 0.9 < len(to_canonical(claims.to_object())) <= LONGEST_CLAIMS
    assert len(data) < LONGEST_RECORD
    with pytest.raises(InputError, match="100000 bytes"):
        checked_claims({"places": ["é" * 2_000] * 26})


def test_what_is_given_comes_back() -> None:
    value = {
        "dates": [{"what": "taken", "at": "2026"}, {"what": "sold", "at": "2026-02-01T10:00:00Z"}],
        "places": ["Oslo"],
        "urls": ["HTTPS://a.example"],
        "statement": "First line.\n\tSecond line.",
    }
    assert checked_claims(value).to_object() == value
    assert claims_of(value) == checked_claims(value)


@pytest.mark.parametrize(
    "text", ["null", "[]", '"Oslo"', "{}", '{"places": []}', '{"statement": ""}', '{"places": [1]}']
)
def test_what_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        claims_in(text)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"places": [NaN]}', '{"a": 1, "a": 2}', "\ufeff{}", "1" * 5_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        claims_in(text)


_values = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["dates", "what", "at", "places", "urls", "statement"]), inner)
    ),
)


@given(st.text(max_size=200))
def test_any_text_is_accepted_or_refused(text: str) -> None:
    with suppress(InputError):
        claims_in(text)
    for is_csv in (True, False):
        with suppress(InputError):
            claims_by_file(text, is_csv=is_csv)


@given(_values)
def test_any_value_is_accepted_or_refused(value: object) -> None:
    with suppress(InputError):
        checked_claims(value)


def test_several_are_one_without_repeating_anything() -> None:
    assert joined(None, None) is None
    assert joined(OSLO, None, BERGEN, OSLO) == Claims(places=("Oslo", "Bergen"))
    with pytest.raises(InputError, match="two different statements"):
        joined(Claims(statement="a"), Claims(statement="b"))


def test_lines_of_a_table_about_the_same_file_are_one() -> None:
    table = "\ufefffile,place\r\na.jpg,Oslo\r\n\r\nb.jpg,Bergen\r\na.jpg,Bergen\r\n"
    assert claims_by_file(table, is_csv=True) == {"a.jpg": Claims(places=("Oslo", "Bergen")), "b.jpg": BERGEN}
