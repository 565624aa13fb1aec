"""The key that seals packets: the operator's, where the settings name its files, or one that the home folder keeps."""

from pathlib import Path

from imgguard.errors import ConfigurationError, StoreUnavailable
from imgguard.evidence.packet.seal_keys import SealKey
from imgguard.ports import Clock
from imgguard.storage.private_files import read_or_make

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def installation_seal(path: Path, *, installation: str, clock: Clock) -> SealKey:
    """The key in the file ``path``, which is made when it is asked for first, in the name of ``installation``.

    Whoever has the file can seal as this installation. Raises StoreUnavailable, and ConfigurationError for a file that
    is not its own: it is never replaced, as every packet so far would be one of nobody's.
    """
    try:
        data = read_or_make(path, lambda: _new(installation, clock))
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be read or made: {error.strerror}") from error
    key, mark, certificate = data.partition(_CERTIFICATE)
    return SealKey.from_pem(mark + certificate, key)


def operator_seal(certificate: Path, key: Path) -> SealKey:
    """The key in the files that the operator names. Raises ConfigurationError."""
    found = []
    for path in (certificate, key):
        try:
            found.append(path.read_bytes())
        except OSError as error:
            raise ConfigurationError(f"{path}, which the settings name, cannot be read: {error.strerror}") from error
    return SealKey.from_pem(*found)


def _new(installation: str, clock: Clock) -> bytes:
    certificate, key = SealKey.new(installation, at=clock.now().replace(microsecond=0)).to_pem()
    return key + certificate
