"""Private records: what goes in, and that it comes out the same."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from small_log import CLAIMANT, registration

from imgguard.errors import InputError, NotCanonical, RecordInvalid, VerificationError
from imgguard.provenance.canonical import parse_canonical, to_canonical
from imgguard.provenance.records import (
    LONGEST_RECORD,
    ClaimantFacts,
    Claims,
    FileFacts,
    HeldFile,
    Kind,
    PixelFacts,
    ProofKind,
    Record,
    event_record,
    parse_record,
    registration_record,
)

DIGEST = sha256(b"").hexdigest()
FILE = FileFacts(sha256=DIGEST, byte_length=1, format="PNG")
PIXELS = PixelFacts(sha256=DIGEST, width=1, height=1, decoder="pillow 13.0.0")
ADA = ClaimantFacts(name="Ada")


def document(record: Record) -> Any:
    return parse_canonical(record.to_bytes(), most_bytes=LONGEST_RECORD)


def test_a_registration_says_what_was_handed_in_and_what_was_claimed() -> None:
    found = document(registration())
    assert found.keys() == {"v", "kind", "body"}
    assert (found["v"], found["kind"]) == (1, "registration")
    assert found["body"] == {
        "reference_id": "ref_01jnv7w3d5f7h9k1n3q5s7v9x1",
        "file": {"sha256": sha256(b"file").hexdigest(), "bytes": 2_480_113, "format": "JPEG"},
        "pixels": {
            "sha256": sha256(b"pixels").hexdigest(),
            "width": 4000,
            "height": 3000,
            "decoder": "pillow 13.0.0",
        },
        "metadata": {"exif": {"Model": "X-T5", "FNumber": 5.6}},
        "claims": {"dates": [{"what": "taken", "at": "2026-02-27"}], "statement": "Taken in our studio."},
        "proofs": [{"kind": "raw", "sha256": sha256(b"raw").hexdigest(), "bytes": 41_000_000, "name": "1.raf"}],
        "claimant": {"name": "Ada Studio", "public_key": CLAIMANT.public_key().public_bytes_raw().hex()},
    }


def test_a_record_is_read_as_it_was_written() -> None:
    record = registration()
    assert parse_record(record.to_bytes()) == record
    assert record.claimant_key == CLAIMANT.public_key().public_bytes_raw()
    plain = registration_record("ref_1", file=FILE, pixels=PIXELS, claimant=ADA)
    assert parse_record(plain.to_bytes()) == plain
    assert plain.claimant_key is None
    assert plain.body["claims"] == plain.body["metadata"] == {}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.REGISTRATION])
def test_other_events_have_a_subject_a_time_and_what_else_there_is_to_say(kind: Kind) -> None:
    record = event_record(
        kind,
        subject="ref_1",
        occurred_at="2026-03-01T12:00:00.123Z",
        digests={"report.pdf": DIGEST},
        facts={"size": 2**53, "list": (1, -(2**70), True)},
    )
    assert parse_record(record.to_bytes()) == record
    assert record.body["facts"] == {"size": "9007199254740992", "list": [1, "-1180591620717411303424", True]}
    assert record.claimant_key is None
    with pytest.raises(InputError):
        event_record(Kind.REGISTRATION, subject="ref_1", occurred_at="2026-03-01T12:00:00Z")


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00:00+00:00",
        "2026-03-01t12:00:00z",
        "2026-03-01 12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:60Z",
        "2026-03-01T12:00:00.1Z",
        "2026-03-01T12:00:00.123456Z",
        "0000-03-01T12:00:00Z",
        "２026-03-01T12:00:00Z",
        "2026-03-01T12:00:00Z\n",
        "",
    ],
)
def test_times_are_utc_in_one_form(time: str) -> None:
    with pytest.raises(InputError, match="occurred_at"):
        event_record(Kind.CLAIM, subject="ref_1", occurred_at=time)


@pytest.mark.parametrize("date", ["2026", "2026-02", "2024-02-29", "2026-03-01T12:00:00Z"])
def test_claimed_dates(date: str) -> None:
    claims = Claims(dates=[("published", date)])
    assert registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, claims=claims)


@pytest.mark.parametrize(
    "make",
    [
        lambda: registration_record("", file=FILE, pixels=PIXELS, claimant=ADA),
        lambda: registration_record("r" * 301, file=FILE, pixels=PIXELS, claimant=ADA),
        lambda: registration_record("\ud800", file=FILE, pixels=PIXELS, claimant=ADA),
        lambda: registration_record("r", file=FILE, pixels=PIXELS, claimant=ClaimantFacts(name="")),
        lambda: registration_record(
            "r", file=FILE, pixels=PIXELS, claimant=ClaimantFacts(name="Ada", public_key=b"\1" * 31)
        ),
        lambda: registration_record(
            "r",
            file=FileFacts(sha256=DIGEST.upper(), byte_length=1, format="PNG"),
            pixels=PIXELS,
            claimant=ADA,
        ),
        lambda: registration_record(
            "r", file=FileFacts(sha256=DIGEST, byte_length=0, format="PNG"), pixels=PIXELS, claimant=ADA
        ),
        lambda: registration_record(
            "r", file=FileFacts(sha256=DIGEST, byte_length=2**53, format="PNG"), pixels=PIXELS, claimant=ADA
        ),
        lambda: registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, metadata={"a": float("nan")}),
        lambda: registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, metadata={"a": b"bytes"}),
        lambda: registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, metadata={"a": "x" * 300_000}),
        lambda: registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, metadata=nested(100)),
        lambda: registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, metadata=nested(28)),
        lambda: registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, claims=Claims(urls=[""])),
        lambda: registration_record(
            "r", file=FILE, pixels=PIXELS, claimant=ADA, claims=Claims(dates=[("taken", "last summer")])
        ),
        lambda: registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, claims=Claims(places=["here"] * 201)),
        lambda: event_record(Kind.CLAIM, subject="r", occurred_at="2026-03-01T12:00:00Z", digests={"a": "b"}),
        lambda: event_record(Kind.CLAIM, subject="r", occurred_at="2026-03-01T12:00:00Z", digests={"": DIGEST}),
    ],
)
def test_what_cannot_be_in_a_record(make: Callable[[], Record]) -> None:
    with pytest.raises(InputError):
        make()


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def test_metadata_may_be_nested_as_deep_as_is_read() -> None:
    record = registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, metadata=nested(27))
    assert parse_record(record.to_bytes()) == record


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.pop("v"),
        lambda value: value.update(v=2),
        lambda value: value.update(v=True),
        lambda value: value.update(v="1"),
        lambda value: value.update(kind="invention"),
        lambda value: value.update(kind=["registration"]),
        lambda value: value.update(more=1),
        lambda value: value.update(body=[]),
        lambda value: value["body"].pop("claims"),
        lambda value: value["body"].update(author="Ada"),
        lambda value: value["body"]["file"].update(bytes=True),
        lambda value: value["body"]["file"].update(bytes=1.5),
        lambda value: value["body"]["pixels"].update(sha256=DIGEST[:-1]),
        lambda value: value["body"]["pixels"].update(sha256=DIGEST.upper()),
        lambda value: value["body"]["proofs"].append("a proof"),
        lambda value: value["body"]["proofs"][0].update(kind="selfie"),
        lambda value: value["body"]["claimant"].update(public_key=None),
        lambda value: value["body"]["claims"].update(first=True),
    ],
)
def test_what_is_no_record_is_refused(change: Callable[[Any], object]) -> None:
    value = document(registration())
    change(value)
    with pytest.raises(RecordInvalid):
        parse_record(to_canonical(value))


def test_other_spellings_and_long_ones_are_refused() -> None:
    data = registration().to_bytes()
    for other in (data + b"\n", data.replace(b":", b": ", 1), b"\xef\xbb\xbf" + data, b"", b"[]", b"null"):
        with pytest.raises(VerificationError):
            parse_record(other)
    with pytest.raises(NotCanonical):
        parse_record(b'"' + b"x" * LONGEST_RECORD + b'"')


def test_words_for_proofs_are_those_of_the_documentation() -> None:
    held = [HeldFile(kind=kind, sha256=DIGEST, byte_length=1, name=kind.value) for kind in ProofKind]
    record = registration_record("r", file=FILE, pixels=PIXELS, claimant=ADA, proofs=held)
    assert [one["kind"] for one in record.body["proofs"]] == [
        "camera_original",
        "raw",
        "neighbouring_frame",
        "behind_the_scenes",
        "working_file",
        "catalogue",
        "invoice",
        "certificate",
        "other",
    ]
