"""Licences: who may give, take and see them, what is refused, and what is written of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from imgguard.errors import InputError, InvalidTransition, NotFound, PermissionDenied, UnsupportedFormat
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Role, Scope
from imgguard.services.account_objects import iso
from imgguard.services.licences import Licences, Terms
from imgguard.services.rights_inputs import LONGEST_DOCUMENT, document_type
from imgguard.services.rights_objects import document_object, licence_object

Estate = Any
PDF = b"%PDF-1.7 a contract"
SAMPLES = Path(__file__).parents[5] / "sample_images"
DAY = timedelta(days=1)


WRITES = ("grant", "extend", "confirm", "add_document", "revoke")
READS = ("licence", "linked", "documents", "document")
# What each of them may not do; all the rest it may.
EXPECTED: dict[str, dict[str, type[Exception]]] = {
    "holder": {"accept": InvalidTransition},
    "licensee": dict.fromkeys(WRITES, PermissionDenied),
    "licensee with every role": dict.fromkeys(WRITES, NotFound),
    "stranger": dict.fromkeys((*WRITES, *READS), NotFound),
    "seller of the licensor": dict.fromkeys(WRITES, PermissionDenied) | {"accept": InvalidTransition},
    "reviewer of the operator": dict.fromkeys(WRITES, PermissionDenied) | dict.fromkeys(READS, NotFound),
    "admin of the licensor": dict.fromkeys((*WRITES, *READS, "lists", "accept"), PermissionDenied),
    "reading key of the licensor": dict.fromkeys((*WRITES, "accept"), PermissionDenied),
    "key of the licensor for checks": dict.fromkeys((*WRITES, *READS, "lists", "accept"), PermissionDenied),
    "reading key of the licensee": dict.fromkeys((*WRITES, "accept"), PermissionDenied),
    "key of the licensee for checks": dict.fromkeys((*WRITES, *READS, "lists", "accept"), PermissionDenied),
    "console": dict.fromkeys((*WRITES, *READS), NotFound),
}


class TestTheMatrix:
    """Every method for the licensor, a licensee, one who took a link up, strangers, other roles and narrow keys."""

    def attempts(self, estate: Estate) -> dict[str, Callable[[Actor], object]]:
        direct, link = estate.grant().licence, estate.by_link()
        shop = estate.grant(shop="Blue Shop").licence
        estate.licences.accept_link(estate.seller, link.link_token)
        document = estate.licences.add_document(estate.holder, direct.licence_id, PDF, title="Contract")
        licences = estate.licences
        work = estate.register("Studio").work_id
        return {
            "grant": lambda actor: licences.grant(actor, Terms(work_ids=[work]), shop="Red Shop"),
            "extend": lambda actor: licences.extend(actor, direct.licence_id, None),
            "confirm": lambda actor: licences.confirm_shop(actor, shop.licence_id, estate.rival.organisation_id),
            "add_document": lambda actor: licences.add_document(actor, direct.licence_id, PDF, title="More"),
            "revoke": lambda actor: licences.revoke(actor, shop.licence_id),
            "licence": lambda actor: licences.licence(actor, direct.licence_id),
            "linked": lambda actor: licences.licence(actor, link.licence.licence_id),
            "documents": lambda actor: licences.documents(actor, direct.licence_id),
            "document": lambda actor: licences.document(actor, direct.licence_id, document.document_id),
            "lists": lambda actor: (licences.given(actor), licences.received(actor)),
            "accept": lambda actor: licences.accept_link(actor, link.link_token),
        }

    def actor(self, estate: Estate, who: str) -> Actor:
        makers: dict[str, Callable[[], Actor]] = {
            "holder": lambda: estate.holder,
            "licensee": lambda: estate.seller,
            "licensee with every role": lambda: estate.member("all@shop.example", *Role, of=estate.shop),
            "stranger": lambda: estate.stranger,
            "seller of the licensor": lambda: estate.member("seller@studio.example", Role.SELLER, of=estate.studio),
            "reviewer of the operator": lambda: estate.reviewer,
            "admin of the licensor": lambda: estate.member("admin@studio.example", Role.ADMIN, of=estate.studio),
            "reading key of the licensor": lambda: estate.key(estate.holder, Scope.LICENCES_READ),
            "key of the licensor for checks": lambda: estate.key(estate.holder, Scope.CHECKS_WRITE),
            "reading key of the licensee": lambda: estate.key(estate.seller, Scope.LICENCES_READ),
            "key of the licensee for checks": lambda: estate.key(estate.seller, Scope.CHECKS_WRITE),
            "console": lambda: estate.console,
        }
        return makers[who]()

    @pytest.mark.parametrize("who", EXPECTED)
    def test_who_may_what(self, estate: Estate, who: str) -> None:
        attempts, expected = self.attempts(estate), EXPECTED[who]
        actor = self.actor(estate, who)
        for name, attempt in attempts.items():
            before = estate.events()
            if name in expected:
                with pytest.raises(expected[name]):
                    attempt(actor)
                assert estate.events() == before, name
            else:
                attempt(actor)

    def test_the_same_answer_for_what_is_not_there(self, estate: Estate) -> None:
        licence_id = estate.grant().licence.licence_id
        said = []
        for wanted in (licence_id, "lic_none"):
            with pytest.raises(NotFound) as caught:
                estate.licences.licence(estate.stranger, wanted)
            said.append((caught.value.detail.replace(wanted, ""), caught.value.advice))
        assert said[0] == said[1]


class TestGranting:
    def test_to_an_organisation(self, estate: Estate) -> None:
        work = estate.register("Studio").work_id
        terms = Terms(
            work_ids=[work, work],
            uses=["Listing "],
            platforms=["AliExpress"],
            territories=["de", "FR"],
            ends_at=estate.now() + DAY,
            note="  for\r\nspring ",
        )
        granted = estate.grant(terms)
        licence = granted.licence
        assert granted.link_token is None
        assert (licence.licensor, licence.licensee) == ("Studio", "Shop")
        assert (licence.work_ids, licence.uses, licence.platforms) == ({work}, {"listing"}, {"aliexpress"})
        assert (licence.territories, licence.note) == ({"DE", "FR"}, "for\nspring")
        assert (licence.starts_at, licence.revision) == (estate.now(), 1)
        assert estate.licences.licence(estate.seller, licence.licence_id) == licence

    @pytest.mark.parametrize(
        "to",
        [{}, {"licensee_id": "org_1", "shop": "Blue"}, {"licensee_id": "org_1", "by_link": True}, {"shop": " "}],
    )
    def test_to_exactly_one(self, estate: Estate, to: dict[str, Any]) -> None:
        with pytest.raises(InputError):
            estate.licences.grant(estate.holder, Terms(), **to)

    def test_to_somebody_else_who_is_there(self, estate: Estate) -> None:
        with pytest.raises(InputError, match="own works"):
            estate.grant(licensee_id=estate.studio.organisation_id)
        with pytest.raises(NotFound, match="no organisation"):
            estate.grant(licensee_id="org_none")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"work_ids": []},
            {"uses": ["two words"]},
            {"platforms": [""]},
            {"platforms": [f"p{number}" for number in range(251)]},
            {"territories": ["UK"]},
            {"territories": ["germany"]},
            {"note": "x" * 2001},
            {"note": "a\x00b"},
            {"starts_at": datetime(2026, 5, 1)},  # noqa: DTZ001
            {"ends_at": datetime(2027, 5, 1)},  # noqa: DTZ001
        ],
    )
    def test_what_is_refused(self, estate: Estate, wrong: dict[str, Any]) -> None:
        before = estate.events()
        with pytest.raises(InputError):
            estate.grant(Terms(**wrong))
        assert estate.events() == before

    def test_it_ends_after_it_starts(self, estate: Estate) -> None:
        for ends_at in (estate.now() + DAY, estate.now()):
            with pytest.raises(InputError, match="before it starts"):
                estate.grant(Terms(starts_at=estate.now() + DAY, ends_at=ends_at))
        with pytest.raises(InputError, match="before it starts"):
            estate.grant(Terms(ends_at=estate.now()))

    def test_only_own_works(self, estate: Estate) -> None:
        theirs = estate.register("Rival").work_id
        for work in (theirs, "wrk_none"):
            with pytest.raises(NotFound, match=f"no work {work}"):
                estate.grant(Terms(work_ids=[work]))


class TestTakingUp:
    def test_the_link_is_shown_once_and_not_stored(self, estate: Estate) -> None:
        granted = estate.by_link()
        token = granted.link_token
        assert token
        assert token not in repr(granted)
        estate.house.database.scrub()
        assert token.encode() not in estate.house.database.path.read_bytes()
        assert token not in json.dumps([dict(event.detail) for event in estate.events()])

    def test_everyone_with_the_link(self, estate: Estate) -> None:
        granted = estate.by_link()
        licence_id = granted.licence.licence_id
        for wrong in ("", "x", granted.link_token + "x"):
            with pytest.raises(NotFound, match="no licence has this link"):
                estate.licences.accept_link(estate.seller, wrong)
        first = estate.licences.accept_link(estate.seller, f" {granted.link_token}\n")
        second = estate.licences.accept_link(estate.stranger, granted.link_token)
        assert [holder.name for holder in first.holders] == ["Shop"]
        assert [holder.name for holder in second.holders] == ["Rival"]  # and not who else
        (received,) = estate.licences.received(estate.stranger)
        assert received == second == estate.licences.licence(estate.stranger, licence_id)
        (given,) = estate.licences.given(estate.holder)
        assert {holder.name for holder in given.holders} == {"Shop", "Rival"}
        before = estate.events()
        assert estate.licences.accept_link(estate.seller, granted.link_token).revision == 3
        assert estate.events() == before

    def test_not_when_it_is_over(self, estate: Estate) -> None:
        ending = estate.licences.grant(estate.holder, Terms(ends_at=estate.now() + DAY), by_link=True)
        revoked = estate.by_link()
        estate.licences.revoke(estate.holder, revoked.licence.licence_id)
        estate.clock.move(days=1)
        for granted, match in ((ending, "has ended"), (revoked, "revoked")):
            with pytest.raises(InvalidTransition, match=match):
                estate.licences.accept_link(estate.seller, granted.link_token)

    def test_a_shop_is_confirmed_by_the_licensor(self, estate: Estate) -> None:
        licence = estate.grant(shop="  Blue   Shop ").licence
        assert (licence.shop, licence.holder_ids) == ("Blue Shop", frozenset())
        assert estate.licences.received(estate.seller) == []
        shop, rival = estate.shop.organisation_id, estate.rival.organisation_id
        confirmed = estate.licences.confirm_shop(estate.holder, licence.licence_id, shop)
        assert confirmed.holder_ids == {shop}
        assert list(estate.licences.received(estate.seller)) == [confirmed]
        assert estate.licences.confirm_shop(estate.holder, licence.licence_id, shop) == confirmed
        with pytest.raises(InvalidTransition, match="a licensee already"):
            estate.licences.confirm_shop(estate.holder, licence.licence_id, rival)
        with pytest.raises(NotFound, match="no organisation"):
            estate.licences.confirm_shop(estate.holder, estate.grant(shop="Red").licence.licence_id, "org_none")

    @pytest.mark.parametrize("kind", ["direct", "link"])
    def test_only_a_shop_is_confirmed(self, estate: Estate, kind: str) -> None:
        granted = estate.grant() if kind == "direct" else estate.by_link()
        with pytest.raises(InvalidTransition, match="not for a named shop"):
            estate.licences.confirm_shop(estate.holder, granted.licence.licence_id, estate.rival.organisation_id)


class TestChanging:
    def test_revoked_keeps_its_history(self, estate: Estate) -> None:
        licence_id = estate.grant().licence.licence_id
        document = estate.licences.add_document(estate.holder, licence_id, PDF, title="Contract")
        estate.clock.move(days=1)
        revoked = estate.licences.revoke(estate.holder, licence_id)
        assert revoked.revoked_at == estate.now()
        before = estate.events()
        assert estate.licences.revoke(estate.holder, licence_id) == revoked
        assert estate.events() == before
        assert list(estate.licences.received(estate.seller)) == [revoked]
        assert estate.licences.document(estate.seller, licence_id, document.document_id)[0] == PDF
        with pytest.raises(InvalidTransition):
            estate.licences.extend(estate.holder, licence_id, None)
        with pytest.raises(InvalidTransition):
            estate.licences.add_document(estate.holder, licence_id, PDF, title="More")

    def test_extended(self, estate: Estate) -> None:
        end = estate.now() + DAY
        licence_id = estate.grant(Terms(ends_at=end)).licence.licence_id
        assert estate.licences.extend(estate.holder, licence_id, end + DAY).ends_at == end + DAY
        with pytest.raises(InputError, match="shortened"):
            estate.licences.extend(estate.holder, licence_id, end)
        with pytest.raises(InputError, match="time zone"):
            estate.licences.extend(estate.holder, licence_id, datetime(2030, 1, 1))  # noqa: DTZ001

    def test_reminders(self, estate: Estate) -> None:
        soon, later = (estate.grant(Terms(ends_at=estate.now() + days * DAY)).licence for days in (14, 15))
        assert [estate.licences.ends_soon(one, at=estate.now()) for one in (soon, later)] == [True, False]
        assert estate.licences.remind() == 1
        (event,) = [one for one in estate.events() if one.action == "licence.ending"]
        assert (event.actor, event.key_id, event.object_id) == ("service", None, soon.licence_id)
        assert event.detail == {"ends_at": iso(soon.ends_at)}
        assert event.parties == {estate.studio.organisation_id, estate.shop.organisation_id}
        assert estate.licences.remind() == 0
        estate.clock.move(days=20)
        assert not estate.licences.ends_soon(soon, at=estate.now())
        assert estate.licences.remind() == 0

    def test_no_holder_learns_of_another_from_a_reminder(self, estate: Estate) -> None:
        link = estate.grant(Terms(ends_at=estate.now() + DAY), by_link=True)
        alone = estate.grant(Terms(ends_at=estate.now() + DAY), by_link=True).licence
        for actor in (estate.seller, estate.stranger):
            estate.licences.accept_link(actor, str(link.link_token))
        assert estate.licences.remind() == 2
        told = [one for one in estate.events() if one.action == "licence.ending"]
        studio, shop, rival = (one.organisation_id for one in (estate.studio, estate.shop, estate.rival))
        assert sorted(map(sorted, (one.parties for one in told if one.object_id == link.licence.licence_id))) == sorted(
            map(sorted, ({studio, shop}, {studio, rival}))
        )
        assert [one.parties for one in told if one.object_id == alone.licence_id] == [{studio}]

    def test_nobody_is_reminded_where_the_operator_wants_none(self, estate: Estate) -> None:
        licence = estate.grant(Terms(ends_at=estate.now() + DAY)).licence
        none = Licences(rights=estate.rights, blobs=estate.blobs, clock=estate.clock, reminder=timedelta())
        assert (none.remind(), none.ends_soon(licence, at=estate.now())) == (0, False)
        assert estate.licences.remind() == 1


class TestDocuments:
    @pytest.mark.parametrize(
        ("data", "media_type"),
        [
            (PDF, "application/pdf"),
            ("BMäßig: a text that begins as a bitmap does\r\n".encode(), "text/plain"),
            (b"\xef\xbb\xbfmarked", "text/plain"),
            (b"<html><script>", "text/plain"),
            (b"\x89PNG\r\n\x1a\n\0\0\0", "image/png"),
            (b"BM\0\0\0\0", "image/bmp"),
        ],
    )
    def test_their_type_is_that_of_their_content(self, data: bytes, media_type: str) -> None:
        assert document_type(data) == media_type

    def test_a_photograph_of_a_contract(self) -> None:
        photograph = next(iter(sorted((SAMPLES / "listings").glob("*.jpg"))))
        assert document_type(photograph.read_bytes()) == "image/jpeg"

    @pytest.mark.parametrize(
        "data", [b"MZ\x90\0", b"PK\x03\x04\xff", b"\xff\xfea\0", b"a\0b", b"esc \x1b[31m", b"\x7f"]
    )
    def test_other_types_are_refused(self, data: bytes) -> None:
        with pytest.raises(UnsupportedFormat):
            document_type(data)

    @pytest.mark.parametrize("data", [b"", b"%PDF-" + bytes(LONGEST_DOCUMENT - 4)])
    def test_sizes(self, data: bytes) -> None:
        with pytest.raises(InputError, match="bytes"):
            document_type(data)
        assert document_type(b"%PDF-" + bytes(LONGEST_DOCUMENT - 5)) == "application/pdf"

    def test_the_chain_in_order(self, estate: Estate) -> None:
        licence_id = estate.grant().licence.licence_id
        titles = ["From the photographer", "From the agency"]
        for title in titles:
            estate.licences.add_document(estate.holder, licence_id, title.encode(), title=f" {title} ")
        chain = estate.licences.documents(estate.seller, licence_id)
        assert [(found.position, found.title) for found in chain] == [(1, titles[0]), (2, titles[1])]
        for document in chain:
            data, media_type = estate.licences.document(estate.seller, licence_id, document.document_id)
            assert (data.decode(), media_type) == (document.title, "text/plain")
        other = estate.grant().licence.licence_id
        with pytest.raises(NotFound, match="no document"):
            estate.licences.document(estate.seller, other, chain[0].document_id)
        with pytest.raises(InputError):
            estate.licences.add_document(estate.holder, licence_id, PDF, title="")

    def test_the_bytes_outlive_a_deletion_that_was_decided(self, estate: Estate) -> None:
        licence_id = estate.grant().licence.licence_id
        sha256 = estate.blobs.put(PDF)
        estate.catalogue.queue_blob_deletions([sha256], at=estate.now())
        document = estate.licences.add_document(estate.holder, licence_id, PDF, title="Contract")
        estate.catalogue.delete_blobs(estate.blobs.delete)
        assert estate.licences.document(estate.holder, licence_id, document.document_id)[0] == PDF


class TestTheTrail:
    def test_every_change_is_told_to_both_sides(self, estate: Estate) -> None:
        studio, shop = estate.studio.organisation_id, estate.shop.organisation_id
        licence_id = estate.grant().licence.licence_id
        link, named = estate.by_link(), estate.grant(shop="Anna Smith").licence
        start = len(estate.events()) - 3
        licences, holder = estate.licences, estate.holder
        licences.accept_link(estate.seller, link.link_token)
        licences.confirm_shop(holder, named.licence_id, shop)
        document = licences.add_document(holder, licence_id, PDF, title="Smith's contract")
        licences.revoke(holder, licence_id)
        told = [(event.action, event.object_id, event.parties) for event in estate.events()[start:]]
        both, link_id = {studio, shop}, link.licence.licence_id
        assert told == [
            ("licence.granted", licence_id, both),
            ("licence.granted", link_id, {studio}),
            ("licence.granted", named.licence_id, {studio}),
            ("licence.accepted", link_id, both),
            ("licence.shop_confirmed", named.licence_id, both),
            ("licence.document_added", licence_id, both),
            ("licence.revoked", licence_id, both),
        ]
        events = estate.events()[start:]
        assert {event.organisation_id for event in events} == {studio}
        assert [event.actor for event in events] == [
            *([holder.member_id] * 3),
            estate.seller.member_id,
            *([holder.member_id] * 3),
        ]
        assert events[-2].detail == {"document_id": document.document_id, "sha256": document.sha256}
        assert "Smith" not in json.dumps([dict(event.detail) for event in events])

    def test_extending(self, estate: Estate) -> None:
        end = estate.now() + DAY
        licence = estate.grant(Terms(ends_at=end)).licence
        key = replace(estate.holder, key_id="key_1")
        estate.licences.extend(key, licence.licence_id, end + DAY)
        event = estate.events()[-1]
        assert (event.action, event.detail, event.key_id) == (
            "licence.extended",
            {"ends_at": "2026-05-03T12:00:00Z"},
            "key_1",
        )
        before = estate.events()
        estate.licences.extend(key, licence.licence_id, end + DAY)
        assert estate.events() == before

    def test_those_who_took_a_link_up_do_not_learn_of_each_other(self, estate: Estate) -> None:
        granted = estate.by_link()
        for actor in (estate.seller, estate.stranger):
            estate.licences.accept_link(actor, granted.link_token)
        start = len(estate.events())
        estate.licences.revoke(estate.holder, granted.licence.licence_id)
        studio = estate.studio.organisation_id
        told = [event.parties for event in estate.events()[start:]]
        assert len(told) == 2
        assert {frozenset(parties - {studio}) for parties in told} == {
            frozenset({estate.shop.organisation_id}),
            frozenset({estate.rival.organisation_id}),
        }


def test_pages(estate: Estate) -> None:
    made = [estate.grant().licence for _ in range(3)]
    assert list(estate.licences.given(estate.holder, limit=2)) == made[:2]
    assert list(estate.licences.received(estate.seller, after=made[0].licence_id)) == made[1:]
    for listed in (estate.licences.given, estate.licences.received):
        for limit in (0, 1001):
            with pytest.raises(InputError):
                listed(estate.holder, limit=limit)


def test_as_json(estate: Estate) -> None:
    work = estate.register().work_id
    licence = estate.grant(Terms(work_ids=[work], uses=["listing"])).licence
    shown = licence_object(licence, at=estate.now())
    assert json.loads(json.dumps(shown)) == shown
    assert shown["licensee"] == {"organisation_id": estate.shop.organisation_id, "organisation": "Shop"}
    assert (shown["work_ids"], shown["uses"], shown["state"], shown["ends_at"]) == ([work], ["listing"], "valid", None)
    link = estate.by_link()
    accepted = licence_object(estate.licences.accept_link(estate.seller, link.link_token), at=estate.now())
    assert (accepted["licensee"], accepted["by_link"], accepted["work_ids"]) == (None, True, None)
    assert [holder["organisation"] for holder in accepted["holders"]] == ["Shop"]  # type: ignore[attr-defined]
    document = estate.licences.add_document(estate.holder, licence.licence_id, PDF, title="Contract")
    assert document_object(document)["media_type"] == "application/pdf"
