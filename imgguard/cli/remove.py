"""`imgguard remove`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.confirming import Yes, confirm_erasing
from imgguard.cli.output import emit, shown

if TYPE_CHECKING:
    from imgguard.errors import ImgguardError
    from imgguard.services.contract import ErrorObject
    from imgguard.services.removal import Removed


def remove(
    context: typer.Context,
    identifiers: Annotated[
        list[str], typer.Argument(metavar="ID", parser=options.text, help="References.", show_default=False)
    ],
    erase: Annotated[
        bool, typer.Option("--erase", help="Destroy bytes, descriptors and names; only a tombstone stays.")
    ] = False,
    yes: Yes = False,
    json: options.Json = False,
    home: options.Home = None,
) -> int:
    """Withdraw references: they are no longer matched, their history stays. With --erase, destroy them."""
    from imgguard.bootstrap import Services
    from imgguard.cli.errors import tell_end
    from imgguard.cli.running import Tally, run_all

    settings = options.settings_for(context, home)
    if erase and not yes:
        confirm_erasing(f"{len(identifiers)} reference(s)")
    tally = Tally()

    def report(removed: _Removed) -> None:
        tally.count(removed.status or "failed", removed.error, removed.fatal)
        removed.show(json=json)

    with Services(settings) as services:
        work = services.removal.erase if erase else services.removal.withdraw
        run_all(lambda identifier: _removed(work, identifier), identifiers, report, workers=1, tally=tally)
        if erase:
            services.removal.settle()
        services.publish_log()
    tell_end(tally)
    return tally.exit_code()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Removed:
    """What became of one reference: its new status, and the error, ``fatal`` if it would meet all others too."""

    identifier: str
    status: str | None = None
    error: "ErrorObject | None" = None
    fatal: "ImgguardError | None" = None

    def show(self, *, json: bool) -> None:
        """One line on stdout."""
        if json:
            error = self.error and self.error.model_dump()
            emit({"reference_id": self.identifier, "status": self.status, "error": error})
        else:
            reason = f"  {self.error.detail} [{self.error.code}]" if self.error else ""
            print(shown(f"{self.status or 'failed'}  {self.identifier}{reason}"))


def _removed(work: "Callable[[str], Removed]", identifier: str) -> _Removed:
    from imgguard.errors import ImgguardError
    from imgguard.services.outcomes import ends_run, error_object

    try:
        removed = work(identifier)
        unfinished = None if removed.unfinished is None else error_object(removed.unfinished, file=identifier)
        return _Removed(identifier=identifier, status=removed.reference.status.value, error=unfinished)
    except ImgguardError as error:
        told = error_object(error, file=identifier)
        return _Removed(identifier=identifier, error=told, fatal=error if ends_run(error) else None)
