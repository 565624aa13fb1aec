"""What a member has left behind besides its own record: to be handed over to it, or erased with it."""

from collections.abc import Sequence
from typing import Protocol

from imgguard.ports.checks import MadeCheck
from imgguard.ports.jobs import Job
from imgguard.ports.packets import PacketRow
from imgguard.registry.claims import AttachedProof, Statement
from imgguard.registry.decisions import Decision


class Traces(Protocol):
    """In order of their ids, those behind ``after``. Thread safe. Raises StoreUnavailable."""

    def checks(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[MadeCheck]: ...
    def jobs(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Job]: ...
    def statements(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Statement]: ...
    def proofs(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[AttachedProof]: ...
    def packets(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[PacketRow]:
        """Also those whose file is not kept any more."""
        ...

    def decisions(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Decision]:
        """Retracted ones too."""
        ...
