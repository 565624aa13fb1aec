"""Services -> what builds evidence packets. Imported by who builds one: it imports Typst."""

from typing import TYPE_CHECKING

from imgguard.bootstrap.adapters import TIMESTAMP_AUTHORITY
from imgguard.bootstrap.trust import operator_trust
from imgguard.services.check_views import CheckViews
from imgguard.services.packet_findings import PacketFindings
from imgguard.services.packet_references import PacketReferences
from imgguard.services.packets import Packets

if TYPE_CHECKING:
    from imgguard.bootstrap import Services


def packets_of(services: "Services") -> Packets:
    """Raises ConfigurationError when the operator's trust file cannot be used."""
    references = PacketReferences(
        works=services.work_store,
        catalogue=services.catalogue,
        claims=services.claim_store,
        blobs=services.blobs,
        library=services.library,
        transparency=services.transparency,
    )
    findings = PacketFindings(
        checks=services.check_store,
        catalogue=services.catalogue,
        rights=services.rights,
        blobs=services.blobs,
        illustrator=services.illustrator,
        library=services.library,
        transparency=services.transparency,
        clock=services.clock,
        views=CheckViews(store=services.check_store, standings=services.standings),
    )
    authority = services.home / TIMESTAMP_AUTHORITY
    return Packets(
        references=references,
        findings=findings,
        transparency=services.transparency,
        log=services.log_store,
        installation=services.installation,
        trust=operator_trust(services.settings, authority, services.embedded_authority),
        clock=services.clock,
        threads=services.workers,
    )
