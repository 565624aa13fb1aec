"""`imgguard list` and `show`."""

from collections.abc import Iterable
from datetime import datetime
from json import loads
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from imgguard.cli import options
from imgguard.cli.output import Column, Rows, emit, say, size

if TYPE_CHECKING:
    from imgguard.client import Client
    from imgguard.registry.records import Reference
    from imgguard.services.inspection import ReferenceDetail

_COLUMNS = (
    Column("Status", 9),
    Column("Reference", 30, whole=True),
    Column("Owner", 24),
    Column("Registered", 16),
    Column("File", 0),
)
_STYLES = {"active": "green", "withdrawn": "yellow", "erased": "dim"}

Status = Literal["active", "withdrawn", "erased"]


def list_references(
    context: typer.Context,
    owner: Annotated[
        str | None,
        typer.Option("--owner", metavar="NAME", parser=options.text, help="Only this owner's.", show_default=False),
    ] = None,
    status: Annotated[
        Status | None,
        typer.Option(
            "--status", metavar="active|withdrawn|erased", help="Only those in this state.", show_default=False
        ),
    ] = None,
    findings: Annotated[
        bool, typer.Option("--findings", help="What checks found, instead of what is registered.")
    ] = False,
    server: options.Server = None,
    key_file: options.KeyFile = None,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """List registered references, or the findings of checks, oldest first.

    With --server they are those of whoever the API key is of, findings the latest first.
    """
    from imgguard.errors import ConfigurationError

    settings = options.settings_for(context, home)
    if findings and (owner or status):
        raise ConfigurationError("--findings goes with neither --owner nor --status", hint="Leave one of them out.")
    if server is not None or key_file is not None:
        if owner is not None:
            raise ConfigurationError("--owner does not go with --server", hint="The owner is whoever the key is of.")
        from imgguard.cli.remote import connected

        _list_there(connected(settings, server, key_file), status=status, findings=findings, json=json)
        return
    from imgguard.bootstrap import Services
    from imgguard.cli.findings import print_findings
    from imgguard.registry.records import ReferenceStatus

    with Services(settings) as services:
        if findings:
            is_any, nothing = print_findings(services, json=json), "Nothing was checked yet with"
        else:
            chosen = ReferenceStatus(status) if status else None
            is_any = _print_references(services.inspection.references(owner=owner, status=chosen), json=json)
            nothing = "Nothing is registered in"
    if not is_any and not json:
        say(f"{nothing} {settings.home}" + (" that fits these options." if owner or status else "."))


def _list_there(client: "Client", *, status: Status | None, findings: bool, json: bool) -> None:
    from imgguard.cli import remote
    from imgguard.cli.findings import COLUMNS

    rows, is_any = Rows(COLUMNS if findings else _COLUMNS), False
    for line, cells in remote.listed(client, status=status, findings=findings):
        is_any = True
        if json:
            emit(line)
        else:
            rows.add(cells, style=_STYLES.get(cells[0], ""))
    if not is_any and not json:
        say(
            "Nothing was checked yet." if findings else "Nothing is registered" + (" in this state." if status else ".")
        )


def _print_references(references: "Iterable[Reference]", *, json: bool) -> bool:
    """Print them as they come; returns whether there are any."""
    rows, is_any = Rows(_COLUMNS), False
    for reference in references:
        is_any = True
        if json:
            emit(_reference_object(reference))
        else:
            rows.add(_cells(reference), style=_STYLES[reference.status])
    return is_any


def _cells(reference: "Reference") -> list[str]:
    at = f"{reference.registered_at:%Y-%m-%d %H:%M}"
    return [reference.status.value, reference.reference_id, reference.owner or "", at, reference.file or ""]


def _reference_object(reference: "Reference") -> dict[str, Any]:
    return {
        "reference_id": reference.reference_id,
        "owner": reference.owner,
        "file": reference.file,
        "status": reference.status.value,
        "sha256": reference.sha256,
        "work_id": reference.work_id,
        "registered_at": _iso(reference.registered_at),
        "withdrawn_at": _iso(reference.withdrawn_at),
        "erased_at": _iso(reference.erased_at),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def show(
    context: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID", parser=options.text, help="A reference (ref_...) or a finding (fnd_...).", show_default=False
        ),
    ],
    evidence: options.Evidence = None,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Show a reference or a finding.

    With --evidence the pictures of a finding are drawn again, for as long as the checked image is kept
    (IMGGUARD_QUERY_RETENTION_DAYS).
    """
    from imgguard.bootstrap import Services
    from imgguard.cli.claims import claim_facts, claims_object
    from imgguard.cli.findings import drawn_again
    from imgguard.cli.sheet import check_facts, print_facts
    from imgguard.errors import ConfigurationError

    settings = options.settings_for(context, home)
    folder = options.folder_for(evidence)
    with Services(settings) as services:
        if not identifier.startswith("fnd_"):
            if folder is not None:
                raise ConfigurationError("only a finding has evidence", hint="Give the id of a finding (fnd_...).")
            detail = services.inspection.reference(identifier)
            statements, proofs = services.claiming.statements(identifier), services.claiming.proofs(identifier)
            if json:
                emit(_detail_object(detail) | claims_object(statements, proofs))
            else:
                print_facts([*_detail_facts(detail), *claim_facts(statements, proofs)])
            return
        finding = services.inspection.finding(identifier)
        line = finding.line if folder is None else drawn_again(services, finding, folder)
        if folder is not None and not any(match.evidence for match in line.matches):
            say("There is no match in this finding, so there is nothing to draw.")
        if json:
            emit(line)
        else:
            at = f"{finding.stored.created_at:%Y-%m-%d %H:%M:%S} UTC, profile {finding.document.profile}"
            print_facts([*check_facts(line)[:2], ("Checked at", at), *check_facts(line)[2:]])


def _detail_object(detail: "ReferenceDetail") -> dict[str, Any]:
    from imgguard.imaging.credentials import to_json

    content = detail.content
    return {
        **_reference_object(detail.reference),
        "width": content.width if content else None,
        "height": content.height if content else None,
        "byte_length": content.byte_length if content else None,
        "media_type": content.media_type if content else None,
        "pixel_digest": content.pixel_digest if content else None,
        "decoder": f"{content.decoder} {content.decoder_version}" if content else None,
        "content_credentials": None if detail.credentials is None else loads(to_json(detail.credentials)),
        "descriptor_bytes": detail.descriptor_bytes,
    }


def _detail_facts(detail: "ReferenceDetail") -> list[tuple[str, str]]:
    from imgguard.evidence.credentials import credential_facts
    from imgguard.evidence.statements import when

    reference, content = detail.reference, detail.content
    facts = [
        ("Reference", reference.reference_id),
        ("Owner", reference.owner or "(erased)"),
        ("Status", reference.status.value),
        ("Registered at", when(reference.registered_at)),
    ]
    facts += [("Withdrawn at", when(reference.withdrawn_at))] if reference.withdrawn_at else []
    facts += [("Erased at", when(reference.erased_at))] if reference.erased_at else []
    if content is not None:
        total = sum(detail.descriptor_bytes.values())
        kinds = ", ".join(f"{kind} {size(count)}" for kind, count in detail.descriptor_bytes.items())
        facts += [
            ("File", reference.file or ""),
            ("Work", reference.work_id or ""),
            ("SHA-256", content.sha256),
            ("Pixel digest", content.pixel_digest),
            (
                "Picture",
                f"{content.width} x {content.height} pixels, {content.media_type}, {size(content.byte_length)}",
            ),
            ("Decoded by", f"{content.decoder} {content.decoder_version}"),
            *credential_facts(detail.credentials),
            ("Stored beside it", f"{size(total)}: {kinds}"),
        ]
    return facts
