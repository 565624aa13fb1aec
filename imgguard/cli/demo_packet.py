"""The packet that the demo ends with: a sample copy and its original, and what a stranger could verify of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgguard.cli.output import size
from imgguard.cli.packet import stamped, write_packet

if TYPE_CHECKING:
    from imgguard.evidence.packet.verifying.steps import VerificationReport
    from imgguard.services.contract import CheckLine
    from imgguard.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPacket:
    """``listing`` is the name of the sample that it is about; ``report`` is without any trust file."""

    path: Path
    listing: str
    byte_count: int
    report: "VerificationReport"

    def sentences(self) -> list[str]:
        """Three lines: what it is, what is proven of it, and what is not."""
        from imgguard.provenance.authority import LABEL

        proven = self.report.proven[0] if self.report.proven else "nothing: it does not verify."
        return [
            f"Packet:   {self.path} ({size(self.byte_count)}): {self.listing} and its original, sealed, logged, and "
            f"timestamped by the embedded authority ({LABEL}).",
            f"Proven:   {proven}",
            "          ORIGIN NOT VERIFIED: nothing here says who made it, or when, to somebody who trusts nobody.",
        ]


def first_copy(lines: "Iterable[CheckLine]", truth: Mapping[str, Mapping[str, Any]]) -> "CheckLine | None":
    """The first of the samples that is known to be a copy and was found to be one, of the right original."""
    for line in lines:
        known = truth.get(line.file, {})
        is_known = known.get("verdict") == "copy" and line.verdict == "copy"
        if is_known and line.finding_id is not None and line.matches[0].file == known["original"]:
            return line
    return None


def make_packet(settings: "Settings", line: "CheckLine", path: Path) -> DemoPacket:
    """Build it from the demo's store, and verify the file as somebody would who believes nobody."""
    from imgguard.bootstrap import Services
    from imgguard.evidence.packet.model import Purpose
    from imgguard.evidence.packet.verifying.reading import read_and_verify
    from imgguard.evidence.packet.verifying.steps import Level

    with Services(settings) as services:
        stamped(services)
        data = services.packets.build([line.finding_id or ""], purpose=Purpose.COMPLAINT)
        services.publish_log()
    write_packet(path, data)
    report = read_and_verify(path, trust=None, level=Level.INTEGRITY)
    return DemoPacket(path=path, listing=line.file, byte_count=len(data), report=report)
