"""What the pages say: the strings of one language, and the words that all of imgguard uses for what it found."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from imgguard.errors import ImgguardError
from imgguard.evidence import wording
from imgguard.evidence.wording import Phrase

_LOCALE = Path(__file__).with_name("locale")


@cache
def strings(language: str = "en") -> dict[str, Any]:
    """The pages' own strings. Raises FileNotFoundError for a language that there is not."""
    loaded: dict[str, Any] = json.loads((_LOCALE / f"{language}.json").read_text(encoding="utf-8"))
    return loaded


def words(language: str = "en") -> dict[str, Any]:
    """All that scripts need: the pages' strings, and `imgguard.evidence.wording` as it is."""
    own = strings(language)
    captions = {name: _phrase(phrase) for name, phrase in wording.CAPTIONS.items()}
    return own | {
        "verdicts": {key.value: _phrase(phrase) for key, phrase in wording.VERDICTS.items()},
        "conclusions": {key: _phrase(phrase) for key, phrase in wording.CONCLUSIONS.items()},
        "relations": {key.value: _phrase(phrase) for key, phrase in wording.RELATIONS.items()},
        "strengths": {key.value: _phrase(phrase) for key, phrase in wording.STRENGTHS.items()},
        "edits": {key.value: _phrase(phrase) for key, phrase in wording.EDITS.items()},
        "reasons": wording.REASONS,
        "not_proven": wording.NOT_PROVEN,
        "measurements": [{"key": one.key, "label": one.label, "meaning": one.meaning} for one in wording.MEASUREMENTS],
        "captions": captions | {name: own["pictures"][name] for name in ("outline", "thumbnail")},
        "hints": {kind.code: kind.hint for kind in _kinds(ImgguardError)},
    }


def _phrase(phrase: Phrase) -> dict[str, str]:
    return {"label": phrase.label, "meaning": phrase.meaning}


def _kinds(kind: type[ImgguardError]) -> Iterator[type[ImgguardError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)
