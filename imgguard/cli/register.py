"""`imgguard register`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import claiming, options
from imgguard.cli.output import Column, Progress, Rows, counted, emit, say, widened
from imgguard.errors import ConfigurationError

if TYPE_CHECKING:
    from imgguard.cli.running import Tally
    from imgguard.client import Client
    from imgguard.provenance.records import Claims
    from imgguard.services.contract import RegisterLine
    from imgguard.services.registration import Registered
    from imgguard.services.sources import Source
    from imgguard.settings import Settings

_STYLES = {"registered": "green", "duplicate": "dim", "rejected": "red"}
COLUMNS = (Column("Status", 10), Column("File", 40), Column("Reference", 30, whole=True), Column("Similar to", 0))


def register(
    context: typer.Context,
    paths: options.Paths,
    owner: Annotated[
        str | None,
        typer.Option(
            "--owner",
            metavar="NAME",
            parser=options.text,
            help="Who registers: a person or a company. Required, except with --server: there it is the key's.",
            show_default=False,
        ),
    ] = None,
    claims: claiming.ClaimsFile = None,
    published: claiming.Published = None,
    taken: claiming.Taken = None,
    null: options.Null = False,
    server: options.Server = None,
    key_file: options.KeyFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    home: options.Home = None,
) -> int:
    """Register original images for an owner.

    Repeating it is safe: what is registered already is reported as a duplicate. An image that looks like a copy of
    one already registered is registered, and reported together with its match. What is stated of it is not verified:
    it is stored, and in the log. Of a duplicate nothing is: `imgguard claim` states it.
    """
    from imgguard.cli.inputs import expand
    from imgguard.registry.names import owner_name
    from imgguard.services.sources import source_of

    settings = options.settings_for(context, home)
    is_there = server is not None or key_file is not None
    if (owner is None) != is_there:
        what = "--owner does not go with --server" if is_there else "--owner is missing"
        raise ConfigurationError(what, hint="The owner is whoever the API key is of; without a server, name one.")
    name = "" if owner is None else owner_name(owner)
    sources = [source_of(path) for path in expand(paths, null=null)]
    stated = claiming.claims_for(sources, file=claims, published=published, taken=taken, quiet=quiet)
    if is_there:
        from imgguard.cli.remote import connected

        client = connected(settings, server, key_file)
        return _register_there(client, settings, sources, stated, json=json, quiet=quiet).exit_code()
    show = _printer(sources, json=json)
    return register_all(settings, sources, show, owner=name, stated=stated, quiet=quiet).exit_code()


def _register_there(
    client: "Client",
    settings: "Settings",
    sources: "Sequence[Source]",
    stated: "Mapping[str, Claims]",
    *,
    json: bool,
    quiet: bool,
) -> "Tally":
    from imgguard.cli import remote

    rows = Rows(widened(COLUMNS, 1, (source.file for source in sources)))

    def show(outcome: "remote.Outcome") -> None:
        if json:
            emit(outcome.line)
        else:
            rows.add(outcome.cells, style=_STYLES.get(outcome.count, ""))

    work = remote.registering(client, stated, max_bytes=settings.max_image_bytes)
    tally = remote.run(client, sources, work, show, quiet=quiet)
    _summary(tally, quiet=quiet)
    return tally


def _printer(sources: "Sequence[Source]", *, json: bool) -> "Callable[[RegisterLine], None]":
    """Prints lines on stdout, as they come: JSON, or rows of a table that fits ``sources``."""
    if json:
        return emit
    rows = Rows(widened(COLUMNS, 1, (source.file for source in sources)))
    return lambda line: rows.add(_row(line), style=_STYLES[line.status])


def register_all(
    settings: "Settings",
    sources: "Sequence[Source]",
    show: "Callable[[RegisterLine], None]",
    *,
    owner: str,
    stated: "Mapping[str, Claims] | None" = None,
    quiet: bool,
) -> "Tally":
    """Register ``sources`` and ``show`` the line of each, in order; tells on stderr how it went. ``stated``: of some of
    them, by ``file``."""
    from imgguard.bootstrap import Services
    from imgguard.cli.running import Tally, run_all
    from imgguard.registry.claims import NewClaims

    several = len(sources) > 1
    new = {file: NewClaims(claims=claims) for file, claims in (stated or {}).items()}
    tally = Tally()
    with Services(settings, several=several) as services, Progress(len(sources), quiet=quiet) as progress:
        services.tidy()
        if services.catalogue.owner(owner) is None:
            say(f"{owner} has nothing registered yet: a new owner.", quiet=quiet)
        registration = services.registration

        def report(result: "Registered") -> None:
            tally.count(result.line.status, result.line.error, result.fatal)
            with progress.passing():
                show(result.line)

        run_all(
            lambda source: registration.line(source, owner=owner, stated=new.get(source.file)),
            sources,
            report,
            workers=settings.worker_count if several else 1,
            tally=tally,
        )
        if "registered" in tally.counts:
            services.publish_log()
    _summary(tally, quiet=quiet)
    return tally


def _row(line: "RegisterLine") -> list[str]:
    from imgguard.evidence.wording import VERDICTS

    if line.status == "rejected" and line.error is not None:
        return [line.status, line.file, f"{line.error.detail} [{line.error.code}]"]
    similar = [
        f"{match.file or ''} of {match.owner or ''}: {VERDICTS[match.verdict].label.lower()}" for match in line.similar
    ]
    return [line.status, line.file, line.reference_id or "", "; ".join(similar)]


def _summary(tally: "Tally", *, quiet: bool) -> None:
    from imgguard.cli.errors import tell_end

    tell_end(tally)
    counts = [(tally.counts.get(name, 0), name) for name in _STYLES]
    say(f"{counted(counts)} in {tally.seconds:.1f} s", quiet=quiet)
