"""`imgguard index`."""

import typer

from imgguard.cli import options
from imgguard.cli.output import Progress, emit

app = typer.Typer(help="The search index, a cache of the database.", no_args_is_help=True)


@app.callback()
def index() -> None:
    """The search index, a cache of the database."""


@app.command()
def rebuild(
    context: typer.Context,
    json: options.Json = False,
    quiet: options.Quiet = False,
    home: options.Home = None,
) -> int:
    """Rebuild the index from the database.

    When the settings name other weights than the index was made with, all originals are embedded again first; checks
    and registrations by other processes go on meanwhile. Stopped or killed, it continues where it was.
    """
    from imgguard.bootstrap import Services
    from imgguard.cli.exits import ExitCode
    from imgguard.cli.running import stopping_on_interrupt

    settings = options.settings_for(context, home)
    with Services(settings, several=True) as services, stopping_on_interrupt() as stop:
        rebuilding = services.rebuilding
        with Progress(rebuilding.missing(), quiet=quiet) as progress:
            rebuilt = rebuilding.rebuild(stop=stop, advanced=progress.advance)
    if rebuilt is None:
        return ExitCode.INTERRUPTED
    generation = rebuilt.generation
    if json:
        emit(
            {
                "generation_id": generation.generation_id,
                "weights": generation.weights_sha256,
                "contents": rebuilt.contents,
                "embedded": rebuilt.embedded,
            }
        )
    else:
        print(f"{rebuilt.contents} pictures can be searched, {rebuilt.embedded} of them embedded anew.")
        print(f"{generation.generation_id}, weights {generation.weights_sha256}")
    return ExitCode.DONE
