"""What the verifier reads of `packet.json`: that which records, proofs and files can confirm. The rest is the sealer's
word, which nothing here can check."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imgguard.errors import NotCanonical, PacketInvalid, RecordInvalid
from imgguard.evidence.packet.verifying.layout import (
    ANCHOR,
    ANCHOR_PROOF,
    CAPTURE,
    LEAF,
    OPENING,
    PACKET,
    PROOF,
    RECORD,
    finding_folder,
    is_name,
    is_timestamp,
    reference_folder,
)
from imgguard.provenance import shapes
from imgguard.provenance.canonical import parse_canonical
from imgguard.provenance.records import Kind

VERSION = 1
LONGEST = 16 * 1024**2
MOST_OF_EACH = 2_000

_LONG = 20_000


def _having(required: Mapping[str, shapes.Check], optional: Mapping[str, shapes.Check] | None = None) -> shapes.Check:
    """An object that has the ``required`` members, and perhaps the ``optional`` ones; of others nothing is said."""

    def check(value: object, where: str) -> None:
        if not isinstance(value, dict) or not required.keys() <= value.keys():
            shapes.fail(where, f"an object with {', '.join(sorted(required))}")
            return
        for name, one in {**required, **(optional or {})}.items():
            if name in value:
                one(value[name], f"{where}.{name}")

    return check


def _or_none(each: shapes.Check) -> shapes.Check:
    def check(value: object, where: str) -> None:
        if value is not None:
            each(value, where)

    return check


def _any_text(value: object, where: str) -> None:
    if not isinstance(value, str) or len(value) > _LONG:
        shapes.fail(where, f"a text of at most {_LONG} characters")


def _path(value: object, where: str) -> None:
    if not isinstance(value, str) or not is_name(value):
        shapes.fail(where, "the name of a file in a packet")


def _moment(value: object, where: str) -> None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and value.endswith("Z") else None
    except ValueError:
        found = None
    if found is None:
        shapes.fail(where, "a time in UTC")


_BOUND = _having(
    {
        "at": _moment,
        "by": _any_text,
        "trust": shapes.one_of(("qualified", "independent", "self_issued", "unknown")),
        "basis": shapes.one_of(("timestamp", "cosignature", "log")),
        "file": _or_none(_path),
    }
)
_CLAIMS = _having(
    {
        "dates": shapes.list_of(_having({"event": _any_text, "value": _any_text}), MOST_OF_EACH),
        "places": shapes.list_of(_any_text, MOST_OF_EACH),
        "urls": shapes.list_of(_any_text, MOST_OF_EACH),
        "statement": _or_none(_any_text),
    }
)
_ATTACHED = _having(
    {
        "kind": _any_text,
        "name": _any_text,
        "sha256": shapes.digest,
        "bytes": shapes.integer(0),
        "path": _or_none(_path),
    }
)
_ANCHOR = _having(
    {
        "proof": _path,
        "file": _path,
        "blocks": shapes.list_of(shapes.integer(0), MOST_OF_EACH),
        "calendars": shapes.list_of(_any_text, MOST_OF_EACH),
    }
)
_REFERENCE = _having(
    {
        "reference_id": shapes.text(_LONG),
        "registered_by": _or_none(_any_text),
        "file": _having({"sha256": shapes.digest, "bytes": shapes.integer(0)}),
        "pixels": _having(
            {
                "sha256": shapes.digest,
                "width": shapes.integer(1),
                "height": shapes.integer(1),
                "decoder": _any_text,
            }
        ),
        "claims": _CLAIMS,
        "metadata": shapes.any_object,
        "proofs": shapes.list_of(_ATTACHED, MOST_OF_EACH),
        "existed_no_later_than": shapes.list_of(_BOUND, MOST_OF_EACH),
        **dict.fromkeys(("asset", "thumbnail", "record", "opening", "leaf", "log_proof"), _or_none(_path)),
    },
    {"anchor": _or_none(_ANCHOR)},
)
_FINDING = _having(
    {
        "finding_id": shapes.text(_LONG),
        "listing": _having(
            {"sha256": shapes.digest, "asset": _or_none(_path), "thumbnail": _or_none(_path)},
            {"url": _or_none(_any_text), "fetched_at": _or_none(_moment)},
        ),
        "pictures": shapes.map_of(_any_text, _path, MOST_OF_EACH),
        "proofs": shapes.list_of(_path, MOST_OF_EACH),
    }
)
_STATEMENT = _having(
    {
        "version": shapes.integer(VERSION),
        "packet_id": shapes.text(_LONG),
        "created_at": _moment,
        "references": shapes.list_of(_REFERENCE, MOST_OF_EACH),
        "findings": shapes.list_of(_FINDING, MOST_OF_EACH),
        "files": shapes.list_of(
            _having({"path": _path, "sha256": shapes.digest, "bytes": shapes.integer(0)}), 5 * MOST_OF_EACH
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A reference, a finding, or the capture of a finding's listing picture: what one record of the log is about.

    ``kind`` is that of the record. ``stated`` is what `packet.json` says of it, of a capture that of its finding;
    ``folder`` is where its files lie; ``what`` names it in sentences. A finding need not be in the log, a reference
    must be, and there is a capture only if it is.
    """

    what: str
    folder: str
    stated: Mapping[str, Any]
    kind: Kind

    @property
    def is_reference(self) -> bool:
        return self.kind is Kind.REGISTRATION

    @property
    def is_logged(self) -> bool:
        """Whether it should have record, opening, leaf and proof."""
        return self.is_reference or bool(self.proofs)

    @property
    def proofs(self) -> list[str]:
        """Files of its record, as `packet.json` names them: of a finding those of its capture are not among them."""
        if self.is_reference:
            return [self.stated[key] for key in ("record", "opening", "leaf", "log_proof") if self.stated[key]]
        if self.kind is Kind.CAPTURE:
            return [path for path in self.stated["proofs"] if path.startswith(self.folder)]
        return [path for path in self.stated["proofs"] if not path.startswith(self.folder + CAPTURE)]

    @property
    def tokens(self) -> tuple[str, ...]:
        """The names of its timestamp tokens."""
        named = [bound["file"] for bound in self.bounds if bound["basis"] == "timestamp"]
        named += [] if self.is_reference else self.proofs
        return tuple(dict.fromkeys(name for name in named if name and is_timestamp(name, self.folder)))

    @property
    def bounds(self) -> list[Mapping[str, Any]]:
        """The times that `packet.json` states."""
        return list(self.stated["existed_no_later_than"]) if self.is_reference else []

    @property
    def is_anchored(self) -> bool:
        """Whether it should have `ANCHOR_PROOF` and `ANCHOR`. Packets from before there were any say nothing of it."""
        if self.is_reference:
            return self.stated.get("anchor") is not None
        return not {self.of_log(ANCHOR_PROOF), self.of_log(ANCHOR)}.isdisjoint(self.stated["proofs"])

    def of_log(self, name: str) -> str:
        """The name in the packet of `RECORD`, `OPENING`, `LEAF`, `PROOF`, `ANCHOR_PROOF` or `ANCHOR`."""
        return self.folder + name

    def paths(self) -> Iterator[str]:
        """Every file that `packet.json` names for it."""
        one = self.stated
        yield from self.proofs
        if self.is_anchored:
            yield from (self.of_log(ANCHOR_PROOF), self.of_log(ANCHOR))
        if self.is_reference:
            yield from (one[key] for key in ("asset", "thumbnail") if one[key])
            yield from (proof["path"] for proof in one["proofs"] if proof["path"])
            yield from (bound["file"] for bound in self.bounds if bound["file"])
        elif self.kind is Kind.FINDING:
            yield from (one["listing"][key] for key in ("asset", "thumbnail") if one["listing"][key])
            yield from one["pictures"].values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`packet.json`, as far as it can be confirmed. ``files``: SHA-256 and size of each file that it lists, by name."""

    packet_id: str
    created_at: datetime
    subjects: tuple[Subject, ...]
    files: Mapping[str, tuple[str, int]]


def parse_statement(data: bytes) -> Statement:
    """Of the bytes of `packet.json`, which are canonical JSON. Raises PacketInvalid."""
    try:
        value = shapes.checked(parse_canonical(data, most_bytes=LONGEST), _STATEMENT, PACKET)
    except (NotCanonical, RecordInvalid) as error:
        raise PacketInvalid(error.detail, reason=error.code, file=PACKET) from error
    if value["version"] != VERSION:
        raise PacketInvalid(f"version {value['version']} is not known", reason="version", file=PACKET)
    files = {one["path"]: (one["sha256"], one["bytes"]) for one in value["files"]}
    if len(files) < len(value["files"]):
        raise PacketInvalid("it lists a file twice", reason="name_twice", file=PACKET)
    references, findings = value["references"], value["findings"]
    subjects = [
        *_subjects(Kind.REGISTRATION, "reference", references, reference_folder),
        *_subjects(Kind.FINDING, "finding", findings, finding_folder),
    ]
    captures = list(_captures(subjects))
    return Statement(
        packet_id=value["packet_id"],
        created_at=moment_of(value["created_at"]),
        subjects=(*subjects, *captures),
        files=files,
    )


def moment_of(text: str) -> datetime:
    """A time as `packet.json` and leaves write it."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _subjects(kind: Kind, name: str, stated: list[dict[str, Any]], folder: Callable[[int], str]) -> Iterator[Subject]:
    ids = [one[f"{name}_id"] for one in stated]
    if len(set(ids)) < len(ids):
        raise PacketInvalid(f"it has a {name} twice", reason="name_twice", file=PACKET)
    for number, one in enumerate(stated, start=1):
        subject = Subject(what=f"{name} {ids[number - 1]}", folder=folder(number), stated=one, kind=kind)
        _check_paths(subject)
        yield subject


def _captures(subjects: Sequence[Subject]) -> Iterator[Subject]:
    """Of those findings whose listing picture was fetched. Raises PacketInvalid for a URL that no record shows."""
    for one in subjects:
        if one.kind is not Kind.FINDING:
            continue
        capture = Subject(
            what=f"the capture of {one.what}", folder=one.folder + CAPTURE, stated=one.stated, kind=Kind.CAPTURE
        )
        if capture.is_logged:
            _check_paths(capture)
            yield capture
        elif any(one.stated["listing"].get(name) is not None for name in ("url", "fetched_at")):
            detail = f"it says where the listing picture of {one.what} was fetched, and no record shows that"
            raise PacketInvalid(detail, reason="not_captured", file=PACKET)


def _check_paths(subject: Subject) -> None:
    """All lie in its own folder; those of the log have their own names. Raises PacketInvalid."""
    for path in subject.paths():
        if not path.startswith(subject.folder):
            raise PacketInvalid(f"it is named for {subject.what} and lies elsewhere", reason="path", file=path)
    if subject.is_reference:
        wanted = {"record": RECORD, "opening": OPENING, "leaf": LEAF, "log_proof": PROOF}
        for key, name in wanted.items():
            if subject.stated[key] != subject.of_log(name):
                raise PacketInvalid(f"{subject.what} has no {key}", reason="not_logged", file=subject.of_log(name))
        anchor = subject.stated.get("anchor") or {}
        for key, name in {"proof": ANCHOR_PROOF, "file": ANCHOR}.items() if anchor else ():
            if anchor[key] != subject.of_log(name):
                raise PacketInvalid(f"the anchor of {subject.what} is elsewhere", reason="path", file=anchor[key])
    elif subject.is_logged:
        missing = {subject.of_log(name) for name in (RECORD, OPENING, LEAF, PROOF)} - set(subject.proofs)
        if missing:
            raise PacketInvalid(f"{subject.what} lacks it", reason="not_logged", file=min(missing))
