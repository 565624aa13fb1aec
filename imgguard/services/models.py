"""Embedders by the digest of their weights, loaded when first used and then shared by all threads."""

import threading
from collections.abc import Callable

from imgguard.errors import WeightsUnavailable
from imgguard.fingerprint.embedding import Embedder
from imgguard.fingerprint.weights import PACKAGED, PAIRS, Weights, packaged_weights


class Models:
    """``configured`` gives the weights that the settings name; ``threads`` are the cores one inference may use."""

    def __init__(self, configured: Callable[[], Weights], *, threads: int) -> None:
        self._configured = configured
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: dict[str, Embedder] = {}

    def configured(self) -> Weights:
        """The weights of new index generations. Raises ConfigurationError, WeightsUnavailable."""
        return self._configured()

    def reference(self, weights_sha256: str) -> Embedder:
        """The embedder whose vectors fill a generation of these weights. Raises WeightsUnavailable."""
        with self._lock:
            if weights_sha256 not in self._loaded:
                self._loaded[weights_sha256] = Embedder(self._find(weights_sha256), threads=self._threads)
            return self._loaded[weights_sha256]

    def query(self, weights_sha256: str) -> Embedder:
        """The embedder whose vectors search such a generation: its declared pair, which is cheaper, or itself."""
        return self.reference(PAIRS.get(weights_sha256, weights_sha256))

    def _find(self, weights_sha256: str) -> Weights:
        for name, digest in PACKAGED.items():
            if digest == weights_sha256:
                return packaged_weights(name)
        configured = self._configured()
        if configured.sha256 != weights_sha256:
            raise WeightsUnavailable(f"the index was made with weights {weights_sha256[:12]}..., which are not at hand")
        return configured
