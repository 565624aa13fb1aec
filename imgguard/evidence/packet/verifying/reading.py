"""Packets and trust files from disk, for the commands that verify."""

import mmap
from pathlib import Path

from imgguard.errors import ConfigurationError
from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.evidence.packet.verifying.steps import Level, VerificationReport
from imgguard.provenance.trust import Trust, read_trust

LONGEST_TRUST = 1024**2


def read_and_verify(packet: Path, *, trust: Path | None, level: Level) -> VerificationReport:
    """The report on the file ``packet``, by the trust file ``trust``. Raises ConfigurationError for files that cannot
    be read, and for a trust file that is none."""
    believed = None if trust is None else _trust(trust)
    try:
        with packet.open("rb") as file:
            if not packet.stat().st_size:
                return verify_packet(b"", trust=believed, level=level)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                view = memoryview(mapped)
                try:
                    return verify_packet(view, trust=believed, level=level)
                finally:
                    view.release()
    except (OSError, ValueError) as error:
        raise _unreadable(packet, error) from error


def _trust(path: Path) -> Trust:
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_TRUST + 1)
        if len(data) > LONGEST_TRUST:
            raise ConfigurationError(f"{path} is too long for a trust file", hint="Give another file.")
        return read_trust(data.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ConfigurationError:
    reason = error.strerror if isinstance(error, OSError) else "it is no such file"
    return ConfigurationError(f"cannot read {path}: {reason}", hint="Check the path and the file.")
