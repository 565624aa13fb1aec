"""Collects what the HTML report shows, small enough to hold for a long run."""

import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from imgguard import __version__
from imgguard.errors import ConfigurationError
from imgguard.evidence.files import check_file, replacing
from imgguard.evidence.report import ReportEntry, render_report
from imgguard.fingerprint.describe import reduced
from imgguard.services.checking import Checked
from imgguard.services.contract import CheckLine
from imgguard.verdict.finding import Verdict

MOST_ILLUSTRATED = 60
"""Listings shown with pictures. The report fits all its pictures into one budget: more of them would all be poor."""
MOST_THUMBNAILS = 200
"""Listings without a match that are shown with their own picture."""
MOST_LISTED = 1000
"""Listings on the page: 0.7 kB of text for one without a match, 4.2 kB for a copy; a few megabytes before pictures."""

_FIRST_TO_STAY = (Verdict.COPY, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.SAME_PRODUCT, Verdict.NO_MATCH)
_QUERY_SIDE = 480
_THUMBNAIL_SIDE = 160


class Report:
    """One page at ``path``. ``wants`` may be called from several threads.

    Raises ConfigurationError when no file can be written there: before the work, not after it.
    """

    def __init__(self, path: Path) -> None:
        check_file(path)
        self.path = path
        self._entries: list[ReportEntry] = []
        self._counts: Counter[str] = Counter()
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
        """One more listing. Beyond `MOST_LISTED` those that matter least are only counted."""
        self._counts[checked.line.verdict] += 1
        if len(self._entries) >= MOST_LISTED and not self._made_room(checked.line.verdict):
            return
        check, drawn = checked.line.model_dump(mode="json"), checked.illustration
        entry = ReportEntry(check=check, checked_at=checked.checked_at)
        if drawn is not None:
            side = _QUERY_SIDE if drawn.pictures else _THUMBNAIL_SIDE
            entry = ReportEntry(
                check=check,
                checked_at=checked.checked_at,
                query=np.ascontiguousarray(reduced(drawn.query, side)),
                pictures=drawn.pictures,
                flip=drawn.flip,
            )
        self._entries.append(entry.packed())

    def _made_room(self, verdict: Verdict) -> bool:
        """Whether an entry that matters less than one of this verdict was left out for it, the latest of the least."""
        ranks = [_FIRST_TO_STAY.index(entry.check["verdict"]) for entry in self._entries]
        lowest = max(ranks)
        if lowest <= _FIRST_TO_STAY.index(verdict):
            return False
        del self._entries[len(ranks) - 1 - ranks[::-1].index(lowest)]
        return True

    def write(self, title: str) -> None:
        """The page, whole or not at all. Raises ConfigurationError when it cannot be written."""
        made_at = datetime.now(UTC)
        text = render_report(self._entries, title=title, made_at=made_at, version=__version__, counts=self._counts)
        try:
            with replacing(self.path) as file:
                file.write(text.encode())
        except OSError as error:
            raise ConfigurationError(
                f"cannot write {self.path}: {error.strerror}", hint="Choose another place for it."
            ) from error
