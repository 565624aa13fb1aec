"""The ReferenceIndex port: the active generation in memory, kept current with the catalogue."""

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imgguard.errors import IndexNotReady, IndexUnavailable
from imgguard.fingerprint.fingerprint import unpack_vectors
from imgguard.index import snapshot
from imgguard.index.base import Vectors
from imgguard.index.faiss_index import FaissIndex
from imgguard.index.fusion import FusedHit, fuse
from imgguard.ports import Catalogue, Generation, IndexChange
from imgguard.storage.locks import file_lock

_LOCK = "lock"

_PAGE = 10_000
"""Changes or embeddings read at a time: 20 MB of 512 float32."""


@dataclass(slots=True)
class _Loaded:
    """One generation in memory. ``index`` is None until the first vector tells the dimension."""

    generation: Generation
    sequence: int
    index: FaissIndex | None = None

    def add(self, numbers: Sequence[int], packed: Sequence[bytes]) -> None:
        if not numbers:
            return
        try:
            vectors = unpack_vectors(packed)
            if self.index is None:
                self.index = FaissIndex(vectors.shape[1])
            self.index.add(numbers, vectors)
        except ValueError as error:
            raise IndexUnavailable(f"the stored embeddings do not fit together: {error}") from error


class LiveIndex:
    """Loads what was saved, then follows the catalogue's log of changes; every search begins with that.

    So a reference is found from the moment its registration returned, whichever process it happened in, and nothing
    here can be lost: without the files in ``folder`` the index is read from the catalogue.
    """

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self._catalogue = catalogue
        self._folder = folder
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()
        self._distrusted = False  # what is on disk turned out to be damaged, whatever it says of itself

    @property
    def generation(self) -> Generation | None:
        loaded = self._loaded
        return None if loaded is None else loaded.generation

    def __len__(self) -> int:
        loaded = self._loaded
        return 0 if loaded is None or loaded.index is None else len(loaded.index)

    def refresh(self) -> int:
        return self._current()[1]

    def _current(self) -> tuple[_Loaded, int]:
        """The index as current as the catalogue was when this was called, and how many changes that took."""
        wanted = self._catalogue.index_state()
        if wanted.generation is None:
            raise IndexNotReady("no index generation is active yet")
        loaded = self._loaded
        if loaded is not None and loaded.generation == wanted.generation and loaded.sequence >= wanted.sequence:
            return loaded, 0
        with self._lock:
            loaded = self._loaded
            if loaded is None or loaded.generation.generation_id != wanted.generation.generation_id:
                loaded = self._open(wanted.generation)
            followed = self._follow(loaded)
            self._loaded = loaded
            return loaded, followed

    def _open(self, generation: Generation) -> _Loaded:
        """From the snapshot, unless it is missing, damaged, or ahead of the catalogue (which was then restored)."""
        if self._folder.is_dir():
            with self._files(shared=True):
                found = snapshot.load(self._folder / generation.generation_id)
            if found is not None:
                index, label = found
                right = (label.generation_id, label.weights_sha256) == (
                    generation.generation_id,
                    generation.weights_sha256,
                )
                if right and label.sequence <= self._catalogue.index_state().sequence:
                    return _Loaded(generation, label.sequence, index)
            self._distrusted = True
        return self._build(generation)

    @contextmanager
    def _files(self, *, shared: bool = False) -> Iterator[None]:
        """Nobody replaces the files while we read them, or touches them while we write."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file_lock(self._folder / _LOCK, shared=shared):
                yield
        except OSError as error:
            raise IndexUnavailable(f"the index files in {self._folder} cannot be used: {error}") from error

    def _build(self, generation: Generation) -> _Loaded:
        """Read every searchable embedding. What changes meanwhile is behind ``sequence`` and followed afterwards."""
        built = _Loaded(generation, self._catalogue.index_state().sequence)
        last = 0
        while page := self._catalogue.searchable_embeddings(generation.weights_sha256, after=last, limit=_PAGE):
            built.add([number for number, _ in page], [data for _, data in page])
            last = page[-1][0]
        return built

    def _follow(self, loaded: _Loaded) -> int:
        total = 0
        while changes := self._catalogue.index_changes(loaded.sequence, limit=_PAGE):
            self._apply(loaded, changes)
            loaded.sequence = changes[-1].sequence
            total += len(changes)
        return total

    def _apply(self, loaded: _Loaded, changes: Sequence[IndexChange]) -> None:
        present = [change.number for change in changes if change.present]
        packed = self._catalogue.embeddings(loaded.generation.weights_sha256, present)
        # One that is gone from the catalogue already has a later change, which says so too.
        if loaded.index is not None:
            loaded.index.remove([change.number for change in changes if change.number not in packed])
        loaded.add(list(packed), list(packed.values()))

    def search(self, views: Vectors, limit: int) -> list[FusedHit]:
        loaded, _ = self._current()
        if loaded.index is None:
            return []
        if views.ndim != 2 or views.shape[1] != loaded.index.dimension:
            raise IndexUnavailable(f"vectors of shape {views.shape} cannot search dimension {loaded.index.dimension}")
        # More than asked for: the order among the last ones is only known once the cosines are exact.
        near = fuse(loaded.index.search(views, limit + max(4, limit // 2)), limit + max(4, limit // 2))
        return self._exact(loaded.generation, views, [hit.number for hit in near])[:limit]

    def _exact(self, generation: Generation, views: Vectors, numbers: Sequence[int]) -> list[FusedHit]:
        """The hits with cosines from the stored embeddings: a finding does not depend on how the index compresses."""
        packed = self._catalogue.embeddings(generation.weights_sha256, numbers)
        if not packed:
            return []
        cosines = np.asarray(views, dtype=np.float32) @ unpack_vectors(list(packed.values())).T
        best = cosines.argmax(axis=0)
        hits = [
            FusedHit(number=number, cosine_similarity=min(float(cosines[view, column]), 1.0), view=int(view))
            for column, (number, view) in enumerate(zip(packed, best, strict=True))
        ]
        return sorted(hits, key=lambda hit: (-hit.cosine_similarity, hit.number))

    def save(self) -> None:
        loaded = self._loaded
        if loaded is None or loaded.index is None:
            return
        generation = loaded.generation
        loaded.index.compact()  # removed vectors leave memory, and with it the files
        with self._lock:
            if any(part.dead_count for part in loaded.index.state.segments):  # removed since; rare and quick
                loaded.index.compact()
            state, sequence = loaded.index.state, loaded.sequence
        label = snapshot.Label(
            generation_id=generation.generation_id, weights_sha256=generation.weights_sha256, sequence=sequence
        )
        target = self._folder / generation.generation_id
        with self._files():
            saved = None if self._distrusted else snapshot.label_of(target)
            if saved is None or saved.sequence < sequence:
                snapshot.save(state, target, label)
                self._distrusted = False
            self._drop_retired()

    def _drop_retired(self) -> None:
        active = self._catalogue.active_generation()
        for folder in self._folder.iterdir():
            if folder.is_dir() and active is not None and folder.name != active.generation_id:
                shutil.rmtree(folder)

    def rebuild(self) -> int:
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
