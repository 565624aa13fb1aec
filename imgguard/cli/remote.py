"""`--server`: commands that a server does, over its HTTP API. The lines are those of the JSON contract; what an owner
does not let others see is null in them."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgguard import errors
from imgguard.cli import remote_lines
from imgguard.cli.output import Progress, say
from imgguard.cli.running import Tally, run_all
from imgguard.client import (
    AccessProblem,
    BadAddress,
    BadKey,
    BusyProblem,
    Client,
    ClientError,
    ConflictProblem,
    InvalidProblem,
    ItemFailed,
    NotDone,
    NotFoundProblem,
    ProblemError,
    TooLargeProblem,
)
from imgguard.services import sources
from imgguard.services.contract import ErrorObject
from imgguard.services.outcomes import error_object

if TYPE_CHECKING:
    from imgguard.client import Check
    from imgguard.provenance.records import Claims
    from imgguard.services.sources import Source
    from imgguard.settings import Settings

UPLOADS = 2
"""Pictures on their way at the same time: one is sent while the server works on the other."""

_LONGEST_KEY_FILE = 4096
_PICTURE = re.compile(r"[a-z0-9_]{1,40}", re.ASCII)
_FINDING = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One input: its line, how it is counted, and the error, ``fatal`` if it would meet all others too. ``undrawn``:
    why its pictures are missing."""

    line: dict[str, Any]
    count: str
    cells: list[str]
    error: ErrorObject | None = None
    fatal: errors.ImgguardError | None = None
    undrawn: ErrorObject | None = None


def connected(settings: "Settings", server: str | None, key_file: Path | None) -> Client:
    """A client of the server. Raises ConfigurationError."""
    if server is None:
        raise errors.ConfigurationError("--key-file goes with --server", hint="Add --server URL, or leave it out.")
    key = _key_in(key_file) if key_file is not None else ""
    if key_file is None and settings.api_key is not None:
        key = settings.api_key.get_secret_value()
    if not key.strip():
        raise errors.ConfigurationError(
            "the server wants an API key", hint="Put it into a file that --key-file names, or into IMGGUARD_API_KEY."
        )
    try:
        return Client(server, key)
    except BadAddress as error:
        raise errors.ConfigurationError(str(error), hint="Compare --server with docs/client.md.") from None
    except BadKey as error:
        raise errors.ConfigurationError(str(error), hint="Use the key as it was shown when it was made.") from None


def _key_in(path: Path) -> str:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                say(f"imgguard: warning: {path} can be read by others; `chmod 600` keeps the key to yourself.")
            return file.read(_LONGEST_KEY_FILE).decode("ascii")
    except UnicodeDecodeError:
        raise errors.ConfigurationError(f"{path} does not hold an API key", hint="It holds one line.") from None
    except OSError as error:
        raise errors.ConfigurationError(
            f"cannot read {path}: {error.strerror}", hint="Name the file that holds the API key."
        ) from None


# errors


def translated(error: ClientError) -> errors.ImgguardError:
    """``error`` as one of ours, so that it is told, and ends the command, as it would without a server."""
    if not isinstance(error, ProblemError):
        hint = "Check the address, and whether `imgguard serve` runs there."
        return errors.DependencyError(str(error), hint=hint)
    request = f" (request {error.request_id})" if error.request_id else ""
    if error.status >= 500 and error.code == "unknown":
        return errors.DependencyError(
            f"no imgguard answers there: {error.detail}",
            hint="Check the address, the port, and what stands in between.",
        )
    if error.status >= 500 and not isinstance(error, BusyProblem):
        return errors.DependencyError(f"the server failed: {error.detail}{request}", hint=error.hint)
    kind = _kinds().get(error.code) or next(
        (ours for theirs, ours in _BY_PROBLEM.items() if isinstance(error, theirs)), errors.InputError
    )
    return kind(error.detail, hint=error.hint)


_BY_PROBLEM: dict[type[ProblemError], type[errors.ImgguardError]] = {
    AccessProblem: errors.PermissionDenied,
    NotFoundProblem: errors.NotFound,
    ConflictProblem: errors.Conflict,
    BusyProblem: errors.Overloaded,
}


def _kinds(root: type[errors.ImgguardError] = errors.ImgguardError) -> dict[str, type[errors.ImgguardError]]:
    """Every class below the root, by its code."""
    return {
        code: kind for child in root.__subclasses__() for code, kind in ({child.code: child} | _kinds(child)).items()
    }


def _told(error: Exception, *, file: str) -> tuple[ErrorObject, errors.ImgguardError | None]:
    """The error of a line; and the same as one that ends the run, when others would meet it too."""
    if isinstance(error, ItemFailed):
        return ErrorObject(code=error.code, detail=error.detail), None
    if isinstance(error, NotDone):
        return ErrorObject(code=errors.Overloaded.code, detail=str(error)), None
    if not isinstance(error, ClientError):
        return error_object(error, file=file), None
    ours = translated(error)
    if isinstance(ours, errors.WorkerCrashed):
        return error_object(ours, file=file), None
    if not isinstance(error, ProblemError) or isinstance(ours, errors.DependencyError):
        return error_object(ours, file=file), ours
    of_this = isinstance(error, InvalidProblem | TooLargeProblem | ConflictProblem)
    return ErrorObject(code=error.code, detail=error.detail), None if of_this else ours


# many pictures


def run(
    client: Client,
    files: "Sequence[Source]",
    work: "Callable[[Source], Outcome]",
    show: Callable[[Outcome], object],
    *,
    quiet: bool,
) -> Tally:
    """``show`` what becomes of each of ``files``, in order."""
    several, tally = len(files) > 1, Tally()
    with client, Progress(len(files), quiet=quiet) as progress:

        def report(outcome: Outcome) -> None:
            tally.count(outcome.count, outcome.error, outcome.fatal)
            with progress.passing():
                show(outcome)
                if outcome.undrawn is not None and tally.add_undrawn(outcome.undrawn):
                    file, error = outcome.line["file"], outcome.undrawn
                    say(f"imgguard: no pictures of {file}: {error.detail} [{error.code}]")

        run_all(work, files, report, workers=UPLOADS if several else 1, tally=tally)
    return tally


def checking(
    client: Client, *, max_bytes: int, profile: str | None, evidence: Path | None
) -> "Callable[[Source], Outcome]":
    """Checks one file. Its pictures are written to the folder ``evidence``."""

    def work(source: "Source") -> Outcome:
        sha256 = None
        try:
            data = sources.read(source, max_bytes=max_bytes)
            sha256 = hashlib.sha256(data).hexdigest()
            check = client.check(data, file=source.path.name, profile=profile)
        except Exception as error:
            told, fatal = _told(error, file=source.file)
            line = remote_lines.check_failed(source.file, told, sha256=sha256)
            return Outcome(line=line, count="error", cells=remote_lines.failed_cells(line), error=told, fatal=fatal)
        line = remote_lines.check_line(check, file=source.file)
        undrawn = None if evidence is None else _draw(client, check, line, evidence)
        return Outcome(line=line, count=check.verdict, cells=remote_lines.check_cells(check, line), undrawn=undrawn)

    return work


def _draw(client: Client, check: "Check", line: dict[str, Any], folder: Path) -> ErrorObject | None:
    """Write the pictures that the server shows of the best match and of every other copy; returns why that failed."""
    for match in line["matches"]:
        match["evidence"] = {}
    try:
        for position, match in enumerate(check.matches):
            if position == 0 or match.verdict == "copy":
                line["matches"][position]["evidence"] = _written(client, check.finding_id, match.number, folder)
    except Exception as error:
        return _told(error, file=line["file"])[0]
    return None


def _written(client: Client, finding_id: str, number: int, folder: Path) -> dict[str, str]:
    from imgguard.evidence.files import replacing

    if _FINDING.fullmatch(finding_id) is None:  # it becomes part of a file's name
        raise errors.InputError("the server gives ids that no file can be named after")
    paths = {}
    for name in filter(_PICTURE.fullmatch, client.match_pictures(finding_id, number)):
        target = folder / f"{finding_id}-{number}-{name}.png"
        picture = client.match_picture(finding_id, number, name)
        try:
            with replacing(target) as file:
                file.write(picture)
        except OSError as error:
            raise errors.ConfigurationError(f"cannot write to {folder}: {error.strerror}") from error
        paths[name] = str(target)
    return paths


def registering(client: Client, stated: "Mapping[str, Claims]", *, max_bytes: int) -> "Callable[[Source], Outcome]":
    """Registers one file, of which something is ``stated`` perhaps."""

    def work(source: "Source") -> Outcome:
        sha256 = None
        try:
            data = sources.read(source, max_bytes=max_bytes)
            sha256 = hashlib.sha256(data).hexdigest()
            claims = stated.get(source.file)
            plain = None if claims is None else claims.to_object()
            found = client.register(data, file=source.path.name, claims=plain)
        except Exception as error:
            told, fatal = _told(error, file=source.file)
            line = remote_lines.rejected(source.file, told, sha256=sha256)
            cells = remote_lines.failed_cells(line)
            return Outcome(line=line, count="rejected", cells=cells, error=told, fatal=fatal)
        line = remote_lines.register_line(found, file=source.file)
        partly = None if found.error is None else ErrorObject(code=found.error.code, detail=found.error.detail)
        return Outcome(line=line, count=found.status, cells=remote_lines.register_cells(found, line), error=partly)

    return work


# one question, one list


def listed(client: Client, *, status: str | None, findings: bool) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Line and row of each reference, oldest first, or of each finding, the latest first.

    Raises ours for what the client raises.
    """
    try:
        with client:
            for check in client.checks() if findings else ():
                yield remote_lines.finding_line(check), remote_lines.finding_cells(check)
            for reference in () if findings else client.references(status=status):
                yield remote_lines.reference_line(reference), remote_lines.reference_cells(reference)
    except ClientError as error:
        raise translated(error) from None


def asked[Answer](client: Client, ask: "Callable[[Client], Answer]") -> Answer:
    """What ``ask`` returns. Raises ours for what the client raises."""
    try:
        with client:
            return ask(client)
    except ItemFailed as error:
        raise errors.InputError(error.detail) from None
    except ClientError as error:
        raise translated(error) from None
