"""An estate: Studio owns pictures, Shop and Rival sell, Platform operates; and findings about the pictures."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, pack_vector
from imgguard.ports import StoredFinding
from imgguard.registry.access import Actor
from imgguard.registry.accounts import AuditEvent, Role, Scope
from imgguard.registry.ids import new_id
from imgguard.registry.records import Content, Reference
from imgguard.services import findings
from imgguard.services.contract import CheckLine
from imgguard.services.decisions import Decisions
from imgguard.services.licences import Granted, Licences, Terms
from imgguard.services.matches import match_of
from imgguard.services.standings import Standings
from imgguard.storage.blobs import LocalBlobStore
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.rights import SqlRights
from imgguard.verdict.finding import Judgement, Verdict

WEIGHTS = "e" * 64


class Estate:
    """``actors`` by what they are: holder, seller, reviewer and admin of Studio, Shop and Platform; keys too."""

    def __init__(self, house: Any, actor: Callable[[str], Actor], folder: Path, judgement: Judgement) -> None:
        self.house, self.clock, self.judgement = house, house.clock, judgement
        self.rights = SqlRights(house.database)
        self.catalogue = SqlCatalogue(house.database)
        self.blobs = LocalBlobStore(folder / "blobs")
        self.licences = Licences(rights=self.rights, blobs=self.blobs, clock=self.clock)
        self.decisions = Decisions(
            rights=self.rights, catalogue=self.catalogue, accounts=house.accounts, clock=self.clock
        )
        self.standings = Standings(rights=self.rights)
        begun = self.catalogue.begin_generation(WEIGHTS, at=self.clock.now())
        self.catalogue.activate_generation(begun.generation_id, at=self.clock.now())
        self.studio, _ = house.organisation("Studio", "studio@example.org")
        self.shop, _ = house.organisation("Shop", "shop@example.org")
        self.rival, _ = house.organisation("Rival", "rival@example.org")
        self._actor = actor
        self.holder = self.member("holder@studio.example", Role.RIGHTS_HOLDER, of=self.studio)
        self.seller = self.member("seller@shop.example", Role.SELLER, of=self.shop)
        self.stranger = self.member("all@rival.example", *Role, of=self.rival)
        self.reviewer = self.member("reviewer@platform.example", Role.REVIEWER)
        self.console: Actor = house.console

    def member(self, email: str, *roles: Role, of: Any = None) -> Actor:
        self.house.join(email, *roles, organisation=of)
        return self._actor(email)

    def key(self, actor: Actor, *scopes: Scope) -> Actor:
        """What the actor may do by a key with these scopes."""
        return replace(actor, key_id="key_1", scopes=actor.scopes & frozenset(scopes))

    def register(self, owner: str = "Studio", data: bytes = b"a picture") -> Reference:
        sha256 = hashlib.sha256(data).hexdigest()
        content = Content(
            number=0,
            sha256=sha256,
            byte_length=len(data),
            pixel_digest=hashlib.sha256(f"pixels of {sha256}".encode()).hexdigest(),
            media_type="image/png",
            width=4,
            height=2,
            decoder="test",
            decoder_version="1",
            declared_times="[]",
        )
        embedding = Descriptor(
            kind=DescriptorKind.EMBEDDING,
            algorithm="test",
            version="1",
            weights_sha256=WEIGHTS,
            data=pack_vector(np.ones(4, np.float32) / 2),
        )
        return self.catalogue.add_reference(owner, content, [embedding], file="a.jpg", at=self.clock.now())

    def finding(self, *references: Reference, data: bytes = b"a query", pixels: str = "query pixels") -> str:
        """Somebody's check that found these references."""
        matches = [match_of(self.judgement, reference) for reference in references]
        sha256 = hashlib.sha256(data).hexdigest()
        line = CheckLine(
            file="q.jpg",
            finding_id=new_id("fnd"),
            sha256=sha256,
            width=4,
            height=2,
            verdict=Verdict.COPY,
            reasons=[],
            matches=matches,
            weights=WEIGHTS,
            calibration="0" * 64,
            timings_ms=None,
            error=None,
        )
        document = findings.document_of(
            line,
            [findings.stored_match(match, {}) for match in matches],
            profile="quick",
            generation_id="gen_1",
            query_weights=WEIGHTS,
            query_pixel_digest=pixels,
        )
        stored = StoredFinding(
            finding_id=line.finding_id or "",
            created_at=self.clock.now(),
            file="q.jpg",
            query_sha256=sha256,
            document=document,
        )
        self.catalogue.add_finding(stored, query_expires_at=None)
        return stored.finding_id

    def grant(self, terms: Terms | None = None, *, by: Actor | None = None, **to: Any) -> Granted:
        """To Shop, unless it says otherwise."""
        chosen: Mapping[str, Any] = to or {"licensee_id": self.shop.organisation_id}
        return self.licences.grant(by or self.holder, terms or Terms(), **chosen)

    def by_link(self) -> Granted:
        return self.grant(by_link=True)

    def events(self) -> list[AuditEvent]:
        return list(self.house.trail.events(limit=1000))

    def now(self) -> datetime:
        return self.clock.now()


@pytest.fixture
def estate(house: Any, actor: Callable[[str], Actor], tmp_path: Path, judgement: Judgement) -> Estate:
    return Estate(house, actor, tmp_path, judgement)
