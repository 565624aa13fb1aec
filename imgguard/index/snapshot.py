"""An index on disk: immutable files named by their digest, and a manifest that is replaced last.

A snapshot is a cache. Whatever is torn, missing or altered makes `load` return None, and the index is built anew from
the database. A crash while saving leaves the former manifest and its files, or the new one and its files.
"""

import hashlib
import io
import json
import logging
import os
import struct
import weakref
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from imgguard.index.codec import Codec
from imgguard.index.faiss_index import TAIL_ROWS, FaissIndex, State
from imgguard.index.segment import LiveSegment, Segment, Tail

_FORMAT = 2
_MANIFEST = "manifest.json"
_MODE = 0o600

# What reading damaged or altered files may raise: JSON nested too deeply is a RecursionError (a RuntimeError, as are
# faiss's), arrays cut short an EOFError, rows of a segment that is shorter an IndexError, and so on.
_UNUSABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    EOFError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    struct.error,
    zipfile.BadZipFile,
)

_log = logging.getLogger(__name__)

# Files of what is in memory and never changes, so that it is written and hashed once. (folder, name)
_written: weakref.WeakKeyDictionary[Segment | Codec, tuple[Path, str]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a snapshot holds: the generation, its weights, and the last change of the catalogue that is in it.

    ``token`` is the catalogue's name for that change, and tells whether it is this catalogue's at all.
    """

    generation_id: str
    weights_sha256: str
    sequence: int
    token: str

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """The label in a manifest. Raises KeyError, and TypeError when a value is of another type."""
        values = {field.name: body[field.name] for field in fields(cls)}
        if any(type(values[field.name]) is not field.type for field in fields(cls)):
            raise TypeError(f"the label {values} has values of other types")
        return cls(**values)


def save(state: State, folder: Path, label: Label) -> None:
    """Write ``state``; files of segments that an earlier call wrote are kept. Call it with ``folder`` to oneself.

    Vectors that were removed but not compacted away are written too, and marked. Raises OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    codecs = {part.segment.codec: "" for part in state.segments}
    codecs |= {state.codec: ""} if state.codec is not None else {}
    for codec in codecs:
        codecs[codec] = _write_once(folder, codec, _codec_arrays)
    segments = [
        {"file": _write_once(folder, part.segment, _segment_arrays), "codec": codecs[part.segment.codec]}
        for part in state.segments
    ]
    numbers, vectors = state.tail.live()
    tail: list[NDArray[Any]] = [numbers, vectors, _removed(state)]
    body = {
        "format": _FORMAT,
        **asdict(label),
        "codec": codecs[state.codec] if state.codec is not None else None,
        "segments": segments,
        "tail": _write(folder, "tail", tail),
    }
    _sync(folder)  # every file before the manifest that names it
    _replace(folder / _MANIFEST, _sealed(body))
    _sync(folder)
    _sweep(folder, body)


def _removed(state: State) -> NDArray[np.int64]:
    """(n, 2): position of the segment, and row. Not numbers: one that was replaced is dead here and live there."""
    marks = [np.empty((0, 2), dtype=np.int64)]
    for position, part in enumerate(state.segments):
        rows = np.empty(0, dtype=np.int64) if part.dead is None else np.flatnonzero(part.dead)
        marks.append(np.column_stack([np.full(len(rows), position, dtype=np.int64), rows]))
    return np.concatenate(marks)


def label_of(folder: Path) -> Label | None:
    """What the snapshot in ``folder`` says it holds, without reading it. None when there is none to be trusted."""
    try:
        return Label.of(_body(folder))
    except FileNotFoundError:
        return None
    except _UNUSABLE as error:
        _log.warning("the index snapshot in %s is of no use: %s", folder, error)
        return None


def load(folder: Path) -> tuple[FaissIndex, Label] | None:
    """The index as it was saved, every file checked against its digest; None when anything is wrong with it."""
    label = label_of(folder)
    if label is None:
        return None
    try:
        return FaissIndex.of_state(_state(folder, _body(folder))), label
    except _UNUSABLE as error:
        _log.warning("the index snapshot in %s is of no use: %s", folder, error)
        return None


def _state(folder: Path, body: dict[str, Any]) -> State:
    codecs: dict[str, Codec] = {}
    for name in {body["codec"], *(entry["codec"] for entry in body["segments"])} - {None}:
        codecs[name] = _read_codec(folder, name)
    segments = []
    for entry in body["segments"]:
        numbers, codes, scanner = _read(folder, entry["file"], 3)
        segment = Segment(codecs[entry["codec"]], numbers, codes, faiss.deserialize_index(scanner))
        _require(codes.shape == (len(numbers), segment.codec.dimension) and segment.scanner.ntotal == len(numbers))
        _written[segment] = (folder, entry["file"])
        segments.append(LiveSegment(segment))
    numbers, vectors, removed = _read(folder, body["tail"], 3)
    _require(all(codec.dimension == vectors.shape[1] for codec in codecs.values()))
    _require(removed.shape[1] == 2 and set(removed[:, 0].tolist()) <= set(range(len(segments))))
    tail = Tail.empty(max(TAIL_ROWS, len(numbers)), vectors.shape[1]).with_added(numbers, vectors)
    marked = tuple(part.without_rows(removed[removed[:, 0] == n, 1]) for n, part in enumerate(segments))
    return State(codecs[body["codec"]] if body["codec"] else None, marked, tail)


def _require(fits_together: bool) -> None:
    if not fits_together:
        raise ValueError("its parts do not fit together")


def _read_codec(folder: Path, name: str) -> Codec:
    rotation, low, step, centroids, counts = _read(folder, name, 5)
    scanned, trained_on = counts.tolist()
    codec = Codec(rotation=rotation, scanned=scanned, low=low, step=step, centroids=centroids, trained_on=trained_on)
    _written[codec] = (folder, name)
    return codec


def _codec_arrays(codec: Codec) -> tuple[str, list[NDArray[Any]]]:
    counts = np.array([codec.scanned, codec.trained_on], dtype=np.int64)
    return "codec", [codec.rotation, codec.low, codec.step, codec.centroids, counts]


def _segment_arrays(segment: Segment) -> tuple[str, list[NDArray[Any]]]:
    return "segment", [segment.numbers, segment.codes, faiss.serialize_index(segment.scanner)]


def _write_once(folder: Path, item: Any, arrays_of: Any) -> str:
    known = _written.get(item)
    if known is not None and known[0] == folder and (folder / known[1]).is_file():
        return known[1]
    name = _write(folder, *arrays_of(item))
    _written[item] = (folder, name)
    return name


def _write(folder: Path, kind: str, arrays: Sequence[NDArray[Any]]) -> str:
    buffer = io.BytesIO()
    for array in arrays:
        np.save(buffer, array, allow_pickle=False)
    data = buffer.getbuffer()
    name = f"{kind}-{hashlib.sha256(data).hexdigest()}.npy"
    _replace(folder / name, data)
    return name


def _read(folder: Path, name: str, count: int) -> list[NDArray[Any]]:
    data = (folder / name).read_bytes()
    if Path(name).name != name or hashlib.sha256(data).hexdigest() != name.rpartition("-")[2].removesuffix(".npy"):
        raise ValueError(f"{name} does not have the digest in its name")
    buffer = io.BytesIO(data)
    return [np.load(buffer, allow_pickle=False) for _ in range(count)]


def _sealed(body: dict[str, Any]) -> bytes:
    text = json.dumps(body, sort_keys=True)
    return json.dumps({"body": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}).encode()


def _body(folder: Path) -> dict[str, Any]:
    sealed = json.loads((folder / _MANIFEST).read_bytes())
    text = sealed["body"]
    if hashlib.sha256(text.encode()).hexdigest() != sealed["sha256"]:
        raise ValueError("the manifest does not have the digest it states")
    body: dict[str, Any] = json.loads(text)
    if body["format"] != _FORMAT:
        raise ValueError(f"format {body['format']} is not {_FORMAT}")
    return body


def _replace(path: Path, data: bytes | memoryview) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path, body: dict[str, Any]) -> None:
    """Remove what the manifest does not name: it may hold vectors that were erased."""
    named = {_MANIFEST, body["tail"], body["codec"]}
    named |= {entry[key] for entry in body["segments"] for key in ("file", "codec")}
    for path in folder.iterdir():
        if path.name not in named:
            path.unlink(missing_ok=True)
