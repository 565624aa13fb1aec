"""What is private: the record of one event, in canonical JSON. The log has a salted commitment to it, and no more.

A record says what was handed in, and what was claimed about it. With the proof that the log has it, it shows that these
bytes and statements existed no later than the log's checkpoint: not who made them, nor that nobody had them before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from imgguard.errors import InputError, RecordInvalid
from imgguard.provenance import shapes
from imgguard.provenance.canonical import LARGEST_INTEGER, parse_canonical, to_canonical

VERSION = 1
LONGEST_RECORD = 262_144
DEEPEST_RECORD = 30

_NAME, _SENTENCE, _STATEMENT = 300, 2_000, 10_000
_MOST = 200


class Kind(StrEnum):
    """What happened."""

    REGISTRATION = "registration"
    WITHDRAWAL = "withdrawal"
    LICENCE = "licence"
    LICENCE_REVOCATION = "licence_revocation"
    FINDING = "finding"
    CLAIM = "claim"
    DECISION = "decision"
    CAPTURE = "capture"
    PACKET = "packet"
    KEY_ROTATION = "key_rotation"


class ProofKind(StrEnum):
    """What a claimant has beside the registered file."""

    CAMERA_ORIGINAL = "camera_original"
    RAW = "raw"
    NEIGHBOURING_FRAME = "neighbouring_frame"
    BEHIND_THE_SCENES = "behind_the_scenes"
    WORKING_FILE = "working_file"
    CATALOGUE = "catalogue"
    INVOICE = "invoice"
    CERTIFICATE = "certificate"
    OTHER = "other"


_CLAIMS = shapes.members(
    {},
    {
        "dates": shapes.list_of(shapes.members({"what": shapes.text(_NAME), "at": shapes.date_or_time}), _MOST),
        "places": shapes.list_of(shapes.text(_SENTENCE), _MOST),
        "urls": shapes.list_of(shapes.text(_SENTENCE), _MOST),
        "statement": shapes.text(_STATEMENT),
    },
)

_REGISTRATION = shapes.members(
    {
        "reference_id": shapes.text(_NAME),
        "file": shapes.members({"sha256": shapes.digest, "bytes": shapes.integer(1), "format": shapes.text(_NAME)}),
        "pixels": shapes.members(
            {
                "sha256": shapes.digest,
                "width": shapes.integer(1),
                "height": shapes.integer(1),
                "decoder": shapes.text(_SENTENCE),
            }
        ),
        "metadata": shapes.any_object,
        "claims": _CLAIMS,
        "proofs": shapes.list_of(
            shapes.members(
                {
                    "kind": shapes.one_of(frozenset(ProofKind)),
                    "sha256": shapes.digest,
                    "bytes": shapes.integer(1),
                    "name": shapes.text(_NAME),
                }
            ),
            _MOST,
        ),
        "claimant": shapes.members({"name": shapes.text(_NAME)}, {"public_key": shapes.digest}),
    }
)

_EVENT = shapes.members(
    {"subject": shapes.text(_NAME), "occurred_at": shapes.time},
    {"digests": shapes.map_of(shapes.text(_NAME), shapes.digest, _MOST), "facts": shapes.any_object},
)

_DOCUMENT = shapes.members({"v": shapes.integer(1), "kind": shapes.one_of(frozenset(Kind)), "body": shapes.any_object})


@dataclass(frozen=True, slots=True)
class Record:
    """``body`` has the members that its kind asks for (docs/evidence-format.md); it is not to be changed.

    Raises RecordInvalid when it has not.
    """

    kind: Kind
    body: Mapping[str, Any] = field(repr=False)

    def __post_init__(self) -> None:
        (_REGISTRATION if self.kind is Kind.REGISTRATION else _EVENT)(self.body, "body")

    def to_bytes(self) -> bytes:
        """In canonical JSON. Raises InputError for what has no such form, or is too long."""
        data = to_canonical({"v": VERSION, "kind": self.kind.value, "body": self.body}, deepest=DEEPEST_RECORD)
        if len(data) > LONGEST_RECORD:
            raise InputError(f"this is not a record: {len(data)} bytes, and at most {LONGEST_RECORD} are read")
        return data

    @property
    def claimant_key(self) -> bytes | None:
        """The public key that a registration names, 32 bytes."""
        claimant = self.body.get("claimant") if self.kind is Kind.REGISTRATION else None
        return bytes.fromhex(claimant["public_key"]) if claimant and "public_key" in claimant else None


def parse_record(data: bytes) -> Record:
    """Raises NotCanonical, RecordInvalid."""
    value = parse_canonical(data, most_bytes=LONGEST_RECORD, deepest=DEEPEST_RECORD)
    _DOCUMENT(value, "the record")
    if value["v"] != VERSION:
        raise RecordInvalid(f"records of version {value['v']} are not known", hint="Use a newer version of imgguard.")
    return Record(Kind(value["kind"]), value["body"])


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """Of the file as it was handed in."""

    sha256: str
    byte_length: int
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFacts:
    """Of what ``decoder``, with its version, made of the file: a change of its comments leaves them as they are."""

    sha256: str
    width: int
    height: int
    decoder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the claimant says, and nobody has checked. ``dates`` are pairs: of what, and when."""

    dates: Sequence[tuple[str, str]] = ()
    places: Sequence[str] = ()
    urls: Sequence[str] = ()
    statement: str | None = None

    def to_object(self) -> dict[str, Any]:
        """As plain JSON, without what is empty."""
        claimed = {
            "dates": [{"what": what, "at": at} for what, at in self.dates],
            "places": list(self.places),
            "urls": list(self.urls),
            "statement": self.statement,
        }
        return {name: value for name, value in claimed.items() if value}


def claims_of(value: object) -> Claims:
    """The claims that ``value``, plain JSON, has. Raises RecordInvalid, which names the member."""
    found: Mapping[str, Any] = shapes.checked(value, _CLAIMS, "claims")
    return Claims(
        dates=tuple((date["what"], date["at"]) for date in found.get("dates", ())),
        places=tuple(found.get("places", ())),
        urls=tuple(found.get("urls", ())),
        statement=found.get("statement"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFile:
    """A file that the claimant holds back: its digest is committed to, the file is not stored."""

    kind: ProofKind
    sha256: str
    byte_length: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimantFacts:
    """Whoever registers. ``public_key`` is there when, and only when, the claimant signs the commitment."""

    name: str
    public_key: bytes | None = None


def registration_record(
    reference_id: str,
    *,
    file: FileFacts,
    pixels: PixelFacts,
    claimant: ClaimantFacts,
    metadata: Mapping[str, Any] | None = None,
    claims: Claims | None = None,
    proofs: Sequence[HeldFile] = (),
) -> Record:
    """That ``claimant`` handed in ``file``. Raises InputError for what cannot be in a record.

    ``metadata`` are facts that were read from the file (EXIF, XMP, C2PA) as plain JSON; integers beyond 2^53 - 1
    become texts.
    """
    key = {} if claimant.public_key is None else {"public_key": claimant.public_key.hex()}
    body = {
        "reference_id": reference_id,
        "file": {"sha256": file.sha256, "bytes": file.byte_length, "format": file.format},
        "pixels": {
            "sha256": pixels.sha256,
            "width": pixels.width,
            "height": pixels.height,
            "decoder": pixels.decoder,
        },
        "metadata": _plain(metadata or {}),
        "claims": (claims or Claims()).to_object(),
        "proofs": [
            {"kind": ProofKind(one.kind).value, "sha256": one.sha256, "bytes": one.byte_length, "name": one.name}
            for one in proofs
        ],
        "claimant": {"name": claimant.name, **key},
    }
    return _built(Kind.REGISTRATION, body)


def event_record(
    kind: Kind,
    *,
    subject: str,
    occurred_at: str,
    digests: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Record:
    """Of any other kind: what happened to ``subject`` (an id), and when; ``digests`` are of documents, by name.

    Raises InputError for what cannot be in a record.
    """
    body: dict[str, Any] = {"subject": subject, "occurred_at": occurred_at}
    if digests:
        body["digests"] = dict(digests)
    if facts:
        body["facts"] = _plain(facts)
    return _built(kind, body)


def _built(kind: Kind, body: dict[str, Any]) -> Record:
    try:
        record = Record(kind, body)
    except RecordInvalid as error:
        raise InputError(f"this cannot be in a record: {error.detail}") from error
    record.to_bytes()
    return record


def _plain(value: Any, depth: int = 0) -> Any:
    """With lists for tuples, and texts for integers that JSON has not exactly."""
    if depth > DEEPEST_RECORD:
        raise InputError("these metadata are nested too deep")
    if isinstance(value, Mapping):
        return {name: _plain(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, depth + 1) for one in value]
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return str(value)
    return value
