"""The perceptual hashes of all that can be found, in memory: read once, then kept current with the catalogue."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from imgguard.ports import Catalogue, CheckStore
from imgguard.services.hashes import Hashes

_PAGE = 10_000
"""Changes or hashes read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """``sequence``: the last change of the catalogue that is in ``hashes``; ``token`` is that change's."""

    hashes: Hashes
    sequence: int
    token: str


class HashMemory:
    """Follows the log of changes that the index follows. So what was withdrawn or erased leaves memory with the next
    search, and what was registered is found by it, whichever process it happened in. Thread safe.
    """

    def __init__(self, *, catalogue: Catalogue, store: CheckStore) -> None:
        self._catalogue = catalogue
        self._store = store
        self._held: _Held | None = None
        self._lock = threading.Lock()

    def current(self) -> Hashes:
        """As current as the catalogue was when this was called. Raises StoreUnavailable."""
        wanted = self._catalogue.index_state()
        held = self._held
        if held is not None and (held.sequence, held.token) == (wanted.sequence, wanted.token):
            return held.hashes
        with self._lock:
            held = self._held
            if held is None or not self._is_known(held):
                held = self._read()
            self._held = held = self._followed(held)
            return held.hashes

    def _is_known(self, held: _Held) -> bool:
        """Whether that change is in the history of the catalogue, which may have been restored from a backup."""
        return (self._catalogue.index_token(held.sequence) or "") == held.token

    def _read(self) -> _Held:
        """All of them. What changes meanwhile is behind ``sequence`` and followed afterwards."""
        state = self._catalogue.index_state()
        return _Held(hashes=Hashes.of(self._stored()), sequence=state.sequence, token=state.token)

    def _stored(self) -> Iterator[tuple[int, bytes]]:
        after = 0
        while page := self._store.perceptual_hashes(after=after, limit=_PAGE):
            yield from page
            after = page[-1][0]

    def _followed(self, held: _Held) -> _Held:
        while changes := self._catalogue.index_changes(held.sequence, limit=_PAGE):
            numbers = {change.number for change in changes}
            # One that is gone by now is not among them, whatever this change says of it.
            now = Hashes.of(self._store.perceptual_hashes_of(numbers))
            last = changes[-1].sequence
            held = _Held(
                hashes=held.hashes.changed(numbers, now),
                sequence=last,
                token=self._catalogue.index_token(last) or "",
            )
        return held
