"""Packets built from a real store of two pictures and their checks, and verified by whoever is handed them."""

import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ots_files import CALENDAR, HEIGHT, FakeCalendar, block_text, root_of

from imgguard.bootstrap import Services
from imgguard.errors import InputError, InvalidTransition, NotFound
from imgguard.evidence.packet.model import Packet, Purpose
from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.evidence.packet.verifying.steps import Level, StepNumber, VerificationReport
from imgguard.provenance.leaves import parse_opening
from imgguard.provenance.opentimestamps import parse_file
from imgguard.provenance.records import Claims, Kind, ProofKind, parse_record
from imgguard.provenance.trust import Trust, read_trust
from imgguard.registry.claims import NewClaims
from imgguard.services.checking import Request
from imgguard.services.packets import packet_in
from imgguard.settings import Settings

SAMPLES = Path(__file__).parents[3] / "sample_images"
MUG, SCISSORS = "mug.jpg", "scissors.jpg"
COPY, HONEST = "copy-mirrored-mug.jpg", "unrelated-watch.jpg"
STATED = Claims(dates=(("taken", "2024-05-01"), ("first sold", "2025")), urls=("https://shop.example/mug",))


def listing(name: str) -> bytes:
    return (SAMPLES / "listings" / name).read_bytes()


def original(name: str) -> bytes:
    return (SAMPLES / "originals" / name).read_bytes()


@pytest.fixture(scope="module")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann's mug, with claims, and Bob's scissors; a copy of the mug and an honest picture were checked."""
    home = tmp_path_factory.mktemp("packets") / "home"
    with Services(Settings(home=home, timestamp_authorities="embedded")) as services:
        register = services.registration.register
        register(original(MUG), owner="Ann", file=MUG, stated=NewClaims(claims=STATED))
        register(original(SCISSORS), owner="Bob", file=SCISSORS)
        for name in (COPY, HONEST):
            services.checking.check(listing(name), Request(profile="quick"), file=name)
        services.transparency.publish()
        services.stamping.run()
    return home


@pytest.fixture
def services(made_home: Path, tmp_path: Path) -> Iterator[Services]:
    shutil.copytree(made_home, tmp_path / "home")
    with Services(Settings(home=tmp_path / "home", timestamp_authorities="embedded")) as services:
        yield services


def reference_id(services: Services, name: str) -> str:
    return next(one.reference_id for one in services.inspection.references() if one.file == name)


def finding_id(services: Services, name: str) -> str:
    found = (one.line for one in services.inspection.findings() if one.line.file == name)
    return next(line.finding_id or "" for line in found)


def built(services: Services, *ids: str, **options: object) -> tuple[bytes, Packet]:
    data = services.packets.build(ids, **{"purpose": Purpose.COMPLAINT} | options)  # type: ignore[arg-type]
    return data, packet_in(data)


def verified(data: bytes, *, trust: Trust | None = None, level: Level = Level.INTEGRITY) -> VerificationReport:
    return verify_packet(data, trust=trust, level=level)


def codes(packet: Packet) -> tuple[list[str], list[str]]:
    return [one.code for one in packet.missing], [one.code for one in packet.against]


def files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_finding_brings_its_match_and_holds_by_the_installations_own_trust_file(services: Services) -> None:
    mug = reference_id(services, MUG)
    data, packet = built(services, finding_id(services, COPY))
    assert verified(data).level is Level.INTEGRITY
    report = verified(data, trust=read_trust(services.packets.trust_file()), level=Level.LOGGED)
    assert (report.level, report.holds) == (Level.LOGGED, True)
    (reference,), (finding,) = packet.references, packet.findings
    assert (reference.reference_id, finding.reference_id, finding.verdict.value) == (mug, mug, "copy")
    assert {"side_by_side", "aligned"} <= finding.pictures.keys()
    inside = files(data)
    assert inside[reference.asset or ""] == original(MUG)
    assert inside[finding.listing.asset or ""] == listing(COPY)
    assert packet.on_behalf_of == "Ann"


def test_another_installation_is_not_believed(services: Services, tmp_path: Path) -> None:
    data, _ = built(services, reference_id(services, MUG))
    with Services(Settings(home=tmp_path / "other")) as other:
        other.transparency.publish()
        report = verified(data, trust=read_trust(other.packets.trust_file()))
    results = {step.number: step.reason for step in report.steps}
    assert results[StepNumber.SEAL] == "seal_unknown"
    assert not report.origin_verified


def test_what_is_stated_is_what_the_record_says(services: Services) -> None:
    data, packet = built(services, reference_id(services, MUG))
    (reference,) = packet.references
    record = parse_record(parse_opening(files(data)[reference.opening or ""]).record)
    assert reference.file.sha256 == record.body["file"]["sha256"] == hashlib.sha256(original(MUG)).hexdigest()
    assert [(one.event, one.value) for one in reference.claims.dates] == list(STATED.dates)
    assert reference.claims.urls == tuple(STATED.urls)
    assert reference.registered_by == "Ann"


def test_the_embedded_authority_and_the_log_are_self_issued(services: Services) -> None:
    _, packet = built(services, reference_id(services, MUG))
    bounds = packet.references[0].existed_no_later_than
    assert [(one.basis.value, one.trust.value) for one in bounds] == [
        ("timestamp", "self_issued"),
        ("log", "self_issued"),
    ]
    assert "SELF-ISSUED, NOT INDEPENDENT" in bounds[0].by
    missing, _ = codes(packet)
    assert {"no_independent_time", "no_witness", "no_camera_original"} <= set(missing)


def test_a_finding_alone_with_a_self_issued_time_is_not_timestamped(services: Services) -> None:
    data, packet = built(services, finding_id(services, HONEST))
    assert (packet.references, packet.findings[0].reference_id) == ((), None)
    assert packet.findings[0].proofs
    report = verified(data, trust=read_trust(services.packets.trust_file()))
    assert report.level is Level.LOGGED


def test_what_is_not_published_yet_is_published_first(services: Services) -> None:
    line = services.registration.register(original("fork.jpg"), owner="Ann", file="fork.jpg")
    data, packet = built(services, line.reference_id or "")
    assert verified(data).holds
    assert [one.basis.value for one in packet.references[0].existed_no_later_than] == ["log"]


def test_what_was_attached_later_is_told_and_not_claimed(services: Services) -> None:
    mug = reference_id(services, MUG)
    services.claiming.attach(mug, io.BytesIO(b"raw"), kind=ProofKind.RAW, name="mug.dng")
    data, packet = built(services, mug)
    assert packet.references[0].proofs == ()
    assert {"stated_later", "no_camera_original"} <= set(codes(packet)[0])
    assert verified(data).holds


def test_without_originals_their_digests_stay(services: Services) -> None:
    data, packet = built(services, finding_id(services, COPY), with_originals=False)
    assert packet.references[0].asset is None
    assert packet.findings[0].listing.asset is not None
    assert original(MUG) not in files(data).values()
    assert "original_not_enclosed" in codes(packet)[0]
    assert verified(data).holds


def test_a_withdrawn_reference_is_told(services: Services) -> None:
    mug = reference_id(services, MUG)
    services.removal.withdraw(mug)
    data, packet = built(services, mug)
    assert "withdrawn" in codes(packet)[1]
    assert verified(data).holds


def test_an_earlier_registration_by_somebody_else_is_told_of_the_later_one_only(services: Services) -> None:
    again = services.registration.register(original(MUG), owner="Bob", file="mine.jpg").reference_id or ""
    assert "earlier_elsewhere" in codes(built(services, again)[1])[1]
    assert "earlier_elsewhere" not in codes(built(services, reference_id(services, MUG))[1])[1]


def test_of_two_owners_of_one_picture_a_finding_brings_the_one_that_was_asked_for(services: Services) -> None:
    again = services.registration.register(original(MUG), owner="Bob", file="mine.jpg").reference_id or ""
    line = services.checking.check(listing(COPY), Request(profile="quick"), file="again.jpg").line
    assert line.finding_id is not None
    _, packet = built(services, line.finding_id)
    assert len(packet.references) == 1
    for wanted in (again, reference_id(services, MUG)):
        _, packet = built(services, wanted, line.finding_id)
        assert [one.reference_id for one in packet.references] == [packet.findings[0].reference_id] == [wanted]


def test_what_is_erased_gives_no_packet(services: Services) -> None:
    mug, finding = reference_id(services, MUG), finding_id(services, COPY)
    services.removal.erase(mug)
    for identifier in (mug, finding):
        with pytest.raises(InvalidTransition, match="erased"):
            built(services, identifier)


@pytest.mark.parametrize("identifier", ["ref_nobody", "fnd_nobody", "org_1", ""])
def test_what_is_not_there_is_not_found(services: Services, identifier: str) -> None:
    with pytest.raises(NotFound):
        built(services, identifier)


def test_too_few_and_too_many(services: Services) -> None:
    for ids in ([], [f"ref_{number}" for number in range(101)]):
        with pytest.raises(InputError):
            built(services, *ids)


def test_the_log_is_told_of_the_packet(services: Services) -> None:
    data, packet = built(services, reference_id(services, SCISSORS))
    leaf, opening = services.transparency.leaf_of(packet.packet_id, Kind.PACKET)
    assert opening is not None
    body = parse_record(opening.record).body
    assert body["digests"] == {"packet": hashlib.sha256(data).hexdigest()}
    assert leaf.kind is Kind.PACKET
    services.transparency.publish()
    assert services.transparency.proof_of(packet.packet_id).leaf == leaf


def test_an_expired_listing_is_missing_and_not_drawn(services: Services) -> None:
    finding = finding_id(services, COPY)
    services.blobs.delete(services.catalogue.finding(finding).query_sha256)
    data, packet = built(services, finding)
    assert (packet.findings[0].listing.asset, packet.findings[0].pictures) == (None, {})
    assert "listing_not_enclosed" in codes(packet)[0]
    assert verified(data).holds


def test_an_anchor_is_enclosed_and_is_a_time_for_whoever_knows_the_block(services: Services) -> None:
    ids = reference_id(services, MUG), finding_id(services, COPY)
    calendar = FakeCalendar()
    services.calendars = (calendar,)
    services.anchoring.run()
    data, packet = built(services, *ids)
    assert packet.references[0].anchor is not None
    assert (packet.references[0].anchor.blocks, packet.references[0].anchor.calendars) == ((), (CALENDAR,))
    assert {"findings/1/anchored.ots", "findings/1/anchored.tlog-proof"} <= set(packet.findings[0].proofs)
    trust = services.packets.trust_file()
    assert verified(data, trust=read_trust(trust)).level is Level.LOGGED
    calendar.has_block = True
    services.anchoring.run(at_once=True)
    data, packet = built(services, *ids)
    assert packet.references[0].anchor is not None
    assert packet.references[0].anchor.blocks == (HEIGHT,)
    root = root_of(parse_file(files(data)["references/1/anchored.ots"]))
    trust += block_text(root, at=packet.created_at)
    report = verified(data, trust=read_trust(trust), level=Level.TIMESTAMPED)
    assert report.holds
    assert any(f"says block {HEIGHT} of Bitcoin" in one for one in report.proven)


def test_the_policy_of_the_operator_is_in_packet_and_trust_file(made_home: Path, tmp_path: Path) -> None:
    shutil.copytree(made_home, tmp_path / "home")
    witnesses = tmp_path / "witnesses.txt"
    witnesses.write_text("# those of the operator\nquorum none\n")
    with Services(Settings(home=tmp_path / "home", log_witnesses=witnesses)) as services:
        data, _ = built(services, reference_id(services, MUG))
        policy = files(data)["log/policy.txt"].decode()
        assert policy.splitlines()[-2:] == ["# those of the operator", "quorum none"]
        assert policy == read_trust(services.packets.trust_file()).log_policy
