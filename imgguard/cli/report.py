"""Collects what the HTML report shows, small enough to hold for a long run."""

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from imgguard import __version__
from imgguard.errors import ConfigurationError
from imgguard.evidence.report import ReportEntry, render_report
from imgguard.fingerprint.describe import reduced
from imgguard.imaging.image import Pixels
from imgguard.services.checking import Checked
from imgguard.services.contract import CheckLine

MOST_ILLUSTRATED = 60
"""Listings shown with pictures. The report fits all its pictures into one budget: more of them would all be poor."""
MOST_THUMBNAILS = 200
"""Listings without a match that are shown with their own picture."""

_QUERY_SIDE = 480
_THUMBNAIL_SIDE = 160


class _Packed(Mapping[str, Pixels]):
    """Pictures kept compressed and decoded when looked at: a tenth of the memory, and the page compresses harder."""

    def __init__(self, pictures: Mapping[str, Pixels]) -> None:
        self._packed = {name: _jpeg(picture) for name, picture in pictures.items()}

    def __getitem__(self, name: str) -> Pixels:
        picture = cv2.imdecode(np.frombuffer(self._packed[name], np.uint8), cv2.IMREAD_COLOR_RGB)
        return np.asarray(picture, np.uint8)

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def _jpeg(picture: Pixels) -> bytes:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    return data.tobytes()


class Report:
    """One page at ``path``. ``wants`` may be called from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: list[ReportEntry] = []
        self._lock = threading.Lock()
        self._illustrated = 0
        self._thumbnails = 0

    def wants(self, line: CheckLine) -> bool:
        """Whether pictures of this check are to be drawn, or at least its thumbnail: as long as there is room."""
        if line.error is not None:
            return False
        with self._lock:
            if line.matches:
                self._illustrated += 1
                return self._illustrated <= MOST_ILLUSTRATED
            self._thumbnails += 1
            return self._thumbnails <= MOST_THUMBNAILS

    def add(self, checked: Checked) -> None:
        """One more listing."""
        drawn = checked.illustration
        check = checked.line.model_dump(mode="json")
        if drawn is None:
            self._entries.append(ReportEntry(check=check, checked_at=datetime.now(UTC)))
            return
        side = _QUERY_SIDE if drawn.pictures else _THUMBNAIL_SIDE
        self._entries.append(
            ReportEntry(
                check=check,
                query=np.ascontiguousarray(reduced(drawn.query, side)),
                pictures=_Packed(drawn.pictures),
                flip=drawn.flip,
                checked_at=datetime.now(UTC),
            )
        )

    def write(self, title: str) -> None:
        """The page, whole or not at all. Raises ConfigurationError when it cannot be written."""
        text = render_report(self._entries, title=title, made_at=datetime.now(UTC), version=__version__)
        part = self.path.with_name(f".{self.path.name}.part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(self.path)
        except OSError as error:
            raise ConfigurationError(f"cannot write {self.path}: {error.strerror}", hint="Change --report.") from error
