"""Who stamps the time on a digest."""

from typing import Protocol

from imgguard.provenance.timestamps import Digest


class TimestampAuthority(Protocol):
    """One authority of the operator's choice. Thread safe. ``name`` is for people, ``url`` is as in the settings."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    def stamp(self, digest: Digest) -> bytes:
        """The token for ``digest``, whose nonce and imprint were looked at, and nothing else yet.

        Raises TimestampAuthorityUnavailable, TimestampRefused; the embedded one StoreUnavailable, ConfigurationError.
        """
        ...
