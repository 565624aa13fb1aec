"""`imgguard demo`: the sample originals, the sample listings, and what is found."""

import json as json_module
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgguard.cli import options
from imgguard.cli.output import emit, say, stdout_console
from imgguard.errors import ConfigurationError

if TYPE_CHECKING:
    from imgguard.services.checking import Checked
    from imgguard.settings import Settings

OWNER = "Sample Studio"
_SAMPLES = "sample_images"
_CHECKOUT = Path(__file__).resolve().parents[2]


def demo(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="DIR",
            help="Where store, pictures and report go; default: var/demo in the checkout, else a temporary folder.",
            show_default=False,
        ),
    ] = None,
    profile: options.ProfileOption = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    home: options.Home = None,
) -> int:
    """Register the sample originals, check the sample listings, print a table and write a report."""
    from imgguard.cli.report import Report

    samples = sample_folder()
    settings = options.settings_for(context, home)
    chosen = options.profile_for(settings, profile)
    folder = (output or _default_output()).resolve()
    store = _fresh(home or folder / "home")
    options.folder_for(folder)
    page = Report(folder / "report.html")
    settings = settings.model_copy(update={"home": store})
    say(f"Registering {samples / 'originals'} ...", quiet=quiet)
    failed = _register(settings, samples / "originals")
    say(f"Checking {samples / 'listings'} ...", quiet=quiet)
    results = _check(settings, samples / "listings", profile=chosen, evidence=folder / "evidence", page=page)
    page.write("Demonstration: sample listings checked against sample originals")
    if json:
        for result in results:
            emit(result.line)
    else:
        _print_table(results)
        _print_summary(results, samples / "expected.json")
        print(f"\nReport:   {page.path}\nPictures: {folder / 'evidence'}")
        print(f'To go on: imgguard --home "{store}" list')
    return 4 if failed or any(result.line.error for result in results) else 0


def sample_folder() -> Path:
    """Where the sample images are. Raises ConfigurationError when they did not come along."""
    for base in (_CHECKOUT, Path.cwd()):
        if (base / _SAMPLES / "originals").is_dir() and (base / _SAMPLES / "listings").is_dir():
            return base / _SAMPLES
    raise ConfigurationError(
        f"the folder {_SAMPLES} was not found",
        hint="The demo needs a checkout of the repository: run it there, or with `make demo`.",
    )


def _default_output() -> Path:
    if (_CHECKOUT / "pyproject.toml").is_file():
        return _CHECKOUT / "var" / "demo"
    return Path(tempfile.mkdtemp(prefix="imgguard-demo-"))


def _fresh(store: Path) -> Path:
    """An empty home for the demo. Only a store is replaced, and nothing else is ever deleted."""
    from imgguard.bootstrap import DATABASE, INDEX, ORIGINALS

    if store.exists() and any(store.iterdir()):
        known = {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}.lock", INDEX, ORIGINALS, MARKER}
        strange = [path.name for path in store.iterdir() if path.name not in known]
        if strange or not (store / MARKER).exists():
            raise ConfigurationError(f"{store} is not a folder of an earlier demo", hint="Choose another one.")
        shutil.rmtree(store)
    store.mkdir(parents=True, exist_ok=True)
    (store / MARKER).touch()
    return store


MARKER = "made-by-imgguard-demo"


def _register(settings: "Settings", folder: Path) -> bool:
    """Whether one of the originals was rejected."""
    from imgguard.bootstrap import Services
    from imgguard.cli.inputs import expand
    from imgguard.cli.running import Tally, run_all
    from imgguard.services.sources import Source

    tally = Tally()
    with Services(settings, several=True) as services:
        registration = services.registration
        run_all(
            lambda path: registration.line(Source(path=path, file=path.name), owner=OWNER),
            expand([str(folder)]),
            lambda result: tally.count(result.line.status, result.line.error, result.fatal),
            workers=settings.worker_count,
            tally=tally,
        )
    return _ended(tally)


def _check(settings: "Settings", folder: Path, *, profile: str, evidence: Path, page: Any) -> list["Checked"]:
    from imgguard.bootstrap import Services
    from imgguard.cli.inputs import expand
    from imgguard.cli.running import Tally, run_all
    from imgguard.services.checking import Request
    from imgguard.services.sources import Source

    tally = Tally()
    results: list[Checked] = []
    request = Request(profile=profile, candidates=settings.candidates, evidence=evidence, illustrated=page.wants)

    def report(result: "Checked") -> None:
        tally.count(result.line.verdict.value, result.line.error, result.fatal)
        results.append(result)
        page.add(result)

    with Services(settings, several=True) as services:
        checking = services.checking
        run_all(
            lambda path: checking.line(Source(path=path, file=path.name), request),
            expand([str(folder)]),
            report,
            workers=settings.worker_count,
            tally=tally,
        )
    _ended(tally)
    return results


def _ended(tally: Any) -> bool:
    """Whether inputs failed. Raises what ended the run early."""
    if tally.fatal is not None:
        raise tally.fatal
    if tally.is_interrupted:
        raise KeyboardInterrupt
    return bool(tally.exit_code())


def _print_table(results: Sequence["Checked"]) -> None:
    from rich.table import Table
    from rich.text import Text

    from imgguard.cli.check import STYLES, row

    table = Table("Listing", "Verdict", "Original", "Edits found", "Strength", header_style="bold")
    for result in results:
        verdict, listing, original, edits, strength = row(result.line)
        table.add_row(listing, Text(verdict, style=STYLES[result.line.verdict]), original, edits, strength)
    console = stdout_console()
    if not console.is_terminal:
        console.width = max(console.width, 160)
    console.print(table)


def _print_summary(results: Sequence["Checked"], expected: Path) -> None:
    """How the verdicts compare with what is known of the samples."""
    if not expected.is_file():
        return
    known = json_module.loads(expected.read_text(encoding="utf-8"))
    copies = {name for name, entry in known.items() if entry["verdict"] == "copy"}
    found = {
        result.line.file
        for result in results
        if result.line.verdict == "copy"
        and result.line.matches[0].file == known.get(result.line.file, {}).get("original")
    }
    accused = {result.line.file for result in results if result.line.verdict == "copy"} - copies
    print(f"\n{len(found & copies)} of {len(copies)} copies found, with the right original.")
    honest = sum(1 for result in results if result.line.file not in copies)
    print(f"{len(accused)} of {honest} honest pictures taken for a copy.")
