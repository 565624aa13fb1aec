"""`imgguard proof`: files that were attached to references."""

import hashlib
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.claims import Reference, told
from imgguard.cli.confirming import Yes, confirm_erasing
from imgguard.cli.output import say, size
from imgguard.errors import ConfigurationError, DigestMismatch, NotFound

if TYPE_CHECKING:
    from imgguard.client import Client

_Proof = Annotated[str, typer.Argument(metavar="PROOF", parser=options.text, help="What was attached to it (prf_...).")]

app = typer.Typer(help="Files that were attached to references.", no_args_is_help=True)


@app.callback()
def proof() -> None:
    """Files that were attached to references."""


@app.command()
def save(
    context: typer.Context,
    reference_id: Reference,
    proof_id: _Proof,
    output: Annotated[
        Path,
        typer.Option("--output", metavar="FILE", parser=options.place, help="Where it goes.", show_default=False),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE when it is there.")] = False,
    server: options.Server = None,
    key_file: options.KeyFile = None,
    home: options.Home = None,
) -> None:
    """Save an attached file, byte for byte as it was attached. Nothing is saved that does not have its digest."""
    from imgguard.evidence.files import check_file, replacing

    settings = options.settings_for(context, home)
    if output.exists() and not force:
        raise ConfigurationError(f"{output} is there already", hint="Choose another name, or replace it with --force.")
    check_file(output)
    try:
        with replacing(output) as file:
            if server is not None or key_file is not None:
                from imgguard.cli.remote import asked, connected

                client = connected(settings, server, key_file)
                file.write(asked(client, lambda client: _fetched(client, reference_id, proof_id)))
            else:
                from imgguard.bootstrap import Services

                with Services(settings) as services, services.claiming.opened(reference_id, proof_id) as kept:
                    copyfileobj(kept, file)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write {output}: {error.strerror}", hint="Choose another place for it."
        ) from error
    say(f"{output}: {size(output.stat().st_size)}.")


def _fetched(client: "Client", reference_id: str, proof_id: str) -> bytes:
    """Raises NotFound, DigestMismatch, and what the client raises."""
    attached = next((one for one in client.proofs(reference_id) if one.proof_id == proof_id), None)
    if attached is None:
        raise NotFound(f"no proof {proof_id}", hint="Look at the proofs of the reference.")
    data = client.proof(reference_id, proof_id)
    if hashlib.sha256(data).hexdigest() != attached.sha256:
        raise DigestMismatch(f"what the server sent of {proof_id} is not what was attached")
    return data


@app.command()
def remove(
    context: typer.Context,
    reference_id: Reference,
    proof_id: _Proof,
    yes: Yes = False,
    server: options.Server = None,
    key_file: options.KeyFile = None,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Destroy an attached file. Its digest stays, with the reference and in the log, which has the removal as well."""
    from imgguard.services.claim_views import proof_object

    settings = options.settings_for(context, home)
    if not yes:
        confirm_erasing(f"the file of {proof_id}")
    if server is not None or key_file is not None:
        from imgguard.cli.remote import asked, connected

        removed = asked(
            connected(settings, server, key_file), lambda client: client.remove_proof(reference_id, proof_id)
        )
        line = removed.model_dump(mode="json")
    else:
        from imgguard.bootstrap import Services

        with Services(settings) as services:
            line = proof_object(services.claiming.remove(reference_id, proof_id))
            services.publish_log()
    told(line, line["proof_id"], json=json)
