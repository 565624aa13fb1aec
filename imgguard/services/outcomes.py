"""What an error means for a run over many inputs: a line for this input, or the end of the run."""

import logging

from imgguard.errors import ConfigurationError, DependencyError, ImgguardError
from imgguard.services.contract import ErrorObject

_log = logging.getLogger("imgguard")


def error_object(error: Exception, *, file: str) -> ErrorObject:
    """The contract's form of an error. One that nobody foresaw is logged with its traceback, and has code internal."""
    if isinstance(error, ImgguardError):
        return ErrorObject(code=error.code, detail=error.detail)
    _log.error("unexpected error at %s", file, exc_info=error)
    return ErrorObject(code=ImgguardError.code, detail=f"{type(error).__name__}: {error}")


def ends_run(error: Exception) -> bool:
    """Whether the inputs still to come would meet the same fate."""
    return isinstance(error, ConfigurationError | DependencyError)
