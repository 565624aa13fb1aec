"""Evidence packets, built from the store: of everything for whoever runs the machine, of what is theirs for members.

What a member may put in, `packet_subjects` decides; `member_packets` is what serves members. Importing this imports
Typst, which keeps hundreds of megabytes once it has set a page: the service has a process of its own for that.
"""

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from imgguard import __version__
from imgguard.errors import InputError
from imgguard.evidence.packet.building import build_packet
from imgguard.evidence.packet.contents import FindingContents, PacketContents, ReferenceContents
from imgguard.evidence.packet.model import MadeBy, Packet, Purpose
from imgguard.evidence.packet.verifying.layout import PACKET
from imgguard.ports import Clock, LogStore
from imgguard.provenance.records import Kind, event_record
from imgguard.provenance.trust import Trust
from imgguard.registry.access import Actor
from imgguard.registry.ids import new_id
from imgguard.services.bulk import in_order
from imgguard.services.installation import Installation
from imgguard.services.invitations import checked_name
from imgguard.services.packet_findings import ChosenMatch, PacketFindings
from imgguard.services.packet_references import PacketReferences
from imgguard.services.packet_subjects import subjects_of
from imgguard.services.transparency import CHECKPOINT, Transparency

MOST_SUBJECTS = 100

MOST_BYTES_OF_MEMBERS = 200_000_000
"""Of all originals and listing pictures in one packet: they are held in memory, some times over while it is sealed."""


class Packets:
    """Thread safe. ``trust`` is whom the operator believes, by which each packet says how independent its times
    are. ``threads``: on how many the pictures are drawn."""

    def __init__(
        self,
        *,
        references: PacketReferences,
        findings: PacketFindings,
        transparency: Transparency,
        log: LogStore,
        installation: Installation,
        trust: Trust,
        clock: Clock,
        threads: int,
    ) -> None:
        self._references = references
        self._findings = findings
        self._transparency = transparency
        self._log = log
        self._installation = installation
        self._trust = trust
        self._clock = clock
        self._threads = threads

    def build(
        self,
        ids: Sequence[str],
        *,
        purpose: Purpose,
        on_behalf_of: str | None = None,
        with_originals: bool = True,
        viewer: Actor | None = None,
    ) -> bytes:
        """A packet about references and findings, by their ids; a finding brings the reference that it matches.

        1  what is new in the log is published, so that it can be proven
        2  each finding brings its match, and everything is gathered
        3  the newest checkpoint is taken: no proof may have a newer one
        4  the packet is sealed
        5  the log is told that it was made; that leaf is published with the next checkpoint

        ``on_behalf_of``: by default those in whose names the references were registered. Registered files are enclosed
        only ``with_originals``; the listing, as far as it is kept, always. ``viewer``: for whose eyes it is; None is
        the console, which may read everything.

        Raises InputError for no ids or more than 100, NotFound, InvalidTransition for what is erased, DigestMismatch
        and StoreUnavailable, LogInconsistent, ConfigurationError when the key of the seal cannot be used. For a
        ``viewer`` also PermissionDenied without the scopes that read what is named, and InputError for a check that
        found originals of others only, and for more than 200 MB of originals and listing pictures.
        """
        subjects = subjects_of(ids, most=MOST_SUBJECTS)
        named = None if on_behalf_of is None else checked_name(on_behalf_of, whose="whoever a packet is for")
        # 1
        self._transparency.publish()
        # 2
        asked = [one.id for one in subjects if one.kind == "reference"]
        chosen = [
            self._findings.chosen(one.id, asked=asked, viewer=viewer) for one in subjects if one.kind == "finding"
        ]
        room = _Room(None if viewer is None else MOST_BYTES_OF_MEMBERS)
        gathered = partial(self._references.gathered, with_original=with_originals, viewer=viewer)
        references = [room.took(one) for one in self._each(gathered, _by_importance(asked, chosen))]
        findings = [room.took(one) for one in self._each(self._findings.gathered, chosen)]
        # 3
        self._transparency.publish()
        checkpoint = self._transparency.file(CHECKPOINT)
        # 4
        name, seal = self._installation.name, self._installation.seal
        registrants = dict.fromkeys(one.stated.registered_by or "" for one in references)
        now = self._clock.now()
        contents = PacketContents(
            packet_id=new_id("pkt"),
            created_at=now,
            made_by=MadeBy(installation=name, software=f"imgguard {__version__}", sealed_by=seal.name),
            purpose=purpose,
            on_behalf_of=", ".join(registrants) if named is None else named,
            subjects=tuple(subjects),
            references=tuple(references),
            findings=tuple(findings),
            checkpoint=checkpoint,
            policy=self._installation.policy(),
            trust=self._trust,
        )
        data = build_packet(contents, seal=seal)
        # 5
        record = event_record(
            Kind.PACKET,
            subject=contents.packet_id,
            occurred_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            digests={"packet": hashlib.sha256(data).hexdigest()},
        )
        self._log.append(record, object_id=contents.packet_id, at=now)
        return data

    def _each[In, Out](self, work: Callable[[In], Out], inputs: Iterable[In]) -> Iterator[Out]:
        """``work`` of each, in order, on several threads: drawing a finding takes half a second of a core."""
        return in_order(work, inputs, workers=self._threads, stop=threading.Event())

    def trust_file(self) -> str:
        """As `Installation.trust_file`."""
        return self._installation.trust_file()


def packet_in(data: bytes) -> Packet:
    """What a packet that was just built states. Not for strangers' packets: nothing of it is verified."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return Packet.model_validate_json(archive.read(PACKET))


def _by_importance(asked: Sequence[str], chosen: Sequence[ChosenMatch]) -> list[str]:
    """Ids of references: those that were named, then those that findings bring."""
    return list(dict.fromkeys([*asked, *(one.reference_id for one in chosen if one.reference_id is not None)]))


class _Room:
    """Counts the bytes of pictures that are enclosed as they are; ``most`` None is no limit."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._left = most or 0

    def took[Contents: (ReferenceContents, FindingContents)](self, contents: Contents) -> Contents:
        """``contents``. Raises InputError once there are too many."""
        data = contents.original if isinstance(contents, ReferenceContents) else contents.listing
        self._left -= len(data or b"")
        if self._most is not None and self._left < 0:
            raise InputError(
                f"the originals and listing pictures have more than {self._most} bytes together",
                hint="Send `with_originals: false`, or build several packets.",
            )
        return contents
