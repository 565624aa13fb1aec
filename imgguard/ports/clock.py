"""The time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Aware UTC now."""

    def now(self) -> datetime: ...
