"""Everything a person can set, type or run into is in the documentation, and the generated parts are current."""

import importlib.util
import json
import re
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import pytest
from jsonschema import Draft202012Validator

from imgguard.api.v1 import ROUTERS
from imgguard.cli.exits import EXIT_CODES, ExitCode
from imgguard.errors import ImgguardError
from imgguard.feeds.markup import MOST_ELEMENTS
from imgguard.feeds.products import LONGEST_URL
from imgguard.feeds.records import Problem
from imgguard.feeds.tables import LONGEST_CELL, LONGEST_ROW, MOST_COLUMNS, MOST_ROWS
from imgguard.imaging import credentials
from imgguard.net.id_token import ALGORITHMS
from imgguard.net.provider import SECONDS
from imgguard.provenance.authority import LABEL, POLICY
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.records import ProofKind
from imgguard.provenance.submissions import LARGEST_SUBMISSION, MOST_DIGESTS
from imgguard.provenance.timestamp_chains import LONGEST_RSA, SHORTEST_RSA
from imgguard.provenance.timestamp_tokens import MAX_TOKEN_BYTES, MOST_CERTIFICATES
from imgguard.provenance.timestamps import verify_timestamp
from imgguard.provenance.trust import TrustClass, read_trust
from imgguard.registry.access import SCOPES_OF_ROLE
from imgguard.registry.accounts import Action, Disclosure, Role
from imgguard.registry.claims import MOST_PROOFS, MOST_STATEMENTS
from imgguard.services import attempts, claim_inputs, claim_tables, passwords
from imgguard.services.contract import LINES, Match
from imgguard.services.feed_results import NOT_CHECKED
from imgguard.services.feed_views import COLUMNS
from imgguard.services.single_sign_on import LIFETIME
from imgguard.settings import Settings
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict
from imgguard.verdict.policy import Reason
from imgguard.witness.app import BODY_SECONDS, STATUSES
from imgguard.witness.evidence import MOST_FILES, Kind
from imgguard.witness.home import EVIDENCE, KEY, STATE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_docs = load(ROOT / "scripts" / "make_docs.py")


def every_error() -> list[type[ImgguardError]]:
    return [kind for kind in make_docs.error_classes() if kind.__module__ == "imgguard.errors"]


@pytest.mark.parametrize("path", make_docs.pages(), ids=lambda path: path.name)
def test_generated_pages_are_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == make_docs.pages()[path], "run: python scripts/make_docs.py"


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_has_an_exit_code_and_is_documented(kind: type[ImgguardError]) -> None:
    assert kind in EXIT_CODES
    lines = (DOCS / "errors.md").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"| `{kind.code}` |"))
    assert f"`{kind.__name__}`" in line
    assert f"| {EXIT_CODES[kind].value} |" in line


def test_error_codes_are_unique() -> None:
    codes = [kind.code for kind in every_error()]
    assert len(codes) == len(set(codes))


def test_no_exit_code_for_a_class_that_is_gone() -> None:
    assert set(EXIT_CODES) == set(every_error())


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert f"`IMGGUARD_{name.upper()}`" in (DOCS / "settings.md").read_text()


def test_every_command_and_option_is_documented_and_has_help() -> None:
    text = (DOCS / "cli.md").read_text()
    names = []
    for name, command in make_docs.commands():
        names.append(name)
        section = text.split(f"## imgguard {name}\n")[1].split("\n## ")[0]
        assert command.help, name
        for parameter in command.params:
            assert parameter.help, (name, parameter.name)
            shown = [parameter.metavar] if parameter.param_type_name == "argument" else parameter.opts
            assert all(f"`{option}`" in section for option in shown), (name, shown)
    wanted = "register claim attach check compare feed list show remove stats doctor demo serve"
    admin = {"create", "organisations", "members", "password", "audit", "key create", "key list", "key revoke"}
    admin |= {"organisation disable", "organisation enable", "organisation erase"}
    admin |= {"member disable", "member enable", "member export", "member erase"}
    rest = {
        "index rebuild",
        "config show",
        "packet build",
        "packet trust",
        "packet verify",
        "proof remove",
        "proof save",
        "witness serve",
        "witness show",
    }
    rest |= {f"log {name}" for name in ("publish", "fsck", "show", "proof", "export", "rotate-key")}
    assert set(names) == {*wanted.split(), *rest, *(f"admin {name}" for name in admin)}


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "cli.md").read_text().split("## Exit codes")[1]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", text, flags=re.MULTILINE)] == [*ExitCode]


def test_the_page_of_claims_has_every_kind_column_and_limit() -> None:
    text = (DOCS / "claims.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    assert sorted(rows) == sorted(kind.value for kind in ProofKind)
    assert ", ".join(f"`{column}`" for column in claim_tables.COLUMNS) in text
    assert f"at most {MOST_PROOFS} proofs" in text
    assert f"at most {MOST_STATEMENTS}\nstatements" in text
    assert f"{claim_inputs.LONGEST_CLAIMS:,} bytes" in text
    example = text.split("```json\n")[1].split("```")[0]
    assert claim_inputs.claims_in(example).to_object() == json.loads(example)


@pytest.mark.parametrize(
    ("title", "values"),
    [("verdict", Verdict), ("relation", Relation), ("strength", Strength), ("edits", Edit), ("reasons", Reason)],
)
def test_the_contract_explains_every_enumeration(title: str, values: type[StrEnum]) -> None:
    section = (DOCS / "json-contract.md").read_text().split(f"### {title}\n")[1].split("\n#")[0]
    explained = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
    assert sorted(explained) == sorted(value.value for value in values)


@pytest.mark.parametrize("name", [*LINES, "match"])
def test_the_contract_explains_every_field(name: str) -> None:
    heading = "## A match" if name == "match" else f"## `{name}`"
    section = (DOCS / "json-contract.md").read_text().split(f"{heading}\n")[1].split("\n## ")[0]
    model = Match if name == "match" else LINES[name]
    assert [field for field in model.model_fields if f"`{field}`" not in section] == []


@pytest.mark.parametrize("name", LINES)
def test_schemas_are_valid_and_strict(name: str) -> None:
    schema = json.loads((DOCS / "schema" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    objects = [schema, *(part for part in schema["$defs"].values() if part.get("type") == "object")]
    for part in objects:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])


ORDER = {
    "register": "file status reference_id sha256 similar error",
    "check": "file finding_id sha256 width height content_credentials captured verdict reasons matches weights "
    "calibration timings_ms error",
    "match": "reference_id file owner verdict relation log10_likelihood_ratio strength reasons cosine_similarity "
    "hamming_distance inlier_count agreement query_coverage reference_coverage transform query_region "
    "reference_region edits evidence",
}


@pytest.mark.parametrize("name", ORDER)
def test_the_order_of_fields_is_part_of_the_contract(name: str) -> None:
    assert " ".join((LINES | {"match": Match})[name].model_fields) == ORDER[name]


CREDENTIAL_OBJECTS = (
    credentials.ContentCredentials,
    credentials.Signer,
    credentials.Action,
    credentials.Ingredient,
)
CREDENTIAL_WORDS = (
    credentials.CredentialState,
    credentials.Unread,
    credentials.Remark,
    credentials.Timestamp,
    credentials.Generated,
    credentials.Revocation,
)


@pytest.mark.parametrize("words", CREDENTIAL_WORDS)
def test_every_word_about_credentials_is_explained(words: type[StrEnum]) -> None:
    text = (DOCS / "content-credentials.md").read_text()
    assert [word.value for word in words if f"`{word.value}`" not in text] == []


def test_every_field_of_credentials_is_explained() -> None:
    text = (DOCS / "content-credentials.md").read_text()
    names = [field.name for kind in CREDENTIAL_OBJECTS for field in fields(kind)]
    assert [name for name in names if f"`{name}`" not in text] == []


def _rows(page: str, heading: str) -> list[list[str]]:
    section = (DOCS / page).read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_roles_are_those_of_the_table() -> None:
    header, _, *rows = _rows("accounts.md", "Roles")
    roles = [Role(name) for name in header[1:]]
    assert set(roles) == set(Role)
    found = {
        role: {row[0].strip("`") for row in rows if row[place] == "yes"} for place, role in enumerate(roles, start=1)
    }
    assert found == {role: {scope.value for scope in scopes} for role, scopes in SCOPES_OF_ROLE.items()}


@pytest.mark.parametrize(
    ("heading", "values"), [("The audit trail", Action), ("What a stranger's check reveals", Disclosure)]
)
def test_accounts_are_explained(heading: str, values: type[StrEnum]) -> None:
    _, _, *rows = _rows("accounts.md", heading)
    assert [row[0].strip("`") for row in rows] == [value.value for value in values]


def test_the_figures_of_accounts_are_those_of_the_code() -> None:
    text = " ".join((DOCS / "accounts.md").read_text().split())
    assert f"{passwords.SHORTEST} to {passwords.LONGEST} characters" in text
    for limit in (attempts.PAIR, attempts.NETWORK, attempts.EMAIL, attempts.BEGUN):
        assert f"fter {limit.free} " in text


def test_what_is_said_of_single_sign_on_is_what_the_code_does() -> None:
    text = " ".join((DOCS / "accounts.md").read_text().split())
    assert f"signature ({', '.join(name for name in ALGORITHMS if name != 'Ed25519')})" in text
    assert f"within {LIFETIME.seconds // 60} minutes" in text
    assert f"is given {SECONDS:g} seconds" in text
    (callback,) = (route.path for router in ROUTERS for route in router.routes if route.path.endswith("/callback"))
    assert f"https://your.host{callback}" in text


def test_the_result_of_a_feed_is_explained() -> None:
    _, _, *rows = [row for row in _rows("feeds.md", "The result") if not row[0].startswith("error")]
    told = [row[0].strip("`") for row in rows if row[0].startswith("`")]
    assert told == [*COLUMNS, *Problem, NOT_CHECKED.code]
    text = " ".join((DOCS / "feeds.md").read_text().split())
    for limit in (MOST_ROWS, MOST_COLUMNS, LONGEST_CELL, LONGEST_ROW, MOST_ELEMENTS, LONGEST_URL):
        assert f"{limit:,}" in text


def test_the_example_of_a_trust_file_is_one() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", (DOCS / "timestamps.md").read_text(), re.MULTILINE | re.DOTALL)
    trust = read_trust(example)
    assert [one.trust_class for one in trust.authorities] == [TrustClass.INDEPENDENT, TrustClass.SELF_ISSUED]
    assert trust.authorities[0].not_after is not None
    assert trust.log_policy is not None
    _, _, *rows = _rows("timestamps.md", "Classes")
    assert [row[0].strip("`") for row in rows] == [*TrustClass]


def test_what_is_said_of_timestamps_is_what_the_code_does() -> None:
    text = " ".join((DOCS / "timestamps.md").read_text().split())
    steps = re.findall(r"^\d\. ", (DOCS / "timestamps.md").read_text(), re.MULTILINE)
    assert steps == re.findall(r"\d\. ", verify_timestamp.__doc__ or "")
    assert f"{MAX_TOKEN_BYTES:,} bytes with at most {MOST_CERTIFICATES} certificates" in text
    assert f"RSA keys have {SHORTEST_RSA} to {LONGEST_RSA} bits" in text
    assert LABEL in text
    assert POLICY in text


def test_the_example_of_a_file_of_witnesses_is_one() -> None:
    (example,) = re.findall(r"^```\n(witness .*?)^```", (DOCS / "witness.md").read_text(), re.MULTILINE | re.DOTALL)
    policy = parse_policy(example.encode())
    assert [one.url[:8] for one in policy.witnesses] == ["https://", "https://"]
    assert not policy.quorum_holds(policy.witness_keys[:1])


def test_what_is_said_of_witnesses_is_what_the_code_does() -> None:
    text = " ".join((DOCS / "witness.md").read_text().split())
    assert set(re.findall(r"\| (4\d\d|503) ", text)) | {"408"} == {"408", "413", *map(str, STATUSES.values())}
    assert f"more than {LARGEST_SUBMISSION:,} bytes; 408 not there within {BODY_SECONDS:g} seconds" in text
    assert f"up to {MOST_DIGESTS} digests" in text
    assert f"At most {MOST_FILES:,} files" in text
    assert all(f"`{name}`" in text for name in (KEY, STATE, f"{EVIDENCE}/"))
    assert all(f"`{kind}-*.json`" in text for kind in Kind)


def test_cleaning_spares_the_store_of_the_demo() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\nclean:")[1].split("\n\t")[1].split("\n")[0]
    assert recipe.startswith("rm -rf ")
    assert not {"var", "var/", "var/demo", "var/*"} & set(recipe.split())
