"""What a packet lacks, and what speaks against whoever asks for it: by rules, so that nobody leaves it out."""

import re
from collections.abc import Iterable, Sequence

from imgguard.evidence.packet.contents import PacketContents, ReferenceContents
from imgguard.evidence.packet.finding import PacketFinding
from imgguard.evidence.packet.model import Purpose, Remark
from imgguard.evidence.packet.reference import Basis, PacketReference
from imgguard.evidence.packet.words import words
from imgguard.provenance.records import ProofKind
from imgguard.registry.decisions import DecisionKind
from imgguard.registry.licences import LicenceStatus
from imgguard.registry.records import ReferenceStatus
from imgguard.verdict.finding import Verdict

MOST_NAMED = 10

_FROM_THE_CAMERA = frozenset(
    (ProofKind.CAMERA_ORIGINAL.value, ProofKind.RAW.value, ProofKind.NEIGHBOURING_FRAME.value, "neighbour_frame")
)
_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}){0,2}")

type Ids = Iterable[str]


def weaknesses(
    contents: PacketContents, references: Sequence[PacketReference], findings: Sequence[PacketFinding]
) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
    """What is missing, and what speaks against it. ``references`` and ``findings`` are as `packet.json` has them."""
    others = [one.stated.finding_id for one in contents.findings if one.names_others]
    unproven = [one.stated.finding_id for one in contents.findings if one.evidence is None and not one.names_others]
    missing = [
        ("no_independent_time", [one.reference_id for one in references if not _is_dated(one)]),
        ("no_witness", [one.reference_id for one in references if not _is_witnessed(one)]),
        ("no_camera_original", [one.reference_id for one in references if not _is_from_the_camera(one)]),
        ("stated_later", _ids(one for one in contents.references if one.stated_later)),
        ("original_not_enclosed", [one.reference_id for one in references if one.asset is None]),
        ("listing_not_enclosed", [one.finding_id for one in findings if one.listing.asset is None]),
        ("finding_not_logged", unproven),
        ("finding_names_others", others),
        ("not_captured", [one.finding_id for one in findings if one.listing.url is None]),
        ("captured_by_installation", [one.finding_id for one in findings if one.listing.url is not None]),
    ]
    against = [
        ("earlier_elsewhere", _ids(one for one in contents.references if one.earlier_elsewhere)),
        ("withdrawn", [one.reference_id for one in references if one.status is not ReferenceStatus.ACTIVE]),
        *_of_findings(contents.purpose, findings),
        ("metadata_disagrees", [one.reference_id for one in references if _disagrees(one)]),
        ("credentials_invalid", [one.reference_id for one in references if _has_wrong_credentials(one)]),
    ]
    return _remarks("missing", missing), _remarks("against", against)


def _of_findings(purpose: Purpose, findings: Sequence[PacketFinding]) -> list[tuple[str, Ids]]:
    """The same facts speak against the one side or the other."""
    licensed = {one.finding_id for one in findings if one.licence and one.licence.status is LicenceStatus.LICENSED}
    decided = {one.finding_id: one.decision.kind for one in findings if one.decision}
    copies = [one.finding_id for one in findings if one.verdict is Verdict.COPY]
    if purpose is Purpose.DEFENCE:
        return [
            ("copy_without_licence", [one for one in copies if one not in licensed]),
            ("decided_copy", [one for one, kind in decided.items() if kind is DecisionKind.CONFIRMED_COPY]),
        ]
    return [
        ("licensed", [one.finding_id for one in findings if one.finding_id in licensed]),
        ("decided_no_copy", [one for one, kind in decided.items() if kind is DecisionKind.NOT_A_COPY]),
    ]


def _ids(contents: Iterable[ReferenceContents]) -> list[str]:
    return [one.stated.reference_id for one in contents]


def _is_dated(reference: PacketReference) -> bool:
    return any(bound.trust.counts for bound in reference.existed_no_later_than)


def _is_witnessed(reference: PacketReference) -> bool:
    return any(bound.trust.counts and bound.basis is Basis.COSIGNATURE for bound in reference.existed_no_later_than)


def _is_from_the_camera(reference: PacketReference) -> bool:
    return any(proof.kind in _FROM_THE_CAMERA for proof in reference.proofs)


def _disagrees(reference: PacketReference) -> bool:
    """Whether a stated date of the photograph is none of those in the file, as precisely as it is stated."""
    inside = [
        time.value.replace(":", "-", 2) for time in reference.metadata.times if time.source.endswith("DateTimeOriginal")
    ]
    stated = [date.value for date in reference.claims.dates if date.event == "taken"]
    comparable = [match[0] for value in stated if (match := _DATE.match(value))]
    return bool(inside) and any(not any(one.startswith(date) for one in inside) for date in comparable)


def _has_wrong_credentials(reference: PacketReference) -> bool:
    credentials = reference.metadata.content_credentials
    return credentials is not None and credentials.state == "invalid"


def _remarks(group: str, found: Sequence[tuple[str, Ids]]) -> tuple[Remark, ...]:
    english, chinese = words("en")["remarks"][group], words("zh")["remarks"][group]
    remarks = []
    for code, ids in found:
        names = list(dict.fromkeys(ids))
        if names:
            shown = ", ".join(names[:MOST_NAMED]) + (f" (+{len(names) - MOST_NAMED})" if names[MOST_NAMED:] else "")
            remarks.append(
                Remark(code=code, en=english[code].format(names=shown), zh=chinese[code].format(names=shown))
            )
    return tuple(remarks)
