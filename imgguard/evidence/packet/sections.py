"""What follows the first page: every reference, every finding, the files, and what all of it means."""

from collections.abc import Iterator
from typing import Any

from imgguard.evidence.packet.finding import PacketFinding
from imgguard.evidence.packet.fonts import printable
from imgguard.evidence.packet.model import Packet
from imgguard.evidence.packet.reference import Anchor, ContentCredentials, PacketReference, TimeBound, Trust
from imgguard.evidence.packet.telling import Row, Teller
from imgguard.evidence.packet.tiles import Tiles
from imgguard.evidence.packet.words import remark_in

_GROUP = 8  # hexadecimal digits of a digest that stand together, for eyes that compare two of them


def references_of(packet: Packet, teller: Teller, tiles: Tiles) -> list[dict[str, Any]]:
    """Each registered picture as the template needs it."""
    return [
        {
            "heading": teller.name(reference.title),
            "tile": tiles.reference(reference),
            "facts": _reference_facts(reference, teller),
            "times": _times(reference, teller),
            "claims": _claims(reference, teller),
            "metadata": _metadata(reference, teller),
            "proofs": _proofs(reference, teller),
        }
        for reference in packet.references
    ]


def findings_of(packet: Packet, teller: Teller, tiles: Tiles) -> list[dict[str, Any]]:
    """Each finding as the template needs it."""
    found = []
    for finding in packet.findings:
        match = packet.reference(finding.reference_id)
        found.append(
            {
                "heading": teller.name(finding.listing.file_name),
                "sentence": teller.finding(finding, match),
                "tiles": tiles.pair(finding, match),
                "facts": _finding_facts(finding, match, teller),
                "reasons": teller.reasons(finding),
                "figures": teller.figures(finding),
                "drawn": tiles.drawn(finding, match),
            }
        )
    return found


def files_of(packet: Packet) -> list[list[str]]:
    """Path, grouped digest and size of every enclosed file."""
    return [[file.path, grouped(file.sha256), f"{file.bytes:,}"] for file in packet.files]


def meaning_of(packet: Packet, teller: Teller) -> list[dict[str, Any]]:
    """What is shown, what is not, what speaks against it, what is missing: heading and sentences."""
    labels = teller.labels
    parts = (
        (labels["shows"], teller.words["proven"]),
        (labels["not_proven"], [printable(remark_in(one, teller.language)) for one in packet.not_proven]),
        (labels["against"], [printable(remark_in(one, teller.language)) for one in packet.against]),
        (labels["missing"], [printable(remark_in(one, teller.language)) for one in packet.missing]),
    )
    return [{"heading": heading, "sentences": sentences or [labels["nothing"]]} for heading, sentences in parts]


def origin_of(packet: Packet, teller: Teller) -> list[Row]:
    """Who made the packet, with what, under whose seal, and what it is about."""
    labels, made = teller.labels, packet.made_by
    about = [f"{teller.words['subjects'][one.kind]} {one.id}" for one in packet.subjects]
    return _rows(
        (labels["installation"], printable(made.installation), "text"),
        (labels["software_version"], printable(made.software), "text"),
        (labels["sealed_by"], printable(made.sealed_by), "text"),
        (labels["about"], teller.words["list_separator"].join(about), "text"),
    )


def grouped(digest: str) -> str:
    """Hexadecimal digits in groups, two lines of them."""
    groups = [digest[at : at + _GROUP] for at in range(0, len(digest), _GROUP)]
    half = len(groups) // 2
    return "\n".join(" ".join(line) for line in (groups[:half], groups[half:]))


def _rows(*rows: tuple[str, str, str]) -> list[Row]:
    """Those that have a value."""
    return [{"label": label, "value": value, "kind": kind} for label, value, kind in rows if value]


def _reference_facts(reference: PacketReference, teller: Teller) -> list[Row]:
    labels, words = teller.labels, teller.words
    file, pixels = reference.file, reference.pixels
    size = words["bytes"].format(count=f"{file.bytes:,}")
    separator = words["list_separator"]
    records = (reference.record, reference.opening, reference.leaf, reference.log_proof)
    return _rows(
        (labels["reference_id"], reference.reference_id, "code"),
        (labels["registered_by"], printable(reference.registered_by or "") or words["not_stated"], "text"),
        (labels["registered_at"], teller.own_time(reference.registered_at), "text"),
        (labels["status"], words["statuses"][reference.status.value], "text"),
        (labels["file"], separator.join([teller.name(file.name), printable(file.media_type), size]), "text"),
        (labels["file_sha256"], grouped(file.sha256), "digest"),
        (labels["pixels"], words["size"].format(width=pixels.width, height=pixels.height), "text"),
        (labels["pixels_sha256"], grouped(pixels.sha256), "digest"),
        (labels["decoder"], printable(pixels.decoder), "text"),
        (labels["asset"], reference.asset or words["not_enclosed"], "code" if reference.asset else "text"),
        (labels["log_files"], "\n".join(path for path in records if path is not None), "code"),
    )


def _times(reference: PacketReference, teller: Teller) -> list[dict[str, Any]]:
    bounds = sorted(reference.existed_no_later_than, key=lambda bound: bound.at)
    own = {
        "at": teller.time(reference.registered_at),
        "by": teller.words["own_word"],
        "basis": teller.labels["registered_at"],
        "trust": teller.words["trust"][Trust.SELF_ISSUED.value],
        "counts": False,
        "file": "",
    }
    return [*(_time(bound, teller) for bound in bounds), *_anchor_times(reference.anchor, teller), own]


def _anchor_times(anchor: Anchor | None, teller: Teller) -> Iterator[dict[str, Any]]:
    """Blocks of Bitcoin, whose times the reader has to look up; promises only where there is no block."""
    if anchor is None:
        return
    words = teller.words["anchor"]
    fixed = {"basis": words["basis"], "trust": teller.words["trust"][Trust.UNKNOWN.value], "counts": False}
    for height in anchor.blocks:
        named = {key: words[key].format(height=height) for key in ("block_at", "block")}
        yield {"at": named["block_at"], "by": named["block"], "file": anchor.file, **fixed}
    if not anchor.blocks:
        for calendar in anchor.calendars:
            yield {"at": words["promise"], "by": printable(calendar), "file": anchor.file, **fixed}


def _time(bound: TimeBound, teller: Teller) -> dict[str, Any]:
    return {
        "at": teller.time(bound.at),
        "by": teller.voucher(bound),
        "basis": teller.words["basis"][bound.basis.value],
        "trust": teller.words["trust"][bound.trust.value],
        "counts": bound.trust.counts,
        "file": bound.file or "",
    }


def _claims(reference: PacketReference, teller: Teller) -> list[Row]:
    labels, claims = teller.labels, reference.claims
    dates = [
        (labels["claim_date"].format(event=teller.event(date.event)), printable(date.value), "text")
        for date in claims.dates
    ]
    return _rows(
        *dates,
        *((labels["claim_place"], printable(place), "text") for place in claims.places),
        *((labels["claim_url"], printable(url), "code") for url in claims.urls),
        (labels["claim_statement"], _paragraphs(claims.statement or ""), "text"),
    )


def _metadata(reference: PacketReference, teller: Teller) -> list[Row]:
    labels, metadata = teller.labels, reference.metadata
    times = [
        (printable(time.source), printable(f"{time.value} {time.offset or ''}".strip()), "text")
        for time in metadata.times
    ]
    return _rows(
        *times,
        (labels["camera"], printable(metadata.camera or ""), "text"),
        (labels["software"], printable(metadata.software or ""), "text"),
        *_credentials(metadata.content_credentials, teller),
    )


def _credentials(credentials: ContentCredentials | None, teller: Teller) -> list[tuple[str, str, str]]:
    if credentials is None:
        return []
    labels = teller.labels
    return [
        (labels["credentials"], teller.words["credentials"][credentials.state], "text"),
        (labels["signer"], printable(credentials.signer or ""), "text"),
        (labels["device"], printable(credentials.device or ""), "text"),
        (labels["actions"], printable(teller.words["list_separator"].join(credentials.actions)), "text"),
    ]


def _proofs(reference: PacketReference, teller: Teller) -> list[list[str]]:
    """Kind and name, digest, and where it is."""
    return [
        [
            f"{teller.proof_kind(proof.kind)}{teller.words['list_separator']}{teller.name(proof.name)}",
            grouped(proof.sha256),
            proof.path or teller.words["not_enclosed"],
        ]
        for proof in reference.proofs
    ]


def _finding_facts(finding: PacketFinding, match: PacketReference | None, teller: Teller) -> list[Row]:
    labels, words, listing = teller.labels, teller.words, finding.listing
    edits = words["list_separator"].join(words["edits"][edit.value]["label"] for edit in finding.edits)
    return _rows(
        (labels["finding_id"], finding.finding_id, "code"),
        (labels["checked_at"], teller.own_time(finding.checked_at), "text"),
        (labels["address"], printable(listing.url or ""), "code"),
        (labels["fetched_at"], teller.fetched(finding), "text"),
        (labels["sha256"], grouped(listing.sha256), "digest"),
        (labels["asset"], listing.asset or words["not_enclosed"], "code" if listing.asset else "text"),
        (labels["verdict"], words["verdicts"][finding.verdict.value], "text"),
        (labels["registered"], "" if match is None else teller.name(match.title), "text"),
        (labels["reference_id"], "" if match is None else match.reference_id, "code"),
        (labels["relation"], words["relations"][finding.relation.value] if finding.relation else "", "text"),
        (labels["edits"], edits, "text"),
        (labels["strength"], words["strengths"][finding.strength.value] if finding.strength else "", "text"),
        (labels["licence"], teller.licence(finding), "text"),
        (labels["decision"], teller.decision(finding), "text"),
        (labels["decision_note"], _paragraphs(finding.decision.note if finding.decision else ""), "text"),
        (labels["finding_proofs"], "\n".join(finding.proofs), "code"),
    )


def _paragraphs(text: str) -> str:
    """Printable text that keeps its line breaks."""
    return "\n".join(printable(line) for line in text.splitlines())
