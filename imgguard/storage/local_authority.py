"""The embedded timestamp authority, whose keys are a file of the home folder: the TimestampAuthority port."""

import os
import secrets
from functools import cached_property
from pathlib import Path

from imgguard.errors import StoreUnavailable
from imgguard.ports import Clock
from imgguard.provenance.authority import LABEL, EmbeddedAuthority
from imgguard.provenance.timestamps import Digest, read_response, request_for
from imgguard.storage.folders import sync_folder

_FILE_MODE = 0o600


class LocalAuthority:
    """Thread safe. ``path`` is made when something is stamped first; whoever has it can stamp any time."""

    name = f"embedded authority ({LABEL})"
    url = "embedded"

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def stamp(self, digest: Digest) -> bytes:
        """Raises StoreUnavailable, and ConfigurationError for a file that is not its own."""
        request = request_for(digest, nonce=secrets.randbits(64))
        return read_response(self.authority.issue(request, at=self._clock.now()), request)

    @cached_property
    def authority(self) -> EmbeddedAuthority:
        """Its root is what a trust file pins. Raises as `stamp` does."""
        try:
            if not self._path.exists():
                self._make()
            return EmbeddedAuthority.from_pem(self._path.read_bytes())
        except OSError as error:
            raise StoreUnavailable(f"{self._path} cannot be read or made: {error.strerror}") from error

    def _make(self) -> None:
        """Another process may do so at the same time: the first to link its file is the one."""
        made = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(EmbeddedAuthority.new(at=self._clock.now().replace(microsecond=0)).to_pem())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(made, self._path)
            except FileExistsError:
                return
            sync_folder(self._path.parent)
        finally:
            made.unlink()
