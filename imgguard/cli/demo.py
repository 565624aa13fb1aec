"""`imgguard demo`: the sample originals, the sample listings, whether what is found is what is known of them, and an
evidence packet about one of them."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.demo_packet import first_copy, make_packet
from imgguard.cli.exits import ExitCode
from imgguard.cli.output import say, shown
from imgguard.cli.samples import CHECKOUT, Samples, samples_at_hand, score
from imgguard.errors import ConfigurationError, ImgguardError

if TYPE_CHECKING:
    from imgguard.cli.report import Report
    from imgguard.services.checking import Checked
    from imgguard.services.contract import CheckLine, RegisterLine
    from imgguard.settings import Settings

OWNER = "Sample Studio"
MARKER = "made-by-imgguard-demo"


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="DIR",
        parser=options.place,
        help="Where pictures and report go, and the store unless --home names one; default: var/demo in the checkout, "
        "else a temporary folder.",
        show_default=False,
    ),
]


def demo(
    context: typer.Context,
    output: Output = None,
    profile: options.ProfileOption = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    home: options.Home = None,
) -> int:
    """Register the sample originals, check the sample listings, print a table, write a report and an evidence packet.

    Exits with 4 when an honest picture is taken for a copy, when more than one copy is not found, or when the packet
    does not verify. The store of an earlier demo is replaced, unless it has come to hold anything else.

    No timestamp authority is asked: the demo uses the embedded one, which is self-issued and proves nothing to others.
    """
    from imgguard.cli.report import Report
    from imgguard.settings import EMBEDDED

    settings = options.settings_for(context, home)
    chosen = options.profile_for(settings, profile)
    samples = samples_at_hand()
    folder = (output or _default_output()).resolve()
    store = (options.home_given(context, home) or folder / "home").resolve()
    settings = settings.model_copy(update={"home": store, "timestamp_authorities": EMBEDDED})
    options.folder_for(folder)
    page = Report(folder / "report.html")
    _make_empty(settings, samples)
    code, lines = _run(settings, samples, page, profile=chosen, evidence=folder / "evidence", json=json, quiet=quiet)
    if code not in (ExitCode.DONE, ExitCode.FAILED):
        return code
    page.write("Demonstration: sample listings checked against sample originals")
    found, copy = score(lines, samples.truth), first_copy(lines, samples.truth)
    packet = None if copy is None else make_packet(settings, copy, folder / "packet.asice")
    if not json:
        places = f"Report:   {page.path}", f"Pictures: {folder / 'evidence'}", f"Store:    {store}"
        look = f'To look around: {sys.argv[0]} --home "{store}" list'
        proof = [] if packet is None else packet.sentences()
        print("", *found.sentences(), "", *map(shown, (*places, *proof, look)), sep="\n")
    if found.problems:
        say("imgguard: the demo did not find what is known of the samples", *(f"  {text}" for text in found.problems))
        return ExitCode.FAILED
    if packet is not None and not packet.report.holds:
        say("imgguard: the packet that the demo made does not verify")
        return ExitCode.FAILED
    return code


def _default_output() -> Path:
    if (CHECKOUT / "pyproject.toml").is_file():
        return CHECKOUT / "var" / "demo"
    return Path(tempfile.mkdtemp(prefix="imgguard-demo-"))


def _make_empty(settings: "Settings", samples: Samples) -> None:
    """Make the home an empty one. Only what is the store of an earlier demo, and nothing more, is ever deleted."""
    store = settings.home
    try:
        if store.exists() and any(store.iterdir()):
            _check_replaceable(settings, samples)
            shutil.rmtree(store)
        store.mkdir(parents=True, exist_ok=True)
        (store / MARKER).touch()
    except OSError as error:
        raise ConfigurationError(
            f"{store} cannot be made into a home for the demo: {error.strerror}", hint="Choose another one with --home."
        ) from error


def _check_replaceable(settings: "Settings", samples: Samples) -> None:
    """Raises ConfigurationError unless a demo made this store and all that is in it.

    People are invited to go on with it, and may have registered pictures of their own since.
    """
    from imgguard.bootstrap import DATABASE, INDEX, LOG, ORIGINALS, SEAL, SERVING, TIMESTAMP_AUTHORITY, Services

    store = settings.home
    known = {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}.lock", INDEX, ORIGINALS, MARKER}
    known |= {LOG, SEAL, SERVING, TIMESTAMP_AUTHORITY}
    if not (store / MARKER).exists() or not {path.name for path in store.iterdir()} <= known:
        raise ConfigurationError(
            f"{store} is not the store of an earlier demo, so it is left alone",
            hint="Choose a folder for this demo with --home or --output.",
        )
    if not (store / DATABASE).exists():
        return
    names = {source.file for source in samples.originals}
    way_out = "Use another folder for this demo with --home or --output; or move this one away first, it is a store."
    try:
        with Services(settings) as services:
            others = [
                f"{reference.file} of {reference.owner}"
                for reference in services.inspection.references()
                if reference.sha256 is not None and (reference.owner != OWNER or reference.file not in names)
            ]
            others += ["accounts"] if services.organisations.has_operator() else []
    except ImgguardError as error:
        raise ConfigurationError(
            f"what {store} holds cannot be read, so it is left alone: {error.detail}", hint=way_out
        ) from error
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise ConfigurationError(
            f"{store} holds what is not the demo's, so it is left alone: {others[0]}{more}", hint=way_out
        )


def _run(
    settings: "Settings",
    samples: Samples,
    page: "Report",
    *,
    profile: str,
    evidence: Path,
    json: bool,
    quiet: bool,
) -> "tuple[int, list[CheckLine]]":
    """Register and check; the exit code so far, and what was found."""
    from imgguard.cli.check import check_all, printer, request_for
    from imgguard.cli.register import register_all

    results: list[Checked] = []
    say(f"Registering {len(samples.originals)} sample originals ...", quiet=quiet)
    code = register_all(settings, samples.originals, _tell_rejected, owner=OWNER, quiet=quiet).exit_code()
    if code in (ExitCode.DONE, ExitCode.FAILED):
        say(f"Checking {len(samples.listings)} sample listings ...", quiet=quiet)
        request = request_for(settings, profile, evidence=evidence, illustrated=page.wants)
        handlers = [printer(samples.listings, json=json), page.add, results.append]
        checked = check_all(settings, samples.listings, request, handlers, quiet=quiet).exit_code()
        code = checked or code
    return code, [result.line for result in results]


def _tell_rejected(line: "RegisterLine") -> None:
    if line.error is not None:
        say(f"imgguard: {line.file} is {line.status}: {line.error.detail} [{line.error.code}]")
