"""The trust file, as the settings name it."""

from pathlib import Path

from imgguard.errors import ConfigurationError
from imgguard.provenance.trust import Trust, read_trust

_LONGEST = 1_000_000


def read_trust_file(path: Path | None) -> Trust:
    """What it says; nobody is trusted without one. Raises ConfigurationError, which names the file."""
    if path is None:
        return Trust()
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(
            f"the trust file cannot be read: {path}: {reason}", hint="Set IMGGUARD_TRUST_FILE to one that can."
        ) from error
    return read_trust(text)
