"""The embedded timestamp authority, whose keys are a file of the home folder: the TimestampAuthority port."""

import secrets
from functools import cached_property
from pathlib import Path

from imgguard.errors import StoreUnavailable
from imgguard.ports import Clock
from imgguard.provenance.authority import LABEL, EmbeddedAuthority
from imgguard.provenance.timestamps import Digest, read_response, request_for
from imgguard.storage.private_files import read_or_make


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
            data = read_or_make(self._path, self._new)
        except OSError as error:
            raise StoreUnavailable(f"{self._path} cannot be read or made: {error.strerror}") from error
        return EmbeddedAuthority.from_pem(data)

    def _new(self) -> bytes:
        return EmbeddedAuthority.new(at=self._clock.now().replace(microsecond=0)).to_pem()
