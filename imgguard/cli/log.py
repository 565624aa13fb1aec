"""`imgguard log`: the transparency log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import log_stamps, options
from imgguard.cli.output import emit, say
from imgguard.errors import ConfigurationError, InvalidTransition

if TYPE_CHECKING:
    from imgguard.bootstrap import Services
    from imgguard.ports import StoredCheckpoint
    from imgguard.services.transparency import LogProof, LogStatus

app = typer.Typer(help="The transparency log.", no_args_is_help=True)


@app.callback()
def log() -> None:
    """The transparency log."""


def _told(checkpoint: "StoredCheckpoint") -> dict[str, object]:
    return {
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "signed_at": checkpoint.signed_at.isoformat().replace("+00:00", "Z"),
    }


@app.command()
def publish(context: typer.Context, json: options.Json = False, home: options.Home = None) -> None:
    """Write what is new into the files of the log, and sign it.

    `imgguard serve` does it each IMGGUARD_LOG_CHECKPOINT_SECONDS, `imgguard register` and `remove` when they end. Here
    the timestamp authorities, the witnesses and the calendars of OpenTimestamps are asked too; one that is down is
    told, and is no error.
    """
    from imgguard.bootstrap import Services

    with Services(options.settings_for(context, home)) as services:
        services.transparency.check()
        made = services.transparency.publish()
        log_stamps.ask(services)
        for failure in services.witnessing.run():
            say(f"WARNING: the witness {failure.witness.name} has not signed: {failure.error.detail}")
        log_stamps.ask_calendars(services)
        tokens = services.token_store.of_checkpoint(made.size)
    if json:
        emit({**_told(made), "timestamps": [log_stamps.token_object(one) for one in tokens]})
        return
    print(f"{made.size} leaves, root {made.root.hex()}")
    for one in tokens:
        print(log_stamps.told(one))


@app.command()
def fsck(context: typer.Context, json: options.Json = False, home: options.Home = None) -> int:
    """Derive everything anew from the leaves, and compare it with what is there. Exits with 4 when it differs."""
    from imgguard.bootstrap import Services
    from imgguard.cli.exits import ExitCode
    from imgguard.services.log_examination import examine

    with Services(options.settings_for(context, home)) as services:
        found = examine(services.log_store, services.log_files)
    counts = {name: getattr(found, name) for name in ("leaves", "erased", "checkpoints", "files")}
    if json:
        emit({**counts, "problems": found.problems})
    else:
        for problem in found.problems:
            print(f"PROBLEM  {problem}")
        told = f"{len(found.problems)} problems in" if found.problems else "All is as it should be:"
        say(
            f"{told} {found.leaves} leaves ({found.erased} of which can be opened no more), "
            f"{found.checkpoints} checkpoints, {found.files} files."
        )
    return ExitCode.FAILED if found.problems else ExitCode.DONE


@app.command()
def show(context: typer.Context, json: options.Json = False, home: options.Home = None) -> None:
    """Show the log: its name and keys, the newest checkpoint, and what is in it."""
    from imgguard.bootstrap import Services
    from imgguard.cli.sheet import print_facts

    with Services(options.settings_for(context, home)) as services:
        status = services.transparency.status()
        stamps = log_stamps.look(services, status)
    if json:
        emit({**status_object(status), **stamps.to_object()})
        return
    facts = [("Origin", status.keys[-1].name if status.keys else "(chosen with the first checkpoint)")]
    facts += [("Key" if key is status.keys[-1] else "Earlier key", key.text) for key in reversed(status.keys)]
    if status.checkpoint is not None:
        told = _told(status.checkpoint)
        facts += [
            ("Size", f"{told['size']} leaves"),
            ("Root", f"{told['root']}"),
            ("Signed at", f"{told['signed_at']}"),
        ]
    facts += stamps.facts()
    facts += [("Not published", f"{status.unpublished} leaves")]
    facts += [("Leaves", f"{count} of kind {kind}") for kind, count in status.counts.items()]
    print_facts(facts)


def status_object(status: "LogStatus") -> dict[str, object]:
    """As `show --json` prints it."""
    return {
        "origin": status.keys[-1].name if status.keys else None,
        "vkey": status.keys[-1].text if status.keys else None,
        "earlier_vkeys": [key.text for key in status.keys[:-1]],
        "checkpoint": None if status.checkpoint is None else _told(status.checkpoint),
        "unpublished": status.unpublished,
        "leaves": status.counts,
    }


@app.command()
def proof(
    context: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            parser=options.text,
            help="A reference (ref_...), finding (fnd_...), licence (lic_...), decision (dec_...), claim (clm_...) or "
            "attached file (prf_...).",
            show_default=False,
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help="The latest leaf of this kind, as in withdrawal; default: the first of any kind.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Where the proof goes; default: stdout.", show_default=False),
    ] = None,
    leaf: Annotated[
        Path | None,
        typer.Option("--leaf", metavar="FILE", help="Write the leaf there: what is proven.", show_default=False),
    ] = None,
    opening: Annotated[
        Path | None,
        typer.Option(
            "--opening", metavar="FILE", help="Write there what the leaf stands for. Private.", show_default=False
        ),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(
            "--tokens",
            metavar="DIR",
            help="Write there what was stamped (checkpoint.txt) and the timestamp tokens; where calendars are asked, "
            "also what was anchored (anchored.txt), its OpenTimestamps file and a proof of its own.",
            show_default=False,
        ),
    ] = None,
    home: options.Home = None,
) -> None:
    """Write the proof that the log has what happened to an object (C2SP tlog-proof)."""
    from imgguard.bootstrap import Services
    from imgguard.errors import NotFound

    with Services(options.settings_for(context, home)) as services:
        found = _proof(services, identifier, kind)
    if leaf is not None:
        _write(leaf, found.leaf.leaf)
    if opening is not None:
        if found.opening is None:
            raise NotFound(f"what the leaf about {identifier} stands for was erased", hint="Leave --opening out.")
        _write(opening, found.opening.to_bytes())
    if tokens is not None:
        for name, data in log_stamps.files(found):
            _write(tokens / name, data)
    if output is not None:
        _write(output, found.proof)
    else:
        print(found.proof.decode(), end="")


def _proof(services: "Services", identifier: str, kind: str | None) -> "LogProof":
    """After publishing when that is due. Raises NotFound, ConfigurationError, VerificationError."""
    from imgguard.provenance.records import Kind

    if kind is not None and kind not in tuple(Kind):
        raise ConfigurationError(f"there is no kind {kind!r}", hint=f"Kinds are {', '.join(Kind)}.")
    chosen = None if kind is None else Kind(kind)
    try:
        return services.transparency.proof_of(identifier, chosen)
    except InvalidTransition:
        services.transparency.publish()
        return services.transparency.proof_of(identifier, chosen)


@app.command()
def export(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", parser=options.place, help="Made when missing.", show_default=False)
    ],
    home: options.Home = None,
) -> None:
    """Write the files of the newest checkpoint to a folder that any web server can give out.

    The checkpoint comes last, so that the folder may be given out while it is written. Nothing private is among them.
    """
    from imgguard.bootstrap import Services

    count = 0
    with Services(options.settings_for(context, home)) as services:
        for path, data in services.transparency.exported():
            target = folder / path
            if not (target.is_file() and target.read_bytes() == data):
                _write(target, data)
            count += 1
    say(f"{count} files are in {folder}.")


@app.command("rotate-key")
def rotate_key(
    context: typer.Context,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="FILE",
            parser=options.place,
            help="The new private key (Ed25519, PKCS#8 PEM), to which IMGGUARD_LOG_KEY has to point afterwards; "
            "by default one is made in the store.",
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Sign with another key from now on. The change is in the log, signed by the old key and the new one."""
    from imgguard.bootstrap import Services
    from imgguard.storage.log_files import read_key

    with Services(options.settings_for(context, home)) as services:
        services.transparency.check()
        services.transparency.rotate_key(None if to is None else read_key(to))
        status = services.transparency.status()
    if json:
        emit(status_object(status))
        return
    print(status.keys[-1].text)
    if to is not None:
        say(f"Set IMGGUARD_LOG_KEY to {to} before anything else is registered.")


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing. Raises ConfigurationError."""
    temporary = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write {path}: {error.strerror}", hint="Choose another place for it."
        ) from error
