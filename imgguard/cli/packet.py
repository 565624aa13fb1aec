"""`imgguard packet`."""

from pathlib import Path
from typing import Annotated

import typer

from imgguard.cli import options
from imgguard.cli.output import emit
from imgguard.errors import ConfigurationError

app = typer.Typer(help="Evidence packets.", no_args_is_help=True)

_LEVELS = "integrity|logged|timestamped|witnessed"


@app.callback()
def packet() -> None:
    """Evidence packets."""


def _level(value: str) -> str:
    if value not in _LEVELS.split("|"):
        raise ConfigurationError(f"{value} is no level", hint=f"Levels are {_LEVELS.replace('|', ', ')}.")
    return value


@app.command()
def verify(
    file: Annotated[
        Path, typer.Argument(metavar="PACKET", parser=options.place, help="The packet, as it came.", show_default=False)
    ],
    level: Annotated[
        str,
        typer.Option(
            "--level",
            metavar=_LEVELS,
            parser=_level,
            help="What has to hold for exit code 0; each level includes those before it.",
        ),
    ] = "integrity",
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust",
            metavar="FILE",
            parser=options.place,
            help="Your own file of the logs, witnesses, authorities and seals that you believe; "
            "without it no level above integrity holds.",
            show_default=False,
        ),
    ] = None,
    json: options.Json = False,
) -> int:
    """Verify an evidence packet, offline: nothing that is in it is believed for itself. No store is needed."""
    from imgguard.cli.exits import ExitCode
    from imgguard.evidence.packet.verifying.reading import read_and_verify
    from imgguard.evidence.packet.verifying.steps import Level

    report = read_and_verify(file, trust=trust, level=Level(level))
    if json:
        emit(report.to_dict())
    else:
        print(report.to_text(), end="")
    return ExitCode.DONE if report.holds else ExitCode.FAILED
