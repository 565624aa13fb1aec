"""`imgguard packet`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgguard.cli import log_stamps, options
from imgguard.cli.output import emit, say, shown, size
from imgguard.errors import ConfigurationError

if TYPE_CHECKING:
    from imgguard.bootstrap import Services
    from imgguard.evidence.packet.model import Packet

app = typer.Typer(help="Evidence packets.", no_args_is_help=True)

_LEVELS = "integrity|logged|timestamped|witnessed"
_PURPOSES = "record|complaint|defence"


@app.callback()
def packet() -> None:
    """Evidence packets."""


def _level(value: str) -> str:
    if value not in _LEVELS.split("|"):
        raise ConfigurationError(f"{value} is no level", hint=f"Levels are {_LEVELS.replace('|', ', ')}.")
    return value


def _purpose(value: str) -> str:
    if value not in _PURPOSES.split("|"):
        raise ConfigurationError(f"{value} is no purpose", hint=f"Purposes are {_PURPOSES.replace('|', ', ')}.")
    return value


@app.command()
def build(
    context: typer.Context,
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID",
            parser=options.text,
            help="References (ref_...) and findings (fnd_...); a finding brings the reference that it matches.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", metavar="FILE", parser=options.place, help="Where the packet goes.", show_default=False
        ),
    ],
    purpose: Annotated[
        str,
        typer.Option(
            "--purpose",
            metavar=_PURPOSES,
            parser=_purpose,
            help="What it is for; the same facts speak against the one side or the other.",
        ),
    ] = "record",
    on_behalf_of: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="NAME",
            parser=options.text,
            help="On whose behalf; default: whoever registered what is in it. A defence needs it.",
            show_default=False,
        ),
    ] = None,
    without_originals: Annotated[
        bool,
        typer.Option(
            "--without-originals", help="Leave the registered files out; digests and reduced pictures are in it."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE when it is there.")] = False,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Build an evidence packet about references and findings, sealed with the key of this installation.

    What is new in the log is published first, and timestamped where authorities are set. `imgguard packet trust` prints
    what others need to verify more than its integrity.
    """
    from imgguard.bootstrap import Services
    from imgguard.evidence.packet.model import Purpose
    from imgguard.services.packets import packet_in

    if output.exists() and not force:
        raise ConfigurationError(f"{output} is there already", hint="Choose another name, or replace it with --force.")
    if purpose == Purpose.DEFENCE and not on_behalf_of:
        raise ConfigurationError(
            "on whose behalf is this defence?", hint="Give --for NAME: the registrant is the other side."
        )
    with Services(options.settings_for(context, home), several=True) as services:
        stamped(services)
        data = services.packets.build(
            ids,
            purpose=Purpose(purpose),
            on_behalf_of=on_behalf_of,
            with_originals=not without_originals,
        )
        services.publish_log()
    write_packet(output, data)
    packet = packet_in(data)
    if json:
        emit({"file": str(output), "bytes": len(data), **_told(packet)})
        return
    for line in _lines(packet):
        print(shown(line))
    say(f"{output}: {size(len(data))}. Verify it with `imgguard packet verify {output}`.")


def stamped(services: "Services") -> None:
    """Publish the log, and ask the timestamp authorities, if there are any."""
    if services.settings.timestamp_urls:
        services.transparency.publish()
        log_stamps.ask(services)


def write_packet(path: Path, data: bytes) -> None:
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


def _told(packet: "Packet") -> dict[str, Any]:
    return {
        "packet_id": packet.packet_id,
        "created_at": packet.model_dump(mode="json")["created_at"],
        "purpose": packet.purpose.value,
        "on_behalf_of": packet.on_behalf_of,
        "references": [one.reference_id for one in packet.references],
        "findings": [one.finding_id for one in packet.findings],
        "missing": [{"code": one.code, "detail": one.en} for one in packet.missing],
        "against": [{"code": one.code, "detail": one.en} for one in packet.against],
    }


def _lines(packet: "Packet") -> list[str]:
    from imgguard.evidence.wording import VERDICTS

    lines = [f"Packet    {packet.packet_id}, for {packet.on_behalf_of or 'nobody named'} ({packet.purpose})"]
    for reference in packet.references:
        lines.append(f"Reference {reference.reference_id}  {reference.file.name}")
        lines += [
            f"          existed by {bound.at:%Y-%m-%d %H:%M:%S}Z, says {bound.by} [{bound.trust}]"
            for bound in reference.existed_no_later_than
        ]
    lines += [
        f"Finding   {finding.finding_id}  {finding.listing.file_name}: {VERDICTS[finding.verdict].label}"
        for finding in packet.findings
    ]
    lines += [f"Missing   {one.en}" for one in packet.missing]
    return lines + [f"Against   {one.en}" for one in packet.against]


@app.command()
def trust(context: typer.Context, home: options.Home = None) -> None:
    """Print what a trust file needs for packets of this installation: the keys of its log and its seal.

    Hand it to others on another way than the packets. Whoever uses it believes this installation, for what it says of
    itself and no more: no time is independent by it.
    """
    from imgguard.bootstrap import Services

    with Services(options.settings_for(context, home)) as services:
        print(services.packets.trust_file(), end="")


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
