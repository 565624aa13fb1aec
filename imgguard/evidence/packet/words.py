"""What report and README say in English and Chinese: one catalogue, `locale/<language>.json`.

The English names of verdicts, edits, reasons and measurements are those of `imgguard.evidence.wording`. The words of a
packet are bounded as those are: a listing picture is a *likely copy*, bytes *existed no later than* a time. Who made a
picture, whose it is and whether a right was broken is nowhere said to have been found.
"""

import json
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from imgguard.evidence import wording
from imgguard.evidence.packet.model import Remark
from imgguard.evidence.statements import when

type Language = Literal["en", "zh"]
type Words = dict[str, Any]
"""A catalogue: nested dictionaries, lists and strings with named places."""

LANGUAGES: tuple[Language, ...] = ("en", "zh")

_LOCALE = Path(__file__).with_name("locale")


@cache
def words(language: Language) -> Words:
    """The catalogue of one language; all have the same keys. Raises FileNotFoundError for a language there is not."""
    own: Words = json.loads((_LOCALE / f"{language}.json").read_text(encoding="utf-8"))
    return _named() | own


def not_proven() -> tuple[Remark, ...]:
    """The fixed sentences on what no packet proves."""
    english, chinese = words("en")["not_proven"], words("zh")["not_proven"]
    return tuple(Remark(code=code, en=english[code], zh=chinese[code]) for code in english)


def remark_in(remark: Remark, language: Language) -> str:
    """The sentence in one language."""
    return remark.zh if language == "zh" else remark.en


def time_in(at: datetime, language: Language) -> str:
    """An aware time as people of that language write it, in UTC. Raises ValueError for a naive one."""
    if language == "en":
        return when(at)
    if at.tzinfo is None:
        raise ValueError("a time without offset cannot be shown: it would be read as whatever the reader assumes")
    at = at.astimezone(UTC)
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S} UTC"


def share_in(share: float, language: Language) -> str:
    """A share (0..1) in words: never rounded to 0 % or 100 % unless it is."""
    if language == "en":
        return wording.percent(share)
    if not isfinite(share):
        return "未知部分"
    if 0 < share < 0.01:
        return "不到 1%"
    return "99% 以上" if 0.99 < share < 1 else f"{round(100 * min(max(share, 0), 1))}%"


def listed_in(items: list[str], language: Language) -> str:
    """``a, b and c``, or ``a、b和c``."""
    if language == "en":
        return wording.listed(items)
    return "和".join(["、".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _named() -> Words:
    """The English names that the whole product uses, in the shape of the catalogue."""
    return {
        "verdicts": {key.value: phrase.label for key, phrase in wording.VERDICTS.items()},
        "relations": {key.value: phrase.label for key, phrase in wording.RELATIONS.items()},
        "strengths": {key.value: phrase.label for key, phrase in wording.STRENGTHS.items()},
        "edits": {key.value: {"label": phrase.label, "action": phrase.action} for key, phrase in wording.EDITS.items()},
        "reasons": wording.REASONS,
        "measurements": {one.key: {"label": one.label, "meaning": one.meaning} for one in wording.MEASUREMENTS},
    }
