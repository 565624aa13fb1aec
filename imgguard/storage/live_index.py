"""The ReferenceIndex port: the active generation in memory, kept current with the catalogue."""

import logging
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgguard.errors import IndexNotReady, IndexUnavailable, StoreUnavailable
from imgguard.fingerprint.fingerprint import whole_vectors
from imgguard.index import snapshot
from imgguard.index.base import Vectors
from imgguard.index.faiss_index import FaissIndex
from imgguard.index.fusion import FusedHit, fuse
from imgguard.ports import Catalogue, Generation, IndexChange
from imgguard.storage.locks import file_lock

_LOCK = "lock"

_PAGE = 10_000
"""Changes or embeddings read at a time: 20 MB of 512 float32."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Loaded:
    """One generation in memory, with the last change that is in it and that change's token.

    ``index`` is None until the first vector tells the dimension.
    """

    generation: Generation
    sequence: int
    token: str
    index: FaissIndex | None = None

    def add(self, packed: Mapping[int, bytes]) -> list[int]:
        """Returns the numbers whose embeddings are damaged: they are left out, so that all others can be found."""
        dimension = None if self.index is None else self.index.dimension
        numbers, vectors = whole_vectors(packed, dimension=dimension)
        if numbers:
            if self.index is None:
                self.index = FaissIndex(vectors.shape[1])
            self.index.add(numbers, vectors)
        return sorted(packed.keys() - set(numbers))


class LiveIndex:
    """Loads what was saved, then follows the catalogue's log of changes; every search begins with that.

    So a reference is found from the moment its registration returned, whichever process it happened in, and nothing
    here can be lost: without the files in ``folder`` the index is read from the catalogue.

    Every method that looks at the catalogue raises StoreUnavailable when that cannot be used.
    """

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self._catalogue = catalogue
        self._folder = folder
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()
        self._distrusted = False  # what is on disk turned out to be damaged, whatever it says of itself
        self._files_hold_removed = False  # for all this process knows: something was removed since they were written

    @property
    def generation(self) -> Generation | None:
        """The one that was searched last, or loaded."""
        loaded = self._loaded
        return None if loaded is None else loaded.generation

    def __len__(self) -> int:
        loaded = self._loaded
        return 0 if loaded is None or loaded.index is None else len(loaded.index)

    def refresh(self) -> int:
        """Take over what changed in the catalogue; returns the number of changes. Raises IndexNotReady."""
        return self._current()[1]

    def _current(self) -> tuple[_Loaded, int]:
        """The index as current as the catalogue was when this was called, and how many changes that took."""
        wanted = self._catalogue.index_state()
        if wanted.generation is None:
            raise IndexNotReady("no index generation is active yet")
        loaded = self._loaded
        if loaded is not None and loaded.generation == wanted.generation and loaded.token == wanted.token:
            return loaded, 0
        with self._lock:
            loaded = self._loaded
            if (
                loaded is None
                or loaded.generation.generation_id != wanted.generation.generation_id
                or not self._is_known(loaded)
            ):
                loaded = self._open(wanted.generation)
            followed = self._follow(loaded)
            self._loaded = loaded
            return loaded, followed

    def _is_known(self, at: _Loaded | snapshot.Label) -> bool:
        """Whether the catalogue has that change in its history, and not another one with the same number: then it was
        restored from a backup, and neither the sequence nor the numbers of contents mean what they did."""
        return self._catalogue.index_token(at.sequence) == at.token

    def _open(self, generation: Generation) -> _Loaded:
        return self._read(generation) or self._build(generation)

    def _read(self, generation: Generation) -> _Loaded | None:
        """From the snapshot, unless it is missing, damaged, out of reach, or of another history of the catalogue."""
        try:
            if not self._folder.is_dir():
                return None
            with self._files(shared=True):
                found = snapshot.load(self._folder / generation.generation_id)
        except (OSError, IndexUnavailable) as error:
            _log.warning("the index is read from the database, not from its files: %s", error)
            return None
        if found is not None:
            index, label = found
            right = (label.generation_id, label.weights_sha256) == (generation.generation_id, generation.weights_sha256)
            if right and self._is_known(label):
                return _Loaded(generation, label.sequence, label.token, index)
        self._distrusted = True
        return None

    @contextmanager
    def _files(self, *, shared: bool = False) -> Iterator[None]:
        """Nobody replaces the files while we read them, or touches them while we write. Raises IndexUnavailable."""
        with ExitStack() as held:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                held.enter_context(file_lock(self._folder / _LOCK, shared=shared))
            except (OSError, StoreUnavailable) as error:
                raise IndexUnavailable(f"the index files in {self._folder} cannot be used: {error}") from error
            try:
                yield
            except OSError as error:
                raise IndexUnavailable(f"the index files in {self._folder} cannot be used: {error}") from error

    def _build(self, generation: Generation) -> _Loaded:
        """Read every searchable embedding. What changes meanwhile is behind ``sequence`` and followed afterwards."""
        state = self._catalogue.index_state()
        built = _Loaded(generation, state.sequence, state.token)
        last = 0
        while page := self._catalogue.searchable_embeddings(generation.weights_sha256, after=last, limit=_PAGE):
            self._warn_of(built.add(dict(page)))
            last = page[-1][0]
        return built

    def _follow(self, loaded: _Loaded) -> int:
        total = 0
        while changes := self._catalogue.index_changes(loaded.sequence, limit=_PAGE):
            self._apply(loaded, changes)
            loaded.sequence = changes[-1].sequence
            loaded.token = self._catalogue.index_token(loaded.sequence) or ""
            total += len(changes)
        return total

    def _apply(self, loaded: _Loaded, changes: Sequence[IndexChange]) -> None:
        present = [change.number for change in changes if change.present]
        packed = self._catalogue.embeddings(loaded.generation.weights_sha256, present)
        damaged = loaded.add(packed)
        self._warn_of(damaged)
        # One that is gone from the catalogue already has a later change, which says so too.
        gone = [change.number for change in changes if change.number not in packed]
        if loaded.index is not None:
            loaded.index.remove(gone + damaged)
        self._files_hold_removed |= bool(gone)

    def _warn_of(self, damaged: Iterable[int]) -> None:
        for number in damaged:
            content = self._catalogue.content_numbered(number)
            if content is not None:
                _log.warning(
                    "the stored embedding of original %s... is damaged; see `imgguard doctor --deep`",
                    content.sha256[:12],
                )

    def search(self, views: Vectors, limit: int) -> list[FusedHit]:
        """The ``limit`` contents nearest to any of ``views``, float32 (n, dimension), by their exact cosines.

        Raises IndexNotReady, and IndexUnavailable when ``views`` have another dimension than the active generation.
        """
        loaded, _ = self._current()
        if loaded.index is None:
            return []
        if views.ndim != 2 or views.shape[1] != loaded.index.dimension:
            raise IndexUnavailable(f"vectors of shape {views.shape} cannot search dimension {loaded.index.dimension}")
        # More than asked for: the order among the last ones is only known once the cosines are exact.
        near = fuse(loaded.index.search(views, limit + max(4, limit // 2)), limit + max(4, limit // 2))
        return self._exact(loaded.generation, views, near)[:limit]

    def _exact(self, generation: Generation, views: Vectors, near: Sequence[FusedHit]) -> list[FusedHit]:
        """The hits with cosines from the stored embeddings: a finding does not depend on how the index compresses.

        Where one was damaged since it was indexed, the cosine that the index gave has to do.
        """
        packed = self._catalogue.embeddings(generation.weights_sha256, [hit.number for hit in near])
        if not packed:
            return []
        whole, vectors = whole_vectors(packed, dimension=views.shape[1])
        cosines = np.asarray(views, dtype=np.float32) @ vectors.T
        best = cosines.argmax(axis=0)
        hits = [
            FusedHit(number=number, cosine_similarity=min(float(cosines[view, column]), 1.0), view=int(view))
            for column, (number, view) in enumerate(zip(whole, best, strict=True))
        ]
        if damaged := packed.keys() - set(whole):
            self._warn_of(sorted(damaged))
            hits += [hit for hit in near if hit.number in damaged]
        return sorted(hits, key=lambda hit: (-hit.cosine_similarity, hit.number))

    def save(self) -> None:
        """Write what is new to disk, and drop what was removed from memory and files. Raises IndexUnavailable."""
        loaded = self._loaded
        if loaded is None or loaded.index is None:
            return
        generation = loaded.generation
        loaded.index.compact()  # removed vectors leave memory, and with it the files
        with self._lock:
            if loaded.index.holds_removed:  # removed since; rare and quick
                loaded.index.compact()
            state, sequence, token = loaded.index.state, loaded.sequence, loaded.token
        label = snapshot.Label(
            generation_id=generation.generation_id,
            weights_sha256=generation.weights_sha256,
            sequence=sequence,
            token=token,
        )
        target = self._folder / generation.generation_id
        with self._files():
            saved = None if self._distrusted else snapshot.label_of(target)
            if saved is None or saved.sequence < sequence or not self._is_known(saved):
                snapshot.save(state, target, label)
                self._distrusted = False
            self._drop_retired()
        with self._lock:
            if self._loaded is loaded and loaded.sequence == sequence:
                self._files_hold_removed = False

    def drop_removed(self) -> None:
        """`save`, if something was removed since the last time. To be called now and then, in a process that searches:
        then what another process erased leaves the files too. Does nothing before the index was loaded.

        Raises IndexUnavailable; then the next call tries again.
        """
        if self._loaded is None:
            return
        self.refresh()
        if self._files_hold_removed:
            self.save()

    def _drop_retired(self) -> None:
        active = self._catalogue.active_generation()
        for folder in self._folder.iterdir():
            if folder.is_dir() and active is not None and folder.name != active.generation_id:
                shutil.rmtree(folder)

    def rebuild(self) -> int:
        """Forget the files and build anew from the catalogue; returns the number of contents.

        Raises IndexNotReady, and IndexUnavailable when the files cannot be written.
        """
        wanted = self._catalogue.index_state()
        if wanted.generation is None:
            raise IndexNotReady("no index generation is active yet")
        built = self._build(wanted.generation)  # searches go on in the old one meanwhile
        with self._lock:
            self._follow(built)
            self._loaded = built
        with self._files():
            shutil.rmtree(self._folder / wanted.generation.generation_id, ignore_errors=True)
        self.save()
        return len(self)

    def close(self) -> None:
        """Frees the memory; call ``save`` before, to open faster the next time."""
        self._loaded = None
