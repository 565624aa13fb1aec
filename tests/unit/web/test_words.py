"""There are words for everything that the API can answer, and every word that is asked for is there."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest

from imgguard import web
from imgguard.api.problems import MEDIA_TYPE
from imgguard.api.routes import OpenRoute, ReturnRoute
from imgguard.api.v1 import ROUTERS
from imgguard.evidence.packet.model import Purpose
from imgguard.evidence.packet.reference import Trust
from imgguard.evidence.packet.verifying.steps import Level, Result
from imgguard.ports import PacketState
from imgguard.registry.decisions import DecidedBy, DecisionKind
from imgguard.registry.licences import Because, LicenceStatus
from imgguard.registry.standing import Summary
from imgguard.services.views import Conclusion, Disclosed
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict
from imgguard.verdict.policy import Reason
from imgguard.web.words import strings, words

FOLDER = Path(web.__file__).parent
WORDS = words()
WITHHELD = set(get_args(Disclosed)) - {"everything", "full"}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("verdicts", Verdict),
        ("relations", Relation),
        ("strengths", Strength),
        ("edits", Edit),
        ("reasons", Reason),
        ("conclusions", get_args(Conclusion.__value__ if hasattr(Conclusion, "__value__") else Conclusion)),
        ("disclosures", WITHHELD),
        ("standings", Summary),
        ("because", Because),
        ("purposes", Purpose),
        ("packet_states", PacketState),
        ("independence", Trust),
        ("levels", set(Level) - {Level.NONE}),
        ("step_results", Result),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_there_are_words_for_every_answer(name: str, keys: object) -> None:
    assert {str(key) for key in keys} == set(WORDS[name])  # type: ignore[attr-defined]


def test_there_are_words_for_licences_and_decisions() -> None:
    assert {str(status) for status in LicenceStatus} == set(WORDS["licences"]) - {"until"}
    kinds = {str(kind) for kind in DecisionKind} | {f"by_{by}" for by in DecidedBy}
    assert kinds == set(WORDS["decisions"])


@pytest.mark.parametrize("path", sorted((FOLDER / "static").glob("*.js")), ids=lambda path: path.name)
def test_scripts_ask_for_words_that_are_there(path: Path) -> None:
    asked = set(re.findall(r"(?<!/)\bwords\.((?:\w+)(?:\.\w+)?)", path.read_text()))
    for name in asked:
        at: object = WORDS
        for part in name.split("."):
            if isinstance(at, Mapping):
                assert part in at, f"{path.name}: words.{name}"
                at = at[part]


def test_there_are_words_for_what_a_provider_leads_back_with() -> None:
    leads_back = {ReturnRoute, OpenRoute}
    # Pages themselves ask what is a POST, and tell its problem.
    routes = [one for router in ROUTERS for one in router.routes if "/oidc" in one.path and "GET" in one.methods]
    assert {type(route) for route in routes} == leads_back
    answers = [answer for route in routes for status, answer in route.responses.items() if int(status) >= 400]
    codes = {code for answer in answers for code in answer["content"][MEDIA_TYPE]["examples"]}
    # 403 is told to pages of other sites only, which are not led anywhere.
    assert (codes | {"store_unavailable"}) - {"permission_denied"} == set(WORDS["sign_in"]["failed"])
    assert set(WORDS["sign_in"]["failed"]) <= set(WORDS["hints"])


def test_words_are_plain_json_and_never_claim_more_than_is_proven() -> None:
    assert json.loads(json.dumps(WORDS))["not_proven"]
    for text in _texts(strings()):
        assert not re.search(r"infring|stolen|theft|thief|author\b|guilty|illegal", text, re.IGNORECASE), text


def test_an_unknown_language_is_a_mistake() -> None:
    with pytest.raises(FileNotFoundError):
        strings("xx")
