"""Evidence packets of what is one's own."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from imgguard.client.calls import Calls
from imgguard.client.errors import UnexpectedAnswer
from imgguard.client.session import path_of
from imgguard.client.told import Told


class TimeBound(Told):
    """The original existed no later than ``at``, says ``by``."""

    at: datetime
    by: str
    basis: str
    trust: str


class PacketReference(Told):
    """An original in a packet, and who says since when it exists."""

    reference_id: str
    existed_no_later_than: tuple[TimeBound, ...] = ()


class PacketRemark(Told):
    """Something that a packet lacks, or that speaks against whoever asked for it."""

    code: str
    detail: str


class Packet(Told):
    """A packet and what it states. ``file`` is None once no file of it is kept; of one that is erased only ids and
    times are left."""

    packet_id: str
    organisation_id: str
    member_id: str
    state: str
    purpose: str | None = None
    on_behalf_of: str | None = None
    references: tuple[PacketReference, ...] = ()
    findings: tuple[str, ...] = ()
    missing: tuple[PacketRemark, ...] = ()
    against: tuple[PacketRemark, ...] = ()
    byte_length: int | None = None
    sha256: str | None = None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    file: str | None = None


class PacketCalls(Calls):
    def build_packet(
        self, ids: Sequence[str], *, purpose: str, on_behalf_of: str | None = None, with_originals: bool = True
    ) -> Packet:
        """One sealed file about own references and own checks, by their ids, at most 20. ``purpose`` is ``record``,
        ``complaint`` or ``defence``. It takes seconds, and waits for packets of others: a client with a short
        ``timeout`` asks again for the same packet."""
        body = {
            "ids": list(ids),
            "purpose": purpose,
            "on_behalf_of": on_behalf_of,
            "with_originals": with_originals,
        }
        return self._session.post(path_of("packets"), body).read(Packet)

    def packets(self) -> Iterator[Packet]:
        """Those of the organisation, the latest first."""
        return self._list(Packet, path_of("packets"))

    def packet(self, packet_id: str) -> Packet:
        """Raises NotFoundProblem."""
        return self._session.get(path_of("packets", packet_id)).read(Packet)

    def packet_file(self, packet_id: str) -> bytes:
        """The file, as it is to be handed on. Raises NotFoundProblem, also when none is kept any more."""
        return self._session.ask("GET", path_of("packets", packet_id, "file"), accept="*/*").body

    def delete_packet(self, packet_id: str) -> Packet:
        """Forget its file before its time. Raises NotFoundProblem, ConflictProblem when none is kept."""
        return self._session.ask("DELETE", path_of("packets", packet_id)).read(Packet)

    def packet_trust(self) -> str:
        """The trust file by which others verify packets as ``logged``; hand it over on another way than the packets."""
        answer = self._session.ask("GET", path_of("packets", "trust"), accept="text/plain")
        try:
            return answer.body.decode()
        except UnicodeDecodeError:
            pass
        raise UnexpectedAnswer("this is not a trust file", status=answer.status)
