"""Verify an evidence packet that somebody has brought along. Nothing of it is stored."""

from typing import IO

from imgguard.evidence.packet.sandbox import Verifier
from imgguard.evidence.packet.verifier_wire import PacketReport
from imgguard.evidence.packet.verifying.steps import Level
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Scope


class PacketVerification:
    """Believes the trust file that comes with the packet, and nobody else. What this installation knows is not looked
    at, its own keys neither: an installation that vouches for itself proves nothing."""

    def __init__(self, *, verifier: Verifier) -> None:
        self._verifier = verifier

    def verify(self, actor: Actor, packet: IO[bytes], *, trust: IO[bytes] | None, level: Level) -> PacketReport:
        """The report on ``packet``, whatever it is. For all members, since it shows nobody anything of ours.

        Raises PermissionDenied for a key without the scope, and what `Verifier.verify` raises.
        """
        actor.require_of_key(Scope.PACKETS_READ)
        return self._verifier.verify(packet, trust=trust, level=level)
