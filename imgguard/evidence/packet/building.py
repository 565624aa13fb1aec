"""An evidence packet, from what it is made of to the sealed file."""

from imgguard.evidence.packet.archive import sealed
from imgguard.evidence.packet.assembling import assemble
from imgguard.evidence.packet.contents import PacketContents
from imgguard.evidence.packet.model import packet_json
from imgguard.evidence.packet.readme import readme_text
from imgguard.evidence.packet.report import render_reports
from imgguard.evidence.packet.seal_keys import SealKey
from imgguard.evidence.packet.verifying.layout import PACKET
from imgguard.evidence.packet.words import LANGUAGES


def build_packet(contents: PacketContents, *, seal: SealKey) -> bytes:
    """The file to hand on. All but the seals of its two PDFs is the same each time.

    Raises what `assemble`, `imgguard.evidence.packet.report.render_reports` and
    `imgguard.evidence.packet.archive.sealed` raise.
    """
    from imgguard.evidence.packet.pdf_seals import seal_pdf  # pyHanko takes half a second to import

    packet, files = assemble(contents)
    reports = render_reports(packet, files)
    files[PACKET] = packet_json(packet)
    for language in LANGUAGES:
        reason = f"Evidence report of packet {packet.packet_id}"
        files[f"report.{language}.pdf"] = seal_pdf(reports[language], seal=seal, reason=reason)
        files[f"README.{language}.txt"] = readme_text(packet, language).encode()
    return sealed(files, seal=seal, at=packet.created_at)
