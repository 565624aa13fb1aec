"""Which errors end a run, and which exit code a run has."""

import pytest

from imgguard import errors
from imgguard.cli.exits import ExitCode, exit_code_of
from imgguard.cli.running import Tally
from imgguard.services.contract import ErrorObject
from imgguard.services.outcomes import ends_run, error_object

INPUT = ErrorObject(code="corrupt_image", detail="cut short")
BUG = ErrorObject(code="internal", detail="boom")


def test_an_error_that_nobody_foresaw_is_internal(caplog: pytest.LogCaptureFixture) -> None:
    assert error_object(ZeroDivisionError("boom"), file="a.jpg").code == "internal"
    assert "a.jpg" in caplog.text
    assert error_object(errors.CorruptImage("cut"), file="a.jpg") == ErrorObject(code="corrupt_image", detail="cut")


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (errors.CorruptImage(""), False),
        (errors.DigestMismatch(""), False),
        (ZeroDivisionError(), False),
        (errors.StoreUnavailable(""), True),
        (errors.WeightsUnavailable(""), True),
        (errors.ConfigurationError(""), True),
    ],
)
def test_what_ends_a_run(error: Exception, ends: bool) -> None:
    assert ends_run(error) is ends


def test_exit_codes_in_their_order() -> None:
    tally = Tally()
    assert tally.exit_code() is ExitCode.DONE
    tally.count("copy")
    assert tally.exit_code(copy_found=True) is ExitCode.COPY_FOUND
    tally.count("error", INPUT)
    assert tally.exit_code(copy_found=True) is ExitCode.FAILED
    tally.count("error", INPUT, errors.StoreUnavailable("gone"))
    assert tally.exit_code(copy_found=True) is ExitCode.DEPENDENCY
    tally.is_interrupted = True
    assert tally.exit_code() is ExitCode.INTERRUPTED
    tally.count("error", BUG)
    assert tally.exit_code() is ExitCode.BUG


def test_a_class_that_the_table_does_not_know_counts_as_its_base() -> None:
    # Not a direct child of ImgguardError, and only in this function: the documentation's test walks the subclasses.
    kind = type("Unheard", (errors.DependencyError,), {"__module__": __name__})
    assert exit_code_of(kind("")) is ExitCode.DEPENDENCY
