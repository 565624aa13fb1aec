"""`imgguard claim` and `attach`, and what `show` tells of claims and proofs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from imgguard.cli import claiming, options
from imgguard.cli.output import emit, size
from imgguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from imgguard.cli.sheet import Facts
    from imgguard.client import Client
    from imgguard.registry.claims import AttachedProof, Statement

Reference = Annotated[
    str, typer.Argument(metavar="REF", parser=options.text, help="A reference (ref_...).", show_default=False)
]


def claim(
    context: typer.Context,
    reference_id: Reference,
    claims: claiming.ClaimsFile = None,
    published: claiming.Published = None,
    taken: claiming.Taken = None,
    server: options.Server = None,
    key_file: options.KeyFile = None,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """State something about a reference. It is not verified, and cannot be taken back: the log has it."""
    from imgguard.services.claim_inputs import joined
    from imgguard.services.claim_views import statement_object

    settings = options.settings_for(context, home)
    stated = joined(claiming.from_options(published, taken), None if claims is None else claiming.from_file(claims))
    if stated is None:
        raise ConfigurationError("nothing is stated", hint="Give --claims, --published or --taken.")
    if server is not None or key_file is not None:
        from imgguard.cli.remote import asked, connected

        plain = stated.to_object()
        made = asked(connected(settings, server, key_file), lambda client: client.state_claims(reference_id, plain))
        line = made.model_dump(mode="json")
    else:
        from imgguard.bootstrap import Services

        with Services(settings) as services:
            line = statement_object(services.claiming.state(reference_id, stated))
            services.publish_log()
    told(line, line["claim_id"], json=json)


def attach(
    context: typer.Context,
    reference_id: Reference,
    file: Annotated[Path, typer.Argument(metavar="FILE", parser=options.place, help="Any file. It is never decoded.")],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="KIND",
            parser=options.text,
            help="camera_original, raw, neighbouring_frame, behind_the_scenes, working_file, catalogue, invoice, "
            "certificate or other.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", parser=options.text, help="Default: as the file is called.", show_default=False
        ),
    ] = None,
    digest_only: Annotated[
        bool, typer.Option("--digest-only", help="Commit to the file, and keep it at home.")
    ] = False,
    server: options.Server = None,
    key_file: options.KeyFile = None,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Attach a file to a reference, or its digest alone: the log has that it existed no later than this."""
    from imgguard.services.claim_inputs import checked_kind
    from imgguard.services.claim_views import proof_object
    from imgguard.services.sources import source_of

    settings = options.settings_for(context, home)
    chosen, called = checked_kind(kind), name or source_of(Path(file.name)).file
    try:
        with file.open("rb") as opened:
            if server is not None or key_file is not None:
                from imgguard.cli.remote import asked, connected

                line = asked(
                    connected(settings, server, key_file),
                    lambda client: _attached_there(
                        client, reference_id, opened, kind=chosen.value, name=called, digest_only=digest_only
                    ),
                )
            else:
                from imgguard.bootstrap import Services

                with Services(settings) as services:
                    if digest_only:
                        sha256, length = _digest(opened)
                        proof = services.claiming.attach_digest(
                            reference_id, kind=chosen, name=called, sha256=sha256, byte_length=length
                        )
                    else:
                        proof = services.claiming.attach(reference_id, opened, kind=chosen, name=called)
                    services.publish_log()
                line = proof_object(proof)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    told(line, line["proof_id"], json=json)


def _attached_there(
    client: "Client", reference_id: str, file: IO[bytes], *, kind: str, name: str, digest_only: bool
) -> dict[str, Any]:
    if digest_only:
        sha256, length = _digest(file)
        made = client.attach_proof_digest(reference_id, kind=kind, name=name, sha256=sha256, byte_length=length)
    else:
        made = client.attach_proof(reference_id, file, kind=kind, name=name)
    return made.model_dump(mode="json")


def _digest(file: IO[bytes]) -> tuple[str, int]:
    """SHA-256 and length of a file that is open at its beginning."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    return digest, file.tell()


def told(line: dict[str, Any], identifier: str, *, json: bool) -> None:
    """The whole object, or its id alone."""
    if json:
        emit(line)
    else:
        print(identifier)


def claims_object(statements: "Sequence[Statement]", proofs: "Sequence[AttachedProof]") -> dict[str, Any]:
    """As `show --json` prints them."""
    from imgguard.services.claim_views import proof_object, statement_object

    return {
        "claims": [statement_object(one) for one in statements],
        "proofs": [proof_object(one) for one in proofs],
    }


def claim_facts(statements: "Sequence[Statement]", proofs: "Sequence[AttachedProof]") -> "Facts":
    """What is stated and attached, in words that promise no more than that."""
    from imgguard.evidence.statements import when
    from imgguard.services.claim_views import STATES

    facts: Facts = []
    for statement in statements:
        claims, since = statement.claims, f"  [{statement.claim_id}, {when(statement.made_at)}]"
        lines = [f"{what}: {at}" for what, at in claims.dates]
        lines += [*claims.places, *claims.urls]
        lines += (claims.statement or "").splitlines()
        facts += [(_heading(STATES), line + since) for line in lines]
    for proof in proofs:
        kept = {"stored": "kept here", "digest_only": "kept by the claimant", "removed": "removed"}[proof.keeping]
        told = f"{proof.name}: {proof.kind.value.replace('_', ' ')}, {size(proof.byte_length)}, {kept}"
        facts.append(("Attached (not examined)", f"{told}, since {when(proof.added_at)}  [{proof.proof_id}]"))
        facts.append(("Attached (not examined)", f"  SHA-256 {proof.sha256}"))
    return facts


def _heading(text: str) -> str:
    return text[:1].upper() + text[1:]
