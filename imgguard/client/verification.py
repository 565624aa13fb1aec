"""Verification of evidence packets, and what it says."""

from imgguard.client.calls import Calls
from imgguard.client.session import path_of
from imgguard.client.told import Told
from imgguard.client.uploads import Source


class VerificationStep(Told):
    """``result``: ``passed``, ``failed``, ``insufficient`` or ``not checked``. ``reason`` is a word for programs."""

    number: int
    name: str
    result: str
    reason: str | None = None
    detail: str = ""
    file: str | None = None


class PacketVerification(Told):
    """What holds of a packet. Unless ``origin_verified``, nothing says who made it, or when."""

    packet_id: str | None
    packet_sha256: str
    level_asked: str
    level_reached: str
    holds: bool
    origin_verified: bool
    steps: tuple[VerificationStep, ...]
    proven: tuple[str, ...]
    not_proven: tuple[str, ...]


class VerificationCalls(Calls):
    def verify_packet(
        self, source: Source, *, trust: Source | None = None, level: str = "integrity", file: str | None = None
    ) -> PacketVerification:
        """Have a packet verified by the trust file ``trust``; without one no ``level`` above ``integrity`` holds. It is
        the server that says so: who does not believe it runs `imgguard packet verify`.

        Raises OSError, InvalidProblem, TooLargeProblem.
        """
        sources: list[tuple[str, Source, str | None]] = [("packet", source, file)]
        if trust is not None:
            sources.append(("trust", trust, "trust.toml"))
        return self._upload(path_of("packets", "verify"), sources, {"level": level}).read(PacketVerification)
