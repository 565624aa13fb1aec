"""`imgguard feed`."""

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.exits import ExitCode
from imgguard.cli.output import Progress, counted, emit, say
from imgguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from imgguard.client import Client, Feed, FeedLine

Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE.csv",
        parser=options.place,
        help="Where the result goes; default: standard output.",
        show_default=False,
    ),
]


def _word(name: str, metavar: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        name, metavar=metavar, parser=options.text, help=text, show_default=False
    )
    return option


def feed(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="FEED", parser=options.text, help="A file or a URL: CSV, TSV or XML.")
    ],
    server: options.Server = None,
    out: Out = None,
    form: Annotated[
        str | None, _word("--form", "google|aliexpress|alibaba|generic", "How it is made; default: as its columns say.")
    ] = None,
    encoding: Annotated[
        str | None,
        _word("--encoding", "utf-8|utf-16|gb18030|windows-1252", "Of its text; default: as it says itself, or UTF-8."),
    ] = None,
    profile: options.ProfileOption = None,
    platform: Annotated[str | None, _word("--platform", "NAME", "Where the listings are to be.")] = None,
    territory: Annotated[str | None, _word("--territory", "CODE", "For where: ISO 3166-1, such as DE.")] = None,
    shop: Annotated[str | None, _word("--shop", "NAME", "Under which name.")] = None,
    kind: Annotated[str | None, _word("--kind", "WORD", "What they are: listing, advertisement.")] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when a copy was found.")] = False,
    key_file: options.KeyFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    home: options.Home = None,
) -> int:
    """Check the pictures of a product feed, and get the result as a table.

    A server does it: it fetches each picture once. The result is a CSV file with a line for each picture of each
    product, or one JSON object a line. Interrupted, the server goes on; the result is at /v1/feeds.
    """
    from imgguard.cli.remote import connected, translated
    from imgguard.client import ClientError
    from imgguard.evidence.files import check_file
    from imgguard.feeds.records import Encoding, Form

    settings = options.settings_for(context, home)
    if server is None:
        raise ConfigurationError("a feed is checked by a server", hint="Name it with --server URL.")
    if profile is not None:
        options.profile_for(settings, profile)
    _check_word("--form", form, Form)
    _check_word("--encoding", encoding, Encoding)
    if json and out is not None:
        raise ConfigurationError("--json goes to standard output", hint="Leave out --out, or --json.")
    if out is not None:
        check_file(out)
    asked = {"form": form, "encoding": encoding, "profile": profile}
    use = {"platform": platform, "territory": territory, "shop": shop, "kind": kind}
    with connected(settings, server, key_file) as client:
        try:
            made = _handed_in(client, source, asked | use)
            say(f"{made.feed_id}: {made.picture_count} pictures of {made.product_count} products", quiet=quiet)
            with Progress(made.picture_count, quiet=quiet) as progress:
                client.wait(made.job_id, told=lambda job: progress.advance(job.done_count + job.failed_count))
            lines = client.feed_lines(made.feed_id)
            sheet = None if json else client.feed_result(made.feed_id)
        except ClientError as error:
            raise translated(error) from None
    if sheet is None:
        for line in lines:
            emit(line)
    else:
        _write(sheet, out)
    return _ended(lines, copy_matters=exit_code, quiet=quiet)


def _check_word(option: str, word: str | None, words: type[StrEnum]) -> None:
    if word is not None and word not in list(words):
        raise ConfigurationError(f"{option} {word} is none that there is", hint=f"There are {', '.join(words)}.")


def _handed_in(client: "Client", source: str, asked: dict[str, str | None]) -> "Feed":
    if source.lower().startswith(("http://", "https://")):
        return client.check_feed_url(source, **asked)
    try:
        return client.check_feed(Path(source), **asked)
    except OSError as error:
        raise InputError(f"cannot read {source}: {error.strerror}") from error


def _write(sheet: bytes, out: Path | None) -> None:
    """Raises ConfigurationError when ``out`` cannot be written."""
    import sys

    from imgguard.evidence.files import replacing

    if out is None:
        sys.stdout.buffer.write(sheet)
        sys.stdout.buffer.flush()
        return
    try:
        with replacing(out) as file:
            file.write(sheet)
    except OSError as error:
        raise ConfigurationError(f"cannot write {out}: {error.strerror}") from error


def _ended(lines: "list[FeedLine]", *, copy_matters: bool, quiet: bool) -> ExitCode:
    """Tell how it went, and the exit code that follows from it."""
    from imgguard.evidence.wording import VERDICTS
    from imgguard.verdict.finding import Verdict

    verdicts = Counter(line.verdict for line in lines)
    states = Counter(line.state for line in lines)
    told = [(verdicts[verdict.value], VERDICTS[verdict].label.lower()) for verdict in Verdict]
    rest = [(states[state], state) for state in ("failed", "skipped", "cancelled")]
    say(counted([*told, *rest]), quiet=quiet)
    if any(count for count, _ in rest):
        return ExitCode.FAILED
    return ExitCode.COPY_FOUND if copy_matters and verdicts[Verdict.COPY.value] else ExitCode.DONE
