"""Step 4: what `packet.json` states, the records, the leaves of the log and the files are about the same things."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgguard.errors import LeafInvalid, PacketInvalid
from imgguard.evidence.packet.verifying import layout
from imgguard.evidence.packet.verifying.container import Container
from imgguard.evidence.packet.verifying.statement import Statement, Subject, moment_of
from imgguard.provenance.leaves import LONGEST_LEAF, LONGEST_OPENING, Leaf, open_leaf, parse_leaf, parse_opening
from imgguard.provenance.proofs import LONGEST_FILE
from imgguard.provenance.records import LONGEST_RECORD, Kind, Record

_FIXED = frozenset((layout.MIMETYPE, layout.MANIFEST, layout.SEAL, *layout.UNLISTED, layout.CHECKPOINT, layout.POLICY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A subject that is in the log: its leaf, and the file that proves that, which is not verified yet."""

    subject: Subject
    leaf: Leaf
    leaf_bytes: bytes
    proof: bytes

    @property
    def proof_file(self) -> str:
        """Its name in the packet."""
        return self.subject.of_log(layout.PROOF)


def check_records(statement: Statement, container: Container) -> tuple[Entry, ...]:
    """The entries of the log that the packet is about.

    1  `packet.json` lists all files, with their digests and sizes, and nothing is there that it does not explain
    2  the time of the ZIP is that of `packet.json`
    3  salts, records, keys and signatures of claimants open the leaves
    4  the record of each reference says of it what `packet.json` says, that of each finding is about it, and that of
       each capture says where and when its listing picture was fetched
    5  originals, attached files and listings have the digests that were registered or checked

    Raises PacketInvalid, with the file.
    """
    # 1
    _check_files(statement, container)
    # 2
    if abs((container.made_at - statement.created_at).total_seconds()) >= 2:
        raise PacketInvalid("the ZIP has another time", reason="time_differs", file=layout.PACKET)
    entries = []
    for subject in statement.subjects:
        if subject.is_logged:
            # 3
            entry, record = _opened(subject, container)
            # 4
            _check_record(subject, record)
            _check_document(subject, record, container)
            entries.append(entry)
        # 5
        for path, digest, size in _contents(subject):
            member = container.members[path]
            if member.sha256 != digest or size not in (None, member.size):
                detail = f"this is not the file that {subject.what} is about"
                raise PacketInvalid(detail, reason="other_file", file=path)
    return tuple(entries)


def _check_files(statement: Statement, container: Container) -> None:
    named = {path for subject in statement.subjects for path in subject.paths()}
    for name in (*sorted(layout.UNLISTED), *sorted(statement.files), *sorted(named)):
        if name not in container.members:
            raise PacketInvalid("packet.json names this file, and it is missing", reason="missing", file=name)
    for name, member in container.members.items():
        if name not in _FIXED and name not in named and not name.startswith(layout.VERIFIER):
            raise PacketInvalid("nothing says what this file is for", reason="not_explained", file=name)
        if name in layout.UNLISTED or name == layout.MIMETYPE or name.startswith(layout.META):
            if name in statement.files:
                raise PacketInvalid("packet.json lists this file, and cannot", reason="not_explained", file=name)
        elif statement.files.get(name) != (member.sha256, member.size):
            raise PacketInvalid("packet.json does not list this file, or another", reason="other_file", file=name)


def _opened(subject: Subject, container: Container) -> tuple[Entry, Record]:
    opening_file, leaf_file = subject.of_log(layout.OPENING), subject.of_log(layout.LEAF)
    leaf = container.read(leaf_file, most_bytes=LONGEST_LEAF)
    try:
        opening = parse_opening(container.read(opening_file, most_bytes=LONGEST_OPENING))
        record = open_leaf(leaf, opening)
    except LeafInvalid as error:
        raise PacketInvalid(error.detail, reason=error.code, file=opening_file) from error
    record_file = subject.of_log(layout.RECORD)
    if container.read(record_file, most_bytes=LONGEST_RECORD) != opening.record:
        raise PacketInvalid("it is not the record of the opening", reason="other_record", file=record_file)
    proof = container.read(subject.of_log(layout.PROOF), most_bytes=LONGEST_FILE)
    return Entry(subject=subject, leaf=parse_leaf(leaf), leaf_bytes=leaf, proof=proof), record


def _check_record(subject: Subject, record: Record) -> None:
    differing = "kind" if record.kind is not subject.kind else next(_differences(subject, record.body), None)
    if differing is not None:
        detail = f"packet.json says something else of {subject.what}: {differing}"
        reason = "other_capture" if subject.kind is Kind.CAPTURE else "other_record"
        raise PacketInvalid(detail, reason=reason, file=subject.of_log(layout.RECORD))


def _differences(subject: Subject, body: Mapping[str, Any]) -> Iterator[str]:
    """What differs. What a record does not have, such as the camera, is not compared: `packet.json` alone says it."""
    if subject.kind is Kind.CAPTURE:
        yield from _capture_differences(subject.stated, body)
    elif subject.kind is Kind.FINDING:
        yield from _finding_differences(subject.stated, body)
    else:
        yield from _reference_differences(subject.stated, body)


def _finding_differences(stated: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[str]:
    if body["subject"] != stated["finding_id"]:
        yield "finding_id"
    if body.get("digests", {}).get("query") not in (None, stated["listing"]["sha256"]):
        yield "listing"
    if body.get("facts", {}).get("verdict") not in (None, stated.get("verdict")):
        yield "verdict"


def _capture_differences(stated: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[str]:
    """A capture is nothing without what was fetched, from where and when: all of it has to be in both."""
    listing = stated["listing"]
    if body["subject"] != stated["finding_id"]:
        yield "finding_id"
    if body.get("digests", {}).get("query") != listing["sha256"]:
        yield "listing"
    url, fetched_at = listing.get("url"), listing.get("fetched_at")
    if url is None or body.get("facts", {}).get("url") != url:
        yield "url"
    if fetched_at is None or moment_of(body["occurred_at"]) != moment_of(fetched_at):
        yield "fetched_at"


def _reference_differences(stated: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[str]:
    if body["reference_id"] != stated["reference_id"]:
        yield "reference_id"
    for part in ("file", "pixels"):
        both = body[part].keys() & stated[part].keys()
        if any(body[part][name] != stated[part][name] for name in both):
            yield part
    if stated["registered_by"] not in (None, body["claimant"]["name"]):
        yield "registered_by"
    if _claimed(body["claims"], date="what", value="at") != _claimed(stated["claims"], date="event", value="value"):
        yield "claims"
    keys = ("kind", "name", "sha256", "bytes")
    if [[one[key] for key in keys] for one in body["proofs"]] != [
        [one[key] for key in keys] for one in stated["proofs"]
    ]:
        yield "proofs"
    metadata = body["metadata"]
    if metadata.get("file_name", stated["file"].get("name")) != stated["file"].get("name"):
        yield "file name"
    if "declared_times" in metadata and not all(
        any(said.items() <= logged.items() for logged in metadata["declared_times"])
        for said in stated["metadata"].get("times", [])
    ):
        yield "times of the file's metadata"


def _check_document(subject: Subject, record: Record, container: Container) -> None:
    if subject.kind is not Kind.FINDING:
        return
    name = subject.of_log(layout.DOCUMENT)
    wanted = record.body.get("digests", {}).get("document")
    if name in container.members and container.members[name].sha256 != wanted:
        raise PacketInvalid(f"the record of {subject.what} is of another document", reason="other_file", file=name)


def _claimed(claims: Mapping[str, Any], *, date: str, value: str) -> tuple[Any, ...]:
    dates = [(one[date], one[value]) for one in claims.get("dates", [])]
    return dates, claims.get("places", []), claims.get("urls", []), claims.get("statement")


def _contents(subject: Subject) -> Iterator[tuple[str, str, int | None]]:
    """Files of which `packet.json` says what their bytes are: name, SHA-256, and the size if it says that too."""
    one = subject.stated
    if subject.is_reference:
        if one["asset"]:
            yield one["asset"], one["file"]["sha256"], one["file"]["bytes"]
        yield from ((proof["path"], proof["sha256"], proof["bytes"]) for proof in one["proofs"] if proof["path"])
    elif subject.kind is Kind.FINDING and one["listing"]["asset"]:
        yield one["listing"]["asset"], one["listing"]["sha256"], None
