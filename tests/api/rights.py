"""Originals, findings, licences and decisions for the API to show, made without looking at any pixels."""

import hashlib
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, pack_vector
from imgguard.ports import NewCheck, StoredFinding
from imgguard.registry.access import Actor, actor_for
from imgguard.registry.accounts import Action, Scope
from imgguard.registry.decisions import Decision, DecisionKind
from imgguard.registry.ids import new_id
from imgguard.registry.licences import Use
from imgguard.registry.records import Content, Reference
from imgguard.services import findings
from imgguard.services.audit import event_of
from imgguard.services.contract import CheckLine
from imgguard.services.licences import Granted, Terms
from imgguard.services.matches import match_of
from imgguard.services.views import use_view
from imgguard.verdict.finding import Judgement, Relation, Strength, Verdict

from .conftest import Services, World

CONTRACT = b"%PDF-1.7 a contract"
_WEIGHTS = "e" * 64
_numbers = count(1)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What the people of a `World` have done, in a shorter way than they would do it."""

    services: Services
    world: World

    def actor(self, name: str) -> Actor:
        member = self.services.accounts.member(self.world.members[name])
        return actor_for(member, self.services.accounts.organisation(member.organisation_id))

    def key(self, name: str, *scopes: Scope) -> str:
        """The secret of a new key with these scopes."""
        return self.services.keys.issue(self.actor(name), "narrow", scopes=scopes).secret

    def original(self, owner: str = "Studio") -> Reference:
        sha256 = _digest(f"original {next(_numbers)}")
        content = Content(
            number=0,
            sha256=sha256,
            byte_length=9,
            pixel_digest=_digest(sha256),
            media_type="image/png",
            width=4,
            height=2,
            decoder="test",
            decoder_version="1",
            declared_times="[]",
        )
        generation = self.services.catalogue.active_generation()
        assert generation is not None
        embedding = Descriptor(
            kind=DescriptorKind.EMBEDDING,
            algorithm="test",
            version="1",
            weights_sha256=generation.weights_sha256,
            data=pack_vector(np.ones(4, np.float32) / 2),
        )
        at = self.services.clock.now()
        return self.services.catalogue.add_reference(owner, content, [embedding], file="a.jpg", at=at)

    def finding(self, *references: Reference, by: str | None = None) -> str:
        """Of a check, which found these: of that member, or made at the console."""
        matches = [match_of(_JUDGEMENT, reference) for reference in references]
        line = CheckLine(
            file="q.jpg",
            finding_id=new_id("fnd"),
            sha256=_digest(f"query {next(_numbers)}"),
            width=4,
            height=2,
            verdict=Verdict.COPY,
            reasons=[],
            matches=matches,
            weights=_WEIGHTS,
            calibration="0" * 64,
            timings_ms=None,
            error=None,
        )
        document = findings.document_of(
            line,
            [findings.stored_match(match, {}) for match in matches],
            profile="quick",
            generation_id="gen_1",
            query_weights=_WEIGHTS,
            query_pixel_digest=_digest("its pixels"),
        )
        stored = StoredFinding(
            finding_id=str(line.finding_id),
            created_at=self.services.clock.now(),
            file="q.jpg",
            query_sha256=str(line.sha256),
            document=document,
        )
        asked = None if by is None else self._asked(by, stored.finding_id)
        self.services.catalogue.add_finding(stored, query_expires_at=None, check=asked)
        return stored.finding_id

    def _asked(self, by: str, finding_id: str) -> NewCheck:
        actor, use = self.actor(by), use_view(Use()).model_dump_json()
        return NewCheck(
            organisation_id=actor.organisation_id,
            member_id=actor.name,
            key_id=None,
            intended_use=use,
            standings={},
            event=event_of(actor, Action.CHECK_MADE, finding_id, at=self.services.clock.now()),
        )

    def granted(self, *, by: str = "studio.rights_holder", terms: Terms | None = None, **to: Any) -> Granted:
        """To the shop, unless it says otherwise."""
        to = to or {"licensee_id": self.world.organisations["shop"]}
        return self.services.licences.grant(self.actor(by), terms or Terms(), **to)

    def document(self, licence_id: str) -> str:
        added = self.services.licences.add_document(
            self.actor("studio.rights_holder"), licence_id, CONTRACT, title="Contract"
        )
        return added.document_id

    def decided(self, *, by: str = "studio.rights_holder", reference: Reference | None = None) -> Decision:
        """About the studio's original."""
        reference = reference or self.original()
        finding_id, kind = self.finding(reference), DecisionKind.NOT_A_COPY
        return self.services.decisions.decide(self.actor(by), finding_id, reference.reference_id, kind)


_JUDGEMENT = Judgement(
    content_sha256="c" * 64,
    verdict=Verdict.COPY,
    relation=Relation.EDITED,
    log10_likelihood_ratio=3.5,
    strength=Strength.STRONG,
    reasons=("pixels_agree",),
    cosine_similarity=0.8,
    hamming_distance=20,
    inlier_count=50,
    agreement=0.9,
    query_coverage=0.7,
    reference_coverage=0.9,
    transform=None,
    query_region=None,
    reference_region=None,
    edits=(),
    features={},
)
