"""Every route, asked by everybody: who gets an answer, who is refused, and to whom the object is not there."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from typing import Any

import pytest

from imgguard.api.app import create_app
from imgguard.api.methods import walk
from imgguard.bootstrap import Services
from imgguard.evidence.packet.model import Purpose
from imgguard.ports import CheckedUrl
from imgguard.registry.access import actor_for
from imgguard.registry.accounts import Role
from imgguard.services.jobs import Input
from imgguard.services.member_packets import PacketOrder
from imgguard.settings import Settings

from .client import Client, assert_problem
from .conftest import PASSWORD, World, signed_in
from .rights import CONTRACT, Rights

ASKERS = (
    "nobody",
    "studio.admin",
    "studio.rights_holder",
    "studio.seller",
    "studio.reviewer",
    "shop.admin",  # a stranger to the studio, whose objects are asked for
    "operator.admin",
    "operator.reviewer",
    "key studio.admin",
    "key studio.seller.narrow",
)
CODES = {401: "authentication_required", 403: "permission_denied", 404: "not_found"}
_numbers = count(1)


@dataclass(kw_only=True)
class Asking:
    """What the samples below are made from: objects of the studio that nobody has touched yet."""

    world: World
    services: Services
    asker: str

    @property
    def studio(self) -> str:
        return self.world.organisations["studio"]

    @property
    def organisation(self) -> str:
        """One that nobody has used yet."""
        number = next(_numbers)
        made = self.services.organisations.create(
            self.services.organisations.console(), f"Sample {number}", email=f"first{number}@example.org"
        )
        return made.organisation.organisation_id

    def _invited(self) -> tuple[str, str]:
        invited = self.services.members.invite(
            self.services.organisations.console(),
            email=f"sample{next(_numbers)}@example.org",
            roles=[Role.SELLER],
            organisation_id=self.studio,
        )
        return invited.member.member_id, str(invited.token)

    @property
    def member(self) -> str:
        return self._invited()[0]

    @property
    def token(self) -> str:
        return self._invited()[1]

    @property
    def key(self) -> str:
        member = self.services.accounts.member(self.world.members["studio.rights_holder"])
        actor = actor_for(member, self.services.accounts.organisation(self.studio))
        return self.services.keys.issue(actor, "sample").key.key_id

    @property
    def published(self) -> str:
        """The size of the log, once all of it is published."""
        return str(self.services.transparency.publish().size)

    @property
    def rights(self) -> Rights:
        return Rights(services=self.services, world=self.world)

    @property
    def licence(self) -> str:
        """To the shop."""
        return self.rights.granted().licence.licence_id

    @property
    def shop_licence(self) -> str:
        return self.rights.granted(shop="Corner Shop").licence.licence_id

    @property
    def link(self) -> str:
        return str(self.rights.granted(by_link=True).link_token)

    @property
    def match(self) -> dict[str, Any]:
        original = self.rights.original()
        finding_id = self.rights.finding(original)
        return {"finding_id": finding_id, "reference_id": original.reference_id, "kind": "not_a_copy"}

    @property
    def check_path(self) -> str:
        return f"/v1/checks/{self.world.finding_id}"

    @property
    def reference_path(self) -> str:
        return f"/v1/references/{self.world.reference_id}"

    @property
    def proof(self) -> str:
        """A file that the studio attached."""
        holder, claims = self.rights.actor("studio.rights_holder"), self.services.reference_claims
        attached = claims.attach(holder, self.world.reference_id, BytesIO(b"a"), kind="raw", name="a.nef")
        return attached.proof_id

    @property
    def job(self) -> str:
        """Of checks."""
        given = [Input(file="a.jpg", data=b"a")]
        return self.services.jobs.submit(self.rights.actor("studio.seller"), "check", given).job_id

    @property
    def feed(self) -> str:
        options = {"profile": "quick", "use": {}}
        return self.services.feeds.submit(self.rights.actor("studio.seller"), FEED, options=options).feed_id

    @property
    def packet_path(self) -> str:
        """Of a packet about the studio's original."""
        holder, order = (
            self.rights.actor("studio.rights_holder"),
            PacketOrder(ids=(self.world.reference_id,), purpose=Purpose.RECORD),
        )
        return f"/v1/packets/{self.services.member_packets.build(holder, order).packet_id}"

    @property
    def work(self) -> str:
        holder = self.rights.actor("studio.rights_holder")
        return str(self.services.references.reference(holder, self.world.reference_id).work_id)

    @property
    def collection(self) -> str:
        holder = self.rights.actor("studio.rights_holder")
        return self.services.works.create_collection(holder, f"Sample {next(_numbers)}").collection_id

    @property
    def webhook(self) -> str:
        admin = self.rights.actor("studio.admin")
        for old in self.services.webhooks.webhooks(admin)[10:]:
            self.services.webhooks.delete(admin, old.webhook_id)
        return self.services.webhooks.create(admin, CheckedUrl("https://hooks.example.org/")).webhook.webhook_id

    def delivery(self, webhook_id: str) -> str:
        return self.services.webhooks.send_test(self.rights.actor("studio.admin"), webhook_id).delivery_id

    @property
    def ended_job(self) -> str:
        return self.services.jobs.cancel(self.rights.actor("studio.seller"), self.job).job_id


type Sample = Callable[[Asking], tuple[str, dict[str, Any] | None]]


def _sign_in(asking: Asking) -> tuple[str, dict[str, Any]]:
    return "/v1/session", {"email": "studio.seller@example.org", "password": PASSWORD}


def _new(**fields: object) -> dict[str, Any]:
    return {"email": f"new{next(_numbers)}@example.org", **fields}


ALL = "200 200 200 200 200 200 200 200 200 200"
OWN = "401 200 200 200 200 404 200 404 200 403"  # members of the studio, and who looks after the installation
CHARGE = "401 200 403 403 403 404 200 403 200 403"  # who looks after the studio
LOOKS = "401 403 200 200 200 403 403 200 403 200"  # with checks:read; the operator's reviewers look at every check
PACKS = "401 403 200 200 200 403 403 200 403 403"  # with packets:read
KNOWS = "401 403 200 403 200 403 403 200 403 403"  # with references:read
ORDERS = "401 403 200 403 200 403 403 404 403 403"  # the same, of the own organisation only
REGISTERS = "401 403 200 403 403 403 403 403 403 403"  # who holds the rights
FILE = {"files": {"file": ("a.jpg", b"no picture")}}
FEED = b"id,image_link\r\nmug,http://192.0.2.1/a.jpg\r\n"
PEOPLE_IN_CHARGE = "401 200 403 403 403 404 200 403 403 403"  # the same, not by a key
GIVES = "401 403 200 403 403 403 403 403 403 403"  # who may give the studio's licences
RUNS = "401 200 403 403 403 200 200 403 200 403"  # admins, of their own organisation
TELLS = "401 200 403 403 403 404 404 403 200 403"  # the same, of a webhook of the studio

# route -> a sample of a request for it, and the statuses in the order of ASKERS
MATRIX: dict[str, tuple[Sample, str]] = {
    "GET /healthz": (lambda a: ("/healthz", None), ALL),
    "GET /readyz": (lambda a: ("/readyz", None), ALL),
    "GET /metrics": (lambda a: ("/metrics", None), "401 403 403 403 403 403 200 403 403 403"),
    "GET /v1/openapi.json": (lambda a: ("/v1/openapi.json", None), ALL),
    "POST /v1/session": (_sign_in, ALL),
    "GET /v1/session": (lambda a: ("/v1/session", None), "401 200 200 200 200 200 200 200 200 200"),
    "DELETE /v1/session": (lambda a: ("/v1/session", None), "401 204 204 204 204 204 204 204 403 403"),
    "GET /v1/session/methods": (lambda a: ("/v1/session/methods", None), ALL),
    "GET /v1/session/oidc": (lambda a: ("/v1/session/oidc", None), ALL.replace("200", "404")),  # none is set up
    "POST /v1/session/oidc": (lambda a: ("/v1/session/oidc", None), "401 404 404 404 404 404 404 404 403 403"),
    "GET /v1/session/oidc/callback": (lambda a: ("/v1/session/oidc/callback", None), ALL.replace("200", "404")),
    "POST /v1/session/password": (
        lambda a: ("/v1/session/password", {"present": PASSWORD, "new": "another horse, another staple"}),
        "401 200 200 200 200 200 200 200 403 403",
    ),
    "POST /v1/invitations/lookup": (lambda a: ("/v1/invitations/lookup", {"token": a.token}), ALL),
    "POST /v1/invitations/oidc": (
        lambda a: ("/v1/invitations/oidc", {"token": a.token}),
        ALL.replace("200", "404"),
    ),
    "POST /v1/invitations/accept": (
        lambda a: ("/v1/invitations/accept", {"token": a.token, "password": PASSWORD}),
        ALL,
    ),
    "GET /v1/organisation": (lambda a: ("/v1/organisation", None), "401 200 200 200 200 200 200 200 200 403"),
    "PATCH /v1/organisation": (
        lambda a: ("/v1/organisation", {"disclosure": "contact"}),
        "401 200 403 403 403 200 200 403 200 403",
    ),
    "GET /v1/organisations": (lambda a: ("/v1/organisations", None), "401 403 403 403 403 403 200 403 403 403"),
    "POST /v1/organisations": (
        lambda a: ("/v1/organisations", _new(organisation=f"Brand {next(_numbers)}")),
        "401 403 403 403 403 403 201 403 403 403",
    ),
    "GET /v1/organisations/{organisation_id}": (lambda a: (f"/v1/organisations/{a.studio}", None), OWN),
    "POST /v1/organisations/{organisation_id}/disable": (
        lambda a: (f"/v1/organisations/{a.organisation}/disable", None),
        "401 403 403 403 403 403 200 403 403 403",
    ),
    "POST /v1/organisations/{organisation_id}/enable": (
        lambda a: (f"/v1/organisations/{a.organisation}/enable", None),
        "401 403 403 403 403 403 200 403 403 403",
    ),
    "GET /v1/members": (lambda a: (f"/v1/members?organisation_id={a.studio}", None), OWN),
    "POST /v1/members": (
        lambda a: ("/v1/members", _new(roles=["seller"], organisation_id=a.studio)),
        PEOPLE_IN_CHARGE.replace("200", "201"),
    ),
    "GET /v1/members/{member_id}": (lambda a: (f"/v1/members/{a.member}", None), OWN),
    "PATCH /v1/members/{member_id}": (
        lambda a: (f"/v1/members/{a.member}", {"roles": ["reviewer"]}),
        PEOPLE_IN_CHARGE,
    ),
    "POST /v1/members/{member_id}/disable": (lambda a: (f"/v1/members/{a.member}/disable", None), CHARGE),
    "POST /v1/members/{member_id}/enable": (lambda a: (f"/v1/members/{a.member}/enable", None), CHARGE),
    "POST /v1/members/{member_id}/invitation": (
        lambda a: (f"/v1/members/{a.member}/invitation", None),
        PEOPLE_IN_CHARGE.replace("200", "201"),
    ),
    "DELETE /v1/members/{member_id}/identities": (
        lambda a: (f"/v1/members/{a.member}/identities", None),
        PEOPLE_IN_CHARGE,
    ),
    "POST /v1/members/{member_id}/export": (lambda a: (f"/v1/members/{a.member}/export", None), CHARGE),
    "DELETE /v1/members/{member_id}": (lambda a: (f"/v1/members/{a.member}", None), CHARGE),
    "GET /v1/keys": (
        lambda a: (f"/v1/keys?organisation_id={a.studio}", None),
        "401 200 200 200 200 404 200 404 200 200",
    ),
    "POST /v1/keys": (lambda a: ("/v1/keys", {"name": "sample"}), "401 201 201 201 201 201 201 201 403 403"),
    "GET /v1/keys/{key_id}": (
        lambda a: (f"/v1/keys/{a.key}?organisation_id={a.studio}", None),
        "401 200 200 404 404 404 200 404 200 404",
    ),
    "DELETE /v1/keys/{key_id}": (
        lambda a: (f"/v1/keys/{a.key}", None),
        "401 200 200 404 404 404 200 404 200 404",
    ),
    "GET /v1/audit-events": (
        lambda a: (f"/v1/audit-events?organisation_id={a.studio}", None),
        "401 200 403 403 403 404 200 403 200 403",
    ),
}
MATRIX |= {
    "GET /v1/licences": (lambda a: ("/v1/licences", None), "401 403 200 200 200 403 403 200 403 403"),
    "POST /v1/licences": (
        lambda a: ("/v1/licences", {"licensee_id": a.world.organisations["shop"]}),
        # The reviewer of the operator, like all but rights holders, gives none.
        "401 403 201 403 403 403 403 403 403 403",
    ),
    "GET /v1/licences/{licence_id}": (
        lambda a: (f"/v1/licences/{a.licence}", None),
        "401 403 200 200 200 403 403 404 403 403",
    ),
    "POST /v1/licences/accept": (
        lambda a: ("/v1/licences/accept", {"token": a.link}),
        "401 403 409 409 409 403 403 200 403 403",  # 409: the own one
    ),
    "POST /v1/licences/{licence_id}/revoke": (lambda a: (f"/v1/licences/{a.licence}/revoke", None), GIVES),
    "POST /v1/licences/{licence_id}/extend": (
        lambda a: (f"/v1/licences/{a.licence}/extend", {"ends_at": None}),
        GIVES,
    ),
    "POST /v1/licences/{licence_id}/shop": (
        lambda a: (f"/v1/licences/{a.shop_licence}/shop", {"organisation_id": a.world.organisations["shop"]}),
        GIVES,
    ),
    "POST /v1/licences/{licence_id}/documents": (
        lambda a: (f"/v1/licences/{a.licence}/documents", {"files": {"file": ("contract.pdf", CONTRACT)}}),
        GIVES.replace("200", "201"),
    ),
    "GET /v1/licences/{licence_id}/documents/{document_id}": (
        lambda a: (f"/v1/licences/{(licence := a.licence)}/documents/{a.rights.document(licence)}", None),
        "401 403 200 200 200 403 403 404 403 403",
    ),
    "GET /v1/decisions": (lambda a: ("/v1/decisions", None), "401 403 200 403 200 403 403 200 403 403"),
    "POST /v1/decisions": (lambda a: ("/v1/decisions", a.match), "401 403 201 403 403 403 403 201 403 403"),
    "DELETE /v1/decisions/{decision_id}": (
        lambda a: (f"/v1/decisions/{a.rights.decided().decision_id}", None),
        "401 403 200 403 403 403 403 403 403 403",  # reviewers overrule, and retract their own
    ),
    "POST /v1/checks": (lambda a: ("/v1/checks", FILE), "401 403 202 202 202 403 403 202 403 403"),
    "POST /v1/checks/by-url": (
        lambda a: ("/v1/checks/by-url", {"url": "http://192.0.2.1/a.jpg"}),
        "401 403 202 202 202 403 403 202 403 403",
    ),
    "POST /v1/checks/bulk": (
        lambda a: ("/v1/checks/bulk", {"files": {"files": ("a.jpg", b"")}}),
        "401 403 202 202 202 403 403 202 403 403",
    ),
    "GET /v1/checks": (lambda a: ("/v1/checks", None), LOOKS),
    "GET /v1/checks/{finding_id}": (lambda a: (a.check_path, None), LOOKS),
    "DELETE /v1/checks/{finding_id}": (
        lambda a: (f"/v1/checks/{a.rights.finding(by='studio.seller')}", None),
        "401 403 204 204 204 403 403 404 403 403",
    ),
    "GET /v1/checks/{finding_id}/picture": (lambda a: (f"{a.check_path}/picture", None), LOOKS),
    "GET /v1/checks/{finding_id}/matches/{number}/pictures": (
        lambda a: (f"{a.check_path}/matches/1/pictures", None),
        LOOKS,
    ),
    "GET /v1/checks/{finding_id}/matches/{number}/pictures/{name}": (
        lambda a: (f"{a.check_path}/matches/1/pictures/aligned", None),
        LOOKS,
    ),
    "POST /v1/compare": (
        lambda a: ("/v1/compare", {"files": {"query": ("a.jpg", b""), "reference": ("b.jpg", b"")}}),
        "401 403 422 422 422 403 403 422 403 403",  # 422: who may ask is told that these are no pictures
    ),
    "POST /v1/packets/verify": (
        lambda a: ("/v1/packets/verify", {"files": {"packet": ("a.asice", b"no packet")}}),
        "401 200 200 200 200 200 200 200 403 403",  # of keys, those with packets:read
    ),
    "POST /v1/search/hash": (
        lambda a: ("/v1/search/hash", {"pdq": "0" * 64}),
        "401 403 200 200 200 403 403 200 403 403",
    ),
    "GET /v1/packets": (lambda a: ("/v1/packets", None), PACKS),
    "POST /v1/packets": (
        lambda a: ("/v1/packets", {"ids": [a.world.reference_id], "purpose": "record"}),
        ORDERS.replace("200", "201"),
    ),
    "GET /v1/packets/trust": (lambda a: (f"/v1/packets/trust{a.published[:0]}", None), PACKS),
    "GET /v1/packets/{packet_id}": (lambda a: (a.packet_path, None), ORDERS),
    "GET /v1/packets/{packet_id}/file": (lambda a: (f"{a.packet_path}/file", None), ORDERS),
    "DELETE /v1/packets/{packet_id}": (lambda a: (a.packet_path, None), ORDERS),
    "GET /v1/works": (lambda a: ("/v1/works", None), KNOWS),
    "GET /v1/works/{work_id}": (
        lambda a: (f"/v1/works/{a.work}", None),
        ORDERS,
    ),
    "PUT /v1/works/{work_id}/references/{reference_id}": (
        lambda a: (f"/v1/works/{a.work}/references/{a.world.reference_id}", None),
        REGISTERS,
    ),
    "GET /v1/collections": (lambda a: ("/v1/collections", None), KNOWS),
    "POST /v1/collections": (
        lambda a: ("/v1/collections", {"name": f"Set {next(_numbers)}"}),
        REGISTERS.replace("200", "201"),
    ),
    "GET /v1/collections/{collection_id}": (
        lambda a: (f"/v1/collections/{a.collection}", None),
        ORDERS,
    ),
    "PATCH /v1/collections/{collection_id}": (
        lambda a: (f"/v1/collections/{a.collection}", {"name": f"Set {next(_numbers)}"}),
        REGISTERS,
    ),
    "DELETE /v1/collections/{collection_id}": (
        lambda a: (f"/v1/collections/{a.collection}", None),
        REGISTERS.replace("200", "204"),
    ),
    "PUT /v1/collections/{collection_id}/works/{work_id}": (
        lambda a: (f"/v1/collections/{a.collection}/works/{a.work}", None),
        REGISTERS,
    ),
    "DELETE /v1/collections/{collection_id}/works/{work_id}": (
        lambda a: (f"/v1/collections/{a.collection}/works/{a.work}", None),
        REGISTERS,
    ),
    "GET /v1/jobs": (lambda a: ("/v1/jobs", None), LOOKS),
    "GET /v1/jobs/{job_id}": (lambda a: (f"/v1/jobs/{a.job}", None), "401 403 200 200 200 404 404 200 403 200"),
    "GET /v1/jobs/{job_id}/items": (
        lambda a: (f"/v1/jobs/{a.job}/items", None),
        "401 403 200 200 200 404 404 200 403 200",
    ),
    "GET /v1/jobs/{job_id}/events": (
        lambda a: (f"/v1/jobs/{a.ended_job}/events", None),
        "401 403 200 200 200 404 404 200 403 200",
    ),
    "POST /v1/jobs/{job_id}/cancel": (
        lambda a: (f"/v1/jobs/{a.job}/cancel", None),
        "401 403 200 200 200 404 404 404 403 403",
    ),
    "POST /v1/feeds": (
        lambda a: ("/v1/feeds", {"files": {"file": ("feed.csv", FEED)}}),
        "401 403 202 202 202 403 403 202 403 403",
    ),
    "POST /v1/feeds/by-url": (
        lambda a: ("/v1/feeds/by-url", {"url": "http://192.0.2.1/feed.csv"}),
        "401 403 422 422 422 403 403 422 403 403",  # 422: who may ask is told that it is not fetched from there
    ),
    "GET /v1/feeds": (lambda a: ("/v1/feeds", None), LOOKS),
    "GET /v1/feeds/{feed_id}": (
        lambda a: (f"/v1/feeds/{a.feed}", None),
        "401 403 200 200 200 403 403 200 403 200",
    ),
    "GET /v1/feeds/{feed_id}/result": (
        lambda a: (f"/v1/feeds/{a.feed}/result", None),
        "401 403 200 200 200 403 403 200 403 200",
    ),
    "DELETE /v1/feeds/{feed_id}": (
        lambda a: (f"/v1/feeds/{a.feed}", None),
        "401 403 204 204 204 403 403 404 403 403",
    ),
    "POST /v1/references": (lambda a: ("/v1/references", FILE), REGISTERS.replace("200", "202")),
    "POST /v1/references/by-url": (
        lambda a: ("/v1/references/by-url", {"url": "http://192.0.2.1/a.jpg"}),
        REGISTERS.replace("200", "202"),
    ),
    "POST /v1/references/bulk": (
        lambda a: ("/v1/references/bulk", {"files": {"files": ("a.jpg", b"")}}),
        REGISTERS.replace("200", "202"),
    ),
    "GET /v1/references": (lambda a: ("/v1/references", None), KNOWS),
    "GET /v1/references/{reference_id}": (lambda a: (a.reference_path, None), KNOWS),
    "PATCH /v1/references/{reference_id}": (lambda a: (a.reference_path, {"title": "Mug"}), REGISTERS),
    "DELETE /v1/references/{reference_id}": (lambda a: (a.reference_path, None), REGISTERS),
    "GET /v1/references/{reference_id}/claims": (lambda a: (f"{a.reference_path}/claims", None), KNOWS),
    "POST /v1/references/{reference_id}/claims": (
        lambda a: (f"{a.reference_path}/claims", {"places": ["Oslo"]}),
        REGISTERS.replace("200", "201"),
    ),
    "GET /v1/references/{reference_id}/proofs": (lambda a: (f"{a.reference_path}/proofs", None), KNOWS),
    "POST /v1/references/{reference_id}/proofs": (
        lambda a: (f"{a.reference_path}/proofs", {"files": {"file": ("a.nef", b"a"), "kind": (None, "raw")}}),
        REGISTERS.replace("200", "201"),
    ),
    "POST /v1/references/{reference_id}/proofs/by-digest": (
        lambda a: (
            f"{a.reference_path}/proofs/by-digest",
            {"kind": "raw", "name": "a.nef", "sha256": "a" * 64, "byte_length": 1},
        ),
        REGISTERS.replace("200", "201"),
    ),
    "GET /v1/references/{reference_id}/proofs/{proof_id}": (
        lambda a: (f"{a.reference_path}/proofs/{a.proof}", None),
        KNOWS,
    ),
    "DELETE /v1/references/{reference_id}/proofs/{proof_id}": (
        lambda a: (f"{a.reference_path}/proofs/{a.proof}", None),
        REGISTERS,
    ),
    "GET /v1/references/{reference_id}/original": (lambda a: (f"{a.reference_path}/original", None), KNOWS),
    "GET /v1/references/{reference_id}/picture": (lambda a: (f"{a.reference_path}/picture", None), KNOWS),
    "GET /v1/references/{reference_id}/proof": (lambda a: (f"{a.reference_path}/proof{a.published[:0]}", None), KNOWS),
    "GET /v1/references/{reference_id}/record": (
        lambda a: (f"{a.reference_path}/record", None),
        "401 403 200 403 200 403 403 404 403 403",
    ),
    "GET /v1/log": (lambda a: ("/v1/log", None), ALL),
    "GET /log/checkpoint": (lambda a: (f"/log/checkpoint{a.published[:0]}", None), ALL),
    "GET /log/tile/{path:path}": (lambda a: (f"/log/tile/0/000.p/{a.published}", None), ALL),
}
MATRIX |= {
    "GET /v1/webhooks": (lambda a: ("/v1/webhooks", None), RUNS),
    "POST /v1/webhooks": (
        lambda a: ("/v1/webhooks", {"url": "https://hooks.example.org/"}),
        RUNS.replace("200", "201"),
    ),
    "GET /v1/webhooks/{webhook_id}": (lambda a: (f"/v1/webhooks/{a.webhook}", None), TELLS),
    "PATCH /v1/webhooks/{webhook_id}": (lambda a: (f"/v1/webhooks/{a.webhook}", {"note": "desk"}), TELLS),
    "DELETE /v1/webhooks/{webhook_id}": (lambda a: (f"/v1/webhooks/{a.webhook}", None), TELLS.replace("200", "204")),
    "POST /v1/webhooks/{webhook_id}/secret": (
        lambda a: (f"/v1/webhooks/{a.webhook}/secret", None),
        TELLS.replace("200", "201"),
    ),
    "POST /v1/webhooks/{webhook_id}/test": (
        lambda a: (f"/v1/webhooks/{a.webhook}/test", None),
        TELLS.replace("200", "202"),
    ),
    "POST /v1/webhooks/{webhook_id}/replay": (
        lambda a: (f"/v1/webhooks/{a.webhook}/replay", {"since": "2026-03-01T00:00:00Z"}),
        TELLS.replace("200", "202"),
    ),
    "GET /v1/webhooks/{webhook_id}/deliveries": (lambda a: (f"/v1/webhooks/{a.webhook}/deliveries", None), TELLS),
    "GET /v1/webhooks/{webhook_id}/deliveries/{delivery_id}": (
        lambda a: (f"/v1/webhooks/{(webhook := a.webhook)}/deliveries/{a.delivery(webhook)}", None),
        TELLS,
    ),
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": (
        lambda a: (f"/v1/webhooks/{(webhook := a.webhook)}/deliveries/{a.delivery(webhook)}/replay", None),
        TELLS.replace("200", "202"),
    ),
}
OPEN = {route for route, (_, statuses) in MATRIX.items() if not statuses.startswith("401")}


def _asking(client: Client, world: World, asker: str) -> Client:
    kind, _, name = asker.rpartition(" ")
    if asker == "nobody":
        return client.another()
    if kind != "key":
        return signed_in(client, name)
    other = client.another()
    other.headers["Authorization"] = f"Bearer {world.keys[name]}"
    return other


def _sent(body: dict[str, Any] | None) -> dict[str, Any]:
    return body if body is not None and body.keys() == {"files"} else {"json": body}


@pytest.mark.parametrize("route", MATRIX)
def test_who_gets_what(route: str, client: Client, services: Services, world: World) -> None:
    method = route.partition(" ")[0]
    sample, statuses = MATRIX[route]
    for asker, wanted in zip(ASKERS, map(int, statuses.split()), strict=True):
        path, body = sample(Asking(world=world, services=services, asker=asker))
        answer = _asking(client, world, asker).request(method, path, **_sent(body))
        assert answer.status_code == wanted, (asker, answer.text)
        if wanted in CODES:
            assert_problem(answer, wanted, CODES[wanted])


@pytest.mark.parametrize("route", sorted(MATRIX.keys() - OPEN))
def test_a_disabled_member_gets_nothing(route: str, client: Client, services: Services, world: World) -> None:
    method = route.partition(" ")[0]
    path, body = MATRIX[route][0](Asking(world=world, services=services, asker="nobody"))
    person, program = signed_in(client, "studio.seller"), _asking(client, world, "key studio.seller")
    services.members.disable(services.organisations.console(), world.members["studio.seller"])
    for asker in (person, program):
        assert_problem(asker.request(method, path, **_sent(body)), 401, "authentication_required")


def test_every_route_is_in_the_matrix(tmp_path) -> None:
    app = create_app(Services(Settings(home=tmp_path)))
    routes = {f"{method} {route.path}" for route in walk(app.routes) for method in route.methods}
    assert routes == set(MATRIX)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/v1/members/{}", "mem"),
        ("DELETE", "/v1/members/{}", "mem"),
        ("POST", "/v1/members/{}/export", "mem"),
        ("DELETE", "/v1/members/{}/identities", "mem"),
        ("DELETE", "/v1/keys/{}", "key"),
        ("GET", "/v1/organisations/{}", "org"),
        ("GET", "/v1/members?organisation_id={}", "org"),
        ("GET", "/v1/audit-events?organisation_id={}", "org"),
    ],
)
def test_a_stranger_cannot_tell_whether_it_is_there(
    method: str, path: str, kind: str, client: Client, services: Services, world: World
) -> None:
    asking = Asking(world=world, services=services, asker="shop.admin")
    there = {"mem": asking.member, "key": asking.key, "org": asking.studio}[kind]
    nowhere = f"{kind}_{'0' * 26}"
    stranger = signed_in(client, "shop.admin")
    found = [assert_problem(stranger.request(method, path.format(name)), 404, "not_found") for name in (there, nowhere)]
    one, other = ({**problem, "request_id": ""} for problem in found)
    assert one["detail"].replace(there, nowhere) == other["detail"]
    assert {**one, "detail": ""} == {**other, "detail": ""}
