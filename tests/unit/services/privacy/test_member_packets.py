"""What members may put into a packet, and what a packet of theirs tells of others: nothing."""

import io
import json
import zipfile

import pytest

from imgguard.errors import DigestMismatch, InputError, InvalidTransition, NotFound, PermissionDenied
from imgguard.evidence.packet import building
from imgguard.evidence.packet.assembling import assemble
from imgguard.evidence.packet.contents import PacketContents
from imgguard.evidence.packet.model import Packet, Purpose, packet_json
from imgguard.ports import PacketState
from imgguard.registry.accounts import Action, Disclosure, Scope
from imgguard.registry.decisions import DecisionKind
from imgguard.services import packets
from imgguard.services.member_packets import PacketOrder
from imgguard.services.packet_views import PacketView

from .town import Town, listing, original, references_of, secrets_of

JACKET, MUG, HONEST = "copy-cropped-denim-jacket", "copy-mirrored-mug", "unrelated-watch"


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets without reports and seals, which these tests do not look at: an hour of pages."""

    def built(contents: PacketContents, *, seal: object) -> bytes:
        packet, files = assemble(contents)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in {**files, "packet.json": packet_json(packet)}.items():
                archive.writestr(name, data)
        return buffer.getvalue()

    assert packets.build_packet is building.build_packet
    monkeypatch.setattr(packets, "build_packet", built)


def reference(town: Town, owner: str) -> str:
    return references_of(town, owner)[0].reference_id


def order(*ids: str, **more: object) -> PacketOrder:
    return PacketOrder(ids=ids, purpose=Purpose.COMPLAINT, **more)  # type: ignore[arg-type]


def build(town: Town, who: str, *ids: str, **more: object) -> PacketView:
    return town.services.member_packets.build(town.actor(who), order(*ids, **more))


def opened(town: Town, who: str, view: PacketView) -> tuple[Packet, dict[str, bytes]]:
    with (
        town.services.member_packets.opened(town.actor(who), view.packet_id) as file,
        zipfile.ZipFile(file) as archive,
    ):
        files = {name: archive.read(name) for name in archive.namelist()}
    return Packet.model_validate_json(files["packet.json"]), files


def mixed(town: Town) -> str:
    """The shop registers a picture that both studios have too, and has a copy of it checked."""
    services, colleague = town.services, town.actor("asker's colleague")
    services.references.register(colleague, original("denim-jacket"), file="own-jacket.jpg")
    check = services.checks.check(colleague, listing(JACKET), file="mixed", profile="thorough")
    assert len({match.is_own for match in check.matches}) == 2
    return check.finding_id


class TestWhoMay:
    @pytest.mark.parametrize("who", ["owner", "other owner"])
    def test_an_owner_has_packets_of_its_own_originals(self, town: Town, who: str) -> None:
        name = town.actor(who).owner
        view = build(town, who, reference(town, name))
        assert (view.state, view.on_behalf_of, view.findings) == (PacketState.KEPT, name, [])
        packet, files = opened(town, who, view)
        assert [one.reference_id for one in packet.references] == [one.reference_id for one in view.references]
        assert files[packet.references[0].asset or ""]

    @pytest.mark.parametrize(
        "who", ["other owner", "stranger", "reviewer with originals", "seller of the operator", "asker's colleague"]
    )
    def test_originals_of_others_are_not_there(self, town: Town, who: str) -> None:
        for name in ("Sample Studio", "Nobody"):
            wanted = reference(town, name) if name == "Sample Studio" else "ref_nobody"
            with pytest.raises(NotFound, match=f"no reference {wanted}"):
                build(town, who, wanted)

    @pytest.mark.parametrize("who", ["owner", "stranger", "reviewer", "reviewer with originals"])
    def test_checks_of_others_are_not_there(self, town: Town, who: str) -> None:
        """For reviewers of the operator neither: their colleagues, who may read the packet, may not read the check."""
        with pytest.raises(NotFound, match="no finding"):
            build(town, who, town.finding(HONEST))

    @pytest.mark.parametrize("who", ["owner's admin", "asker's admin", "admin"])
    def test_admins_see_no_picture_and_have_no_packets(self, town: Town, who: str) -> None:
        actor, service = town.actor(who), town.services.member_packets
        for ask in (
            lambda: service.build(actor, order(town.finding(HONEST))),
            lambda: service.packets(actor),
            lambda: service.trust_file(actor),
        ):
            with pytest.raises(PermissionDenied, match="packets:"):
                ask()

    def test_a_seller_has_packets_of_checks_and_none_of_originals(self, town: Town) -> None:
        assert build(town, "asker", town.finding(HONEST)).references == []
        mine = reference(town, "Shop")
        for ids in ([mine], [town.finding(MUG)], [town.finding(HONEST), mine]):
            with pytest.raises(PermissionDenied, match="references:read"):
                build(town, "asker", *ids)

    def test_who_may_not_read_what_is_in_it_does_not_read_it(self, town: Town) -> None:
        service, seller = town.services.member_packets, town.actor("asker")
        view = build(town, "asker's colleague", town.finding(MUG))
        assert [one.reference_id for one in view.references] == [reference(town, "Shop")]
        for ask in (service.packet, service.opened, service.delete):
            with pytest.raises(PermissionDenied, match="references:read"):
                ask(seller, view.packet_id)
        honest = build(town, "asker", town.finding(HONEST))
        assert [one.packet_id for one in service.packets(seller)] == [honest.packet_id]
        both = [one.packet_id for one in service.packets(town.actor("asker's colleague"))]
        assert both == [honest.packet_id, view.packet_id]

    def test_a_key_has_no_more_than_its_scopes(self, town: Town) -> None:
        service, mine = town.services.member_packets, reference(town, "Sample Studio")
        writes = town.key("owner", Scope.PACKETS_WRITE, Scope.PACKETS_READ)
        with pytest.raises(PermissionDenied, match="references:read"):
            service.build(writes, order(mine))
        reads = town.key("owner", Scope.PACKETS_READ, Scope.REFERENCES_READ)
        with pytest.raises(PermissionDenied, match="packets:write"):
            service.build(reads, order(mine))
        view = build(town, "owner", mine)
        assert service.packet(reads, view.packet_id) == view
        with pytest.raises(PermissionDenied, match="packets:write"):
            service.delete(reads, view.packet_id)

    def test_the_maker_asks_too(self, town: Town) -> None:
        """It may be another process, some time later."""
        maker = town.services.packet_maker
        with pytest.raises(NotFound):
            maker.make(town.actor("owner"), order(reference(town, "Shop")))
        with pytest.raises(NotFound):
            maker.make(town.actor("owner"), order(town.finding(HONEST)))
        with pytest.raises(PermissionDenied):
            maker.make(town.actor("admin"), order(town.finding(HONEST)))

    def test_the_console_has_a_command_of_its_own(self, town: Town) -> None:
        console = town.services.organisations.console()
        with pytest.raises(PermissionDenied, match="belongs to a member"):
            town.services.member_packets.build(console, order(town.finding(HONEST)))

    @pytest.mark.parametrize("who", ["owner", "stranger", "reviewer with originals", "seller of the operator"])
    def test_packets_of_others_are_not_there(self, town: Town, who: str) -> None:
        service, actor = town.services.member_packets, town.actor(who)
        view = build(town, "asker's colleague", town.finding(MUG))
        for ask in (service.packet, service.opened, service.delete):
            with pytest.raises(NotFound, match="no packet"):
                ask(actor, view.packet_id)
        assert service.packets(actor) == []
        assert service.packet(town.actor("asker's colleague"), view.packet_id) == view


class TestWhatItTellsOfOthers:
    def test_a_check_that_found_only_others_is_refused(self, town: Town) -> None:
        town.disclose(Disclosure.FULL)
        for who in ("asker", "asker's colleague"):
            with pytest.raises(InputError, match="only originals of others"):
                build(town, who, town.finding(JACKET))

    @pytest.mark.parametrize("disclosure", [Disclosure.CONTACT, Disclosure.FULL])
    def test_a_check_that_found_others_too_brings_ones_own_and_names_nobody(
        self, town: Town, disclosure: Disclosure
    ) -> None:
        town.disclose(disclosure)
        finding_id = mixed(town)
        view = build(town, "asker's colleague", finding_id)
        packet, files = opened(town, "asker's colleague", view)
        (finding,), (own,) = packet.findings, packet.references
        assert (finding.verdict.value, finding.reference_id) == ("copy", own.reference_id)
        assert town.services.catalogue.reference(own.reference_id).owner == "Shop"
        assert finding.proofs == ()
        assert not [
            name for name in files if name.startswith("findings/1/") and name.endswith((".json", ".tlog-proof"))
        ]
        codes = [one.code for one in view.missing]
        assert "finding_names_others" in codes
        assert "finding_not_logged" not in codes
        others = [one.reference_id for one in references_of(town, "Sample Studio", "Second Studio")]
        everything = b"".join(files.values()) + view.model_dump_json().encode()
        assert not [one for one in (*others, "Sample Studio", "Second Studio") if one.encode() in everything]

    def test_of_ones_own_alone_the_record_of_the_check_is_there(self, town: Town) -> None:
        view = build(town, "asker's colleague", town.finding(MUG))
        packet, files = opened(town, "asker's colleague", view)
        assert packet.findings[0].proofs
        assert json.loads(files["findings/1/finding.json"])["finding_id"] == town.finding(MUG)
        assert "finding_names_others" not in [one.code for one in view.missing]

    def test_a_weaker_match_with_ones_own_is_told_as_what_it_is(self, town: Town) -> None:
        """What others' originals were found to be does not become a word about one's own."""
        services = town.services
        finding_id = mixed(town)
        made = services.check_store.check(finding_id)
        document = json.loads(made.finding.document)
        mine = {one.reference_id for one in references_of(town, "Shop")}
        for match in document["matches"]:
            if match["reference_id"] in mine:
                match |= {"verdict": "same_product", "reasons": ["different_scene"]}
        with services.database.write() as connection:
            # Findings cannot be changed: another one, of the same check.
            text = json.dumps(document | {"finding_id": "fnd_weaker"})
            connection.exec_driver_sql(
                "INSERT INTO findings SELECT 'fnd_weaker', created_at, file, query_sha256, ? FROM findings"
                " WHERE finding_id = ?",
                (text, finding_id),
            )
            connection.exec_driver_sql(
                "INSERT INTO checks SELECT 'fnd_weaker', organisation_id, member_id, key_id, intended_use, kept_until"
                " FROM checks WHERE finding_id = ?",
                (finding_id,),
            )
        who = "asker's colleague"
        packet, _ = opened(town, who, build(town, who, "fnd_weaker"))
        assert packet.findings[0].verdict.value == "same_product"

    def test_a_decision_comes_without_the_note_of_who_decided(self, town: Town) -> None:
        finding_id, mine = town.finding(MUG), reference(town, "Shop")
        town.services.decisions.decide(
            town.actor("reviewer"), finding_id, mine, DecisionKind.CONFIRMED_COPY, note="as Olga said on the phone"
        )
        packet, files = opened(town, "asker's colleague", build(town, "asker's colleague", finding_id))
        decision = packet.findings[0].decision
        assert decision is not None
        assert (decision.kind.value, decision.by.value, decision.note) == ("confirmed_copy", "reviewer", "")
        assert not [name for name, data in files.items() if b"as Olga said" in data]
        console = town.services.packets.build([finding_id], purpose=Purpose.RECORD)
        assert b"as Olga said" in console

    def test_that_nothing_was_found_tells_nothing_of_what_is_registered(self, town: Town) -> None:
        view = build(town, "asker", town.finding(HONEST))
        packet, _ = opened(town, "asker", view)
        assert (packet.references, packet.findings[0].verdict.value) == ((), "no_match")
        owners = ("Sample Studio", "Second Studio")
        told = packet_json(packet).decode() + view.model_dump_json()
        assert not [secret for secret in secrets_of(town, *owners, names=True) if secret in told]


class TestWhatIsErased:
    def test_a_reference_takes_every_packet_that_contains_it(self, town: Town) -> None:
        services, who = town.services, "asker's colleague"
        kept = build(town, who, town.finding(HONEST))
        gone = build(town, who, town.finding(MUG))
        assert gone.sha256 is not None
        services.references.erase(town.actor(who), reference(town, "Shop"))
        assert gone.sha256 not in set(services.blobs.digests())
        found = services.member_packets.packet(town.actor(who), gone.packet_id)
        assert (found.state, found.sha256, found.byte_length) == (PacketState.ERASED, None, None)
        assert (found.purpose, found.on_behalf_of, found.missing, found.against) == (None, None, [], [])
        assert [one.reference_id for one in found.references] == [reference(town, "Shop")]
        with pytest.raises(NotFound, match="no file"):
            services.member_packets.opened(town.actor(who), gone.packet_id)
        services.member_packets.opened(town.actor(who), kept.packet_id).close()
        with pytest.raises(InvalidTransition, match="erased"):
            build(town, who, reference(town, "Shop"))

    def test_a_check_takes_every_packet_that_contains_it(self, town: Town) -> None:
        services = town.services
        gone = build(town, "asker", town.finding(HONEST))
        services.checks.erase(town.actor("asker"), town.finding(HONEST))
        services.tidy()
        assert gone.sha256 not in set(services.blobs.digests())
        found = services.member_packets.packet(town.actor("asker"), gone.packet_id)
        assert (found.state, found.sha256) == (PacketState.ERASED, None)

    def test_what_is_erased_while_it_is_built_is_in_no_packet(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        services, owner = town.services, town.actor("owner")
        mine, build_packet, made = reference(town, "Sample Studio"), packets.build_packet, list[bytes]()

        def built(contents: PacketContents, *, seal: object) -> bytes:
            services.removal.erase(mine)
            made.append(build_packet(contents, seal=seal))  # type: ignore[arg-type]
            return made[-1]

        monkeypatch.setattr(packets, "build_packet", built)
        before = set(services.blobs.digests())
        with pytest.raises(InvalidTransition, match="erased meanwhile"):
            services.member_packets.build(owner, order(mine))
        services.tidy()
        assert made
        assert set(services.blobs.digests()) < before
        assert services.member_packets.packets(owner) == []

    def test_an_organisation_takes_its_packets(self, town: Town) -> None:
        services = town.services
        view = build(town, "asker", town.finding(HONEST))
        shop = town.organisation("Shop").organisation_id
        services.organisations.disable(town.actor("admin"), shop)
        services.organisation_erasure.erase(services.organisations.console(), shop)
        services.tidy()
        row = services.packet_store.packet(view.packet_id)
        assert (row.state, row.told, row.sha256) == (PacketState.ERASED, None, None)
        assert view.sha256 not in set(services.blobs.digests())

    def test_a_member_leaves_its_packets_to_the_organisation_unless_its_checks_go(self, town: Town) -> None:
        services, admin = town.services, town.actor("asker's admin")
        member, view = town.actor("asker").name, build(town, "asker", town.finding(HONEST))
        services.personal_data.erase(admin, member)
        assert services.packet_store.packet(view.packet_id).state is PacketState.KEPT
        services.personal_data.erase(admin, member, checks=True)
        assert services.packet_store.packet(view.packet_id).state is PacketState.ERASED


class TestWhatIsKept:
    def test_a_member_is_given_its_packets(self, town: Town) -> None:
        view = build(town, "asker", town.finding(HONEST))
        export = town.services.personal_data.export
        assert export(town.actor("asker"), town.actor("asker").name)["packets"] == [view.model_dump(mode="json")]
        assert export(town.actor("asker's colleague"), town.actor("asker's colleague").name)["packets"] == []
        assert export(town.actor("asker's admin"), town.actor("asker").name)["packets"] is None

    def test_the_trail_has_the_building_and_the_deleting(self, town: Town) -> None:
        services, actor = town.services, town.actor("asker's colleague")
        view = build(town, "asker's colleague", town.finding(MUG), on_behalf_of="Olga")
        services.member_packets.opened(actor, view.packet_id).close()
        services.member_packets.delete(actor, view.packet_id)
        events = services.audit_trail.events(about=view.packet_id)
        assert [event.action for event in events] == [Action.PACKET_BUILT, Action.PACKET_DELETED]
        assert events[0].detail == {"purpose": "complaint", "references": 1, "findings": 1}
        assert view.sha256 not in set(services.blobs.digests())
        with pytest.raises(InvalidTransition):
            services.member_packets.delete(actor, view.packet_id)

    def test_damage_of_the_file_is_told(self, town: Town) -> None:
        view = build(town, "asker", town.finding(HONEST))
        (path,) = (town.services.home / "originals").rglob(view.sha256 or "")
        path.write_bytes(b"another packet")
        with pytest.raises(DigestMismatch):
            town.services.member_packets.opened(town.actor("asker"), view.packet_id)

    def test_the_doctor_knows_the_files(self, town: Town) -> None:
        view = build(town, "asker", town.finding(HONEST))
        assert view.sha256 in town.services.catalogue.kept_queries()
        town.services.catalogue.queue_blob_deletions([view.sha256 or ""], at=town.services.clock.now())
        assert view.sha256 not in town.services.catalogue.pending_blob_deletions()


class TestLimits:
    def test_too_few_and_too_many(self, town: Town) -> None:
        for ids in ([], [f"ref_{number}" for number in range(21)]):
            with pytest.raises(InputError, match="1 to 20"):
                build(town, "owner", *ids)

    @pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 300, "\N{RIGHT-TO-LEFT OVERRIDE}evil"])
    def test_on_whose_behalf_is_a_name(self, town: Town, name: str) -> None:
        mine = reference(town, "Sample Studio")
        if not name:
            assert build(town, "owner", mine, on_behalf_of=name).on_behalf_of == "Sample Studio"
            return
        with pytest.raises(InputError):
            build(town, "owner", mine, on_behalf_of=name)

    def test_too_many_bytes_name_the_way_out(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packets, "MOST_BYTES_OF_MEMBERS", 100_000)
        mine = reference(town, "Sample Studio")
        with pytest.raises(InputError, match="more than 100000 bytes") as raised:
            build(town, "owner", mine)
        assert "with_originals: false" in raised.value.advice
        assert build(town, "owner", mine, with_originals=False).references
        assert town.services.packets.build([mine], purpose=Purpose.RECORD)  # the console has no such limit
