"""Two studios with originals, a shop that had listings checked, a stranger, and the operator: all on one real store."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

from imgguard.bootstrap import Services
from imgguard.fingerprint.fingerprint import DescriptorKind
from imgguard.ports import Capture
from imgguard.registry.access import Actor, actor_for
from imgguard.registry.accounts import Disclosure, Organisation, Role, Scope
from imgguard.registry.records import Reference
from imgguard.services.passwords import Passwords
from imgguard.services.views import CheckView

SAMPLES = Path(__file__).parents[4] / "sample_images"
PASSWORD = "correct horse battery"
FOLDER = "C:\\Users\\olga\\secret project\\"
PEOPLE: dict[str, tuple[str, list[Role]]] = {
    "owner": ("Sample Studio", [Role.RIGHTS_HOLDER]),
    "owner's admin": ("Sample Studio", [Role.ADMIN]),
    "other owner": ("Second Studio", [Role.RIGHTS_HOLDER]),
    "asker": ("Shop", [Role.SELLER]),
    "asker's colleague": ("Shop", [Role.SELLER, Role.RIGHTS_HOLDER]),
    "asker's admin": ("Shop", [Role.ADMIN]),
    "stranger": ("Elsewhere", [Role.SELLER, Role.RIGHTS_HOLDER]),
    "stranger's reviewer": ("Elsewhere", [Role.REVIEWER, Role.ADMIN]),
    "reviewer": ("Platform", [Role.REVIEWER]),
    "reviewer with originals": ("Platform", [Role.REVIEWER, Role.RIGHTS_HOLDER]),
    "seller of the operator": ("Platform", [Role.SELLER, Role.RIGHTS_HOLDER]),
    "admin": ("Platform", [Role.ADMIN]),
}
ORGANISATIONS = ("Platform", "Sample Studio", "Second Studio", "Shop", "Elsewhere")

CAPTURE = Capture(
    url="https://shop.example/1.jpg?token=sesame",
    final_url="https://cdn.shop.example/sesame.jpg",
    address="192.0.2.1",
    status=200,
    declared_type="image/jpeg; name=sesame",
    byte_length=5,
    fetched_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
)


def original(name: str) -> bytes:
    return (SAMPLES / "originals" / f"{name}.jpg").read_bytes()


def listing(name: str) -> bytes:
    return (SAMPLES / "listings" / f"{name}.jpg").read_bytes()


def larger(data: bytes) -> bytes:
    """The same picture as another file, of another size."""
    with Image.open(io.BytesIO(data)) as image:
        buffer = io.BytesIO()
        image.resize((image.width * 11 // 10, image.height * 11 // 10)).save(buffer, "PNG")
        return buffer.getvalue()


def _email(name: str) -> str:
    return f"{name.replace(' ', '-').replace(chr(39), '')}@example.org"


@dataclass(kw_only=True)
class Town:
    """The store, opened; actors by the names of `PEOPLE`, and of their keys with few scopes."""

    services: Services

    def __post_init__(self) -> None:
        self.services.passwords = Passwords(passes=1, memory_kib=8, lanes=1)

    def organisation(self, name: str) -> Organisation:
        found = self.services.accounts.organisation_named(name)
        assert found is not None
        return found

    def actor(self, name: str) -> Actor:
        member = self.services.accounts.member_with_email(_email(name))
        assert member is not None
        return actor_for(member, self.services.accounts.organisation(member.organisation_id))

    def key(self, name: str, *scopes: Scope) -> Actor:
        issued = self.services.keys.issue(self.actor(name), "feed", scopes=scopes, lifetime=timedelta(days=1))
        return self.services.identity.actor_of_key(issued.secret)

    def disclose(self, disclosure: Disclosure, *names: str) -> None:
        for name in names or ("Sample Studio", "Second Studio"):
            organisation_id = self.organisation(name).organisation_id
            self.services.organisations.set_disclosure(
                self.services.organisations.console(), disclosure, organisation_id=organisation_id
            )

    def finding(self, file: str) -> str:
        made = self.services.checks.checks(self.actor("asker"))
        return next(view.finding_id for view in made if isinstance(view, CheckView) and view.file == file)

    def check_of(self, viewer: str, file: str) -> CheckView:
        return self.services.checks.check_of(self.actor(viewer), self.finding(file))

    def actions(self) -> list[str]:
        return [event.action for event in self.services.audit_trail.events(limit=1000)]


def settle(town: Town) -> None:
    """People, originals, and the checks that were made."""
    services = town.services
    for name in ORGANISATIONS:
        email, first = f"first@{name.replace(' ', '-').lower()}.example.org", name == ORGANISATIONS[0]
        if first:
            services.organisations.found(name, email=email, member_name=None, roles=[Role.ADMIN], password=PASSWORD)
        else:
            console = services.organisations.console()
            services.organisations.create(console, name, email=email, password=PASSWORD)
    for name, (organisation, roles) in PEOPLE.items():
        services.members.invite(
            services.organisations.console(),
            email=_email(name),
            roles=roles,
            organisation_id=town.organisation(organisation).organisation_id,
            password=PASSWORD,
        )
    jacket = original("denim-jacket")
    for owner, file, data in (
        ("owner", "denim-jacket-print.png", larger(jacket)),
        ("owner", "denim-jacket-camera.jpg", jacket),
        ("owner", "pinstripe-cap.jpg", original("pinstripe-cap")),
        ("other owner", "denim-jacket-again.jpg", jacket),
        ("asker's colleague", "mug-camera.jpg", original("mug")),
    ):
        services.references.register(town.actor(owner), data, file=FOLDER + file)
    for file in ("copy-cropped-denim-jacket", "copy-mirrored-mug", "other-photo-of-same-cap", "unrelated-watch"):
        services.checks.check(town.actor("asker"), listing(file), file=file, profile="thorough")


def references_of(town: Town, *owners: str) -> list[Reference]:
    catalogue = town.services.catalogue
    return [reference for owner in owners for reference in catalogue.references(owner=owner)]


def pdq_of(town: Town, reference: Reference) -> str:
    (stored,) = town.services.catalogue.descriptors(reference.sha256 or "", [DescriptorKind.PDQ])
    return stored.data[:32].hex()


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def secrets_of(town: Town, *owners: str, names: bool) -> set[str]:
    """What strangers must not be told of originals, as text."""
    found = {FOLDER.rstrip("\\"), "Users", "olga"}
    for reference in references_of(town, *owners):
        content = town.services.catalogue.content(reference.sha256 or "")
        found |= {reference.reference_id, reference.owner_id, reference.work_id or "", content.sha256[:12]}
        found.add((reference.file or "").removeprefix(FOLDER))
        found |= {content.pixel_digest, pdq_of(town, reference)[:12]}
    return found | (set(owners) if names else set())


def sizes_of(town: Town, *owners: str) -> set[int]:
    contents = [town.services.catalogue.content(one.sha256 or "") for one in references_of(town, *owners)]
    return {side for content in contents for side in (content.width, content.height)}


def assert_untold(town: Town, text: str, *owners: str, names: bool, besides: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    assert not [secret for secret in secrets_of(town, *owners, names=names) if secret in text]
    numbers = {leaf for leaf in leaves(json.loads(text)) if isinstance(leaf, int | float) and leaf > 1}
    assert not numbers & (sizes_of(town, *owners) - besides)
