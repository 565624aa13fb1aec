"""What people and programs are shown of packets, and what the store keeps for that: never to strangers."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from imgguard.evidence.packet.model import Packet, Purpose, Remark
from imgguard.evidence.packet.reference import Basis, Trust
from imgguard.ports import PacketRow, PacketState


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BoundView(_View):
    """The original existed no later than ``at``, says ``by``, of whom the operator says ``trust``."""

    at: AwareDatetime
    by: str
    basis: Basis
    trust: Trust


class PacketReferenceView(_View):
    """An original in the packet, and who says since when it exists."""

    reference_id: str
    existed_no_later_than: list[BoundView]


class RemarkView(_View):
    """A sentence, with a stable code."""

    code: str
    detail: str


class ToldPacket(_View):
    """What a packet states, as it is stored beside it."""

    purpose: Purpose
    on_behalf_of: str
    references: list[PacketReferenceView]
    findings: list[str]
    missing: list[RemarkView]
    against: list[RemarkView]


class PacketView(_View):
    """A packet and what it states. Of one that is erased only ids and times are left."""

    packet_id: str
    organisation_id: str
    member_id: str
    state: PacketState = Field(description="Only while it is `kept` there is a file.")
    purpose: Purpose | None
    on_behalf_of: str | None
    references: list[PacketReferenceView] = Field(description="All that it contains, also those that findings brought.")
    findings: list[str]
    missing: list[RemarkView] = Field(description="What it lacks; made by rules.")
    against: list[RemarkView] = Field(description="What speaks against whoever asked for it; made by rules.")
    byte_length: int | None
    sha256: str | None
    created_at: AwareDatetime
    expires_at: AwareDatetime
    ended_at: AwareDatetime | None


def told_of(packet: Packet) -> ToldPacket:
    """What is told of a packet that was just built."""
    return ToldPacket(
        purpose=packet.purpose,
        on_behalf_of=packet.on_behalf_of,
        references=[
            PacketReferenceView(
                reference_id=one.reference_id,
                existed_no_later_than=[
                    BoundView(at=bound.at, by=bound.by, basis=bound.basis, trust=bound.trust)
                    for bound in one.existed_no_later_than
                ],
            )
            for one in packet.references
        ],
        findings=[one.finding_id for one in packet.findings],
        missing=_remarks(packet.missing),
        against=_remarks(packet.against),
    )


def _remarks(remarks: tuple[Remark, ...]) -> list[RemarkView]:
    return [RemarkView(code=one.code, detail=one.en) for one in remarks]


def packet_view(row: PacketRow, *, at: AwareDatetime) -> PacketView:
    """``state`` is that of ``at``."""
    told = None if row.told is None else ToldPacket.model_validate_json(row.told)
    left = [PacketReferenceView(reference_id=one, existed_no_later_than=[]) for one in row.references]
    return PacketView(
        packet_id=row.packet_id,
        organisation_id=row.organisation_id,
        member_id=row.member_id,
        state=row.state_at(at),
        purpose=None if told is None else told.purpose,
        on_behalf_of=None if told is None else told.on_behalf_of,
        references=left if told is None else told.references,
        findings=list(row.findings) if told is None else told.findings,
        missing=[] if told is None else told.missing,
        against=[] if told is None else told.against,
        byte_length=row.byte_length,
        sha256=row.sha256,
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


def packet_object(row: PacketRow, *, at: AwareDatetime) -> dict[str, object]:
    """Plain JSON."""
    return packet_view(row, at=at).model_dump(mode="json")
