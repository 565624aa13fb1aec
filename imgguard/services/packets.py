"""Evidence packets, built from the store for whoever runs the machine.

There is no `Actor` here: the console may read everything that is stored. Members will build packets of what is theirs
by the API, with rights of their own; until then nothing that serves strangers may call this.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.serialization import Encoding

from imgguard import __version__
from imgguard.errors import ConfigurationError, InputError, NotFound
from imgguard.evidence.packet.building import build_packet
from imgguard.evidence.packet.contents import PacketContents
from imgguard.evidence.packet.model import MadeBy, Packet, Purpose, Subject
from imgguard.evidence.packet.seal_keys import SealKey
from imgguard.evidence.packet.verifying.layout import PACKET
from imgguard.ports import Clock, LogStore
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.records import Kind, event_record
from imgguard.provenance.trust import Trust
from imgguard.registry.ids import new_id
from imgguard.services.invitations import checked_name
from imgguard.services.packet_findings import ChosenMatch, PacketFindings
from imgguard.services.packet_references import PacketReferences
from imgguard.services.transparency import CHECKPOINT, Transparency

MOST_SUBJECTS = 100

_REFERENCE, _FINDING = "ref_", "fnd_"

type SealOf = Callable[[str], SealKey]
"""The key that seals for an installation, which is the origin of its log."""


class Packets:
    """Thread safe. ``witnesses`` is the operator's tlog-policy, if there is one; ``trust`` is whom the operator
    believes, by which each packet says how independent its times are."""

    def __init__(
        self,
        *,
        references: PacketReferences,
        findings: PacketFindings,
        transparency: Transparency,
        log: LogStore,
        seal_of: SealOf,
        trust: Trust,
        witnesses: bytes | None,
        clock: Clock,
    ) -> None:
        self._references = references
        self._findings = findings
        self._transparency = transparency
        self._log = log
        self._seal_of = seal_of
        self._trust = trust
        self._witnesses = witnesses
        self._clock = clock

    def build(
        self, ids: Sequence[str], *, purpose: Purpose, on_behalf_of: str | None = None, with_originals: bool = True
    ) -> bytes:
        """A packet about references and findings, by their ids; a finding brings the reference that it matches.

        1  what is new in the log is published, so that it can be proven
        2  each finding brings its match, and everything is gathered
        3  the newest checkpoint is taken: no proof may have a newer one
        4  the packet is sealed
        5  the log is told that it was made; that leaf is published with the next checkpoint

        ``on_behalf_of``: by default those in whose names the references were registered. Registered files are enclosed
        only ``with_originals``; the listing, as far as it is kept, always.

        Raises InputError for no ids or more than 100, NotFound, InvalidTransition for what is erased, DigestMismatch
        and StoreUnavailable, LogInconsistent, ConfigurationError when the key of the seal cannot be used.
        """
        subjects = _subjects(ids)
        named = None if on_behalf_of is None else checked_name(on_behalf_of, whose="whoever a packet is for")
        # 1
        self._transparency.publish()
        # 2
        asked = [one.id for one in subjects if one.kind == "reference"]
        chosen = [self._findings.chosen(one.id, asked=asked) for one in subjects if one.kind == "finding"]
        references = [
            self._references.gathered(reference_id, with_original=with_originals)
            for reference_id in _by_importance(asked, chosen)
        ]
        findings = [self._findings.gathered(one) for one in chosen]
        # 3
        self._transparency.publish()
        checkpoint = self._transparency.file(CHECKPOINT)
        # 4
        installation = self.installation
        seal = self._seal_of(installation)
        registrants = dict.fromkeys(one.stated.registered_by or "" for one in references)
        now = self._clock.now()
        contents = PacketContents(
            packet_id=new_id("pkt"),
            created_at=now,
            made_by=MadeBy(installation=installation, software=f"imgguard {__version__}", sealed_by=seal.name),
            purpose=purpose,
            on_behalf_of=", ".join(registrants) if named is None else named,
            subjects=tuple(subjects),
            references=tuple(references),
            findings=tuple(findings),
            checkpoint=checkpoint,
            policy=self.policy(),
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

    @property
    def installation(self) -> str:
        """The origin of the log. Raises NotFound before there is one."""
        keys = self._transparency.status().keys
        if not keys:
            raise NotFound("there is no log yet", hint="`imgguard log publish` begins it.")
        return keys[-1].name

    def policy(self) -> bytes:
        """The tlog-policy that is recommended: every key that has signed this log, and the operator's witnesses.

        Raises PolicyInvalid.
        """
        rest = b"quorum none\n" if self._witnesses is None else self._witnesses
        known = parse_policy(rest).log_keys
        keys = [key for key in self._transparency.status().keys if key not in known]
        return b"".join(f"log {key.text}\n".encode() for key in keys) + rest

    def trust_file(self) -> str:
        """What somebody who believes this installation has to write into a trust file: its log, and its seal.

        Raises NotFound before there is a log, ConfigurationError.
        """
        installation = self.installation
        certificate = self._seal_of(installation).certificate.public_bytes(Encoding.PEM).decode()
        try:
            policy = self.policy().decode()
        except UnicodeDecodeError as error:
            raise ConfigurationError("the file of witnesses is not UTF-8", hint="Write it anew in UTF-8.") from error
        return "\n".join(
            (
                "[log]",
                f"policy = {_toml(policy)}",
                "",
                "[[seal]]",
                f"name = {_toml(installation)}",
                f"certificate = {_toml(certificate)}",
                "",
            )
        )


def packet_in(data: bytes) -> Packet:
    """What a packet that was just built states. Not for strangers' packets: nothing of it is verified."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return Packet.model_validate_json(archive.read(PACKET))


def _subjects(ids: Sequence[str]) -> list[Subject]:
    """Each once, in the order in which they were named. Raises InputError, NotFound."""
    once = list(dict.fromkeys(ids))
    if not 1 <= len(once) <= MOST_SUBJECTS:
        raise InputError(f"a packet is about 1 to {MOST_SUBJECTS} objects, not {len(once)}", hint="Make several.")
    subjects = []
    for one in once:
        if one.startswith(_REFERENCE):
            subjects.append(Subject(kind="reference", id=one))
        elif one.startswith(_FINDING):
            subjects.append(Subject(kind="finding", id=one))
        else:
            raise NotFound(
                f"{one} is neither a reference nor a finding", hint="`imgguard list` and `list --findings` have ids."
            )
    return subjects


def _by_importance(asked: Sequence[str], chosen: Sequence[ChosenMatch]) -> list[str]:
    """Ids of references: those that were named, then those that findings bring."""
    return list(dict.fromkeys([*asked, *(one.reference_id for one in chosen if one.reference_id is not None)]))


def _toml(text: str) -> str:
    """A string, on several lines where that can be read."""
    if "\n" in text and "'''" not in text:
        return f"'''\n{text}'''"
    return json.dumps(text, ensure_ascii=False)
