"""Packets that somebody has tampered with, each by its name: how it is made, and the step and reason that refuse it.

Most are sealed again after the change, with the very key of the operator: what is refused is then refused for itself,
and not because the seal is broken.
"""

from collections.abc import Callable

from hostile_captures import CAPTURES
from hostile_records import RECORDS
from hostile_times import TIMES, back_dated_token
from hostile_zips import ZIPS, Refusal, members_of

HOSTILE: dict[Callable[[], bytes], Refusal] = {**ZIPS, **RECORDS, **CAPTURES, **TIMES}

__all__ = ["HOSTILE", "Refusal", "back_dated_token", "members_of"]
