"""Packets and trust files from disk, for the commands that verify."""

import mmap
import os
from pathlib import Path
from typing import IO

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
            return verify_file(file, trust=believed, level=level)
    except (OSError, ValueError) as error:
        raise _unreadable(str(packet), error) from error


def verify_file(packet: IO[bytes], *, trust: Trust | None, level: Level) -> VerificationReport:
    """The report on an open file, which is mapped rather than read. Raises OSError and ValueError for one that cannot
    be, and ConfigurationError as `verify_packet` does."""
    if not os.fstat(packet.fileno()).st_size:
        return verify_packet(b"", trust=trust, level=level)
    # Not closed here: an error that leads back into the packet, by its traceback, would not let it be.
    mapped = mmap.mmap(packet.fileno(), 0, access=mmap.ACCESS_READ)
    return verify_packet(memoryview(mapped), trust=trust, level=level)


def trust_in(file: IO[bytes], *, name: str) -> Trust:
    """What the trust file has, which errors call ``name``. Raises ConfigurationError."""
    try:
        data = file.read(LONGEST_TRUST + 1)
        if len(data) > LONGEST_TRUST:
            raise ConfigurationError(f"{name} is too long for a trust file", hint="Give another file.")
        return read_trust(data.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(name, error) from error


def _trust(path: Path) -> Trust:
    try:
        with path.open("rb") as file:
            return trust_in(file, name=str(path))
    except OSError as error:
        raise _unreadable(str(path), error) from error


def _unreadable(name: str, error: Exception) -> ConfigurationError:
    reason = error.strerror if isinstance(error, OSError) else "it is no such file"
    return ConfigurationError(f"cannot read {name}: {reason}", hint="Check the path and the file.")
