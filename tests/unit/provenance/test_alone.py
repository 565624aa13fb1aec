"""What verifies is to be handed on by itself: it needs the standard library, two packages, and our errors."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import imgguard.provenance

FOLDER = Path(imgguard.provenance.__file__).parent
VERIFIERS = {
    "canonical",
    "merkle",
    "ed25519",
    "notes",
    "checkpoints",
    "policy",
    "proofs",
    "shapes",
    "records",
    "leaves",
    "opentimestamps",
}
MAKERS = {"keys", "tiles"}
TIMES = {
    "anchors",
    "authority",
    "submissions",
    "timestamp_chains",
    "timestamp_renewal",
    "timestamp_requests",
    "timestamp_tokens",
    "timestamps",
    "trust",
}
"""These need more than two packages, or are for witnesses; tests/unit/evidence/packet has what a verifier needs."""


def imports(name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            if node.module == "imgguard.provenance":
                yield from (f"imgguard.provenance.{alias.name}" for alias in node.names)
            else:
                yield str(node.module)


@pytest.mark.parametrize("name", sorted(VERIFIERS | MAKERS))
def test_a_verifier_imports_verifiers_and_little_else(name: str) -> None:
    own = {f"imgguard.provenance.{other}" for other in VERIFIERS}
    for module in imports(name):
        root = module.partition(".")[0]
        assert (
            module == "imgguard.errors"
            or module in own
            or root in {"cryptography", *sys.stdlib_module_names}
            or (module == "rfc8785" and name == "canonical")
        ), module
        assert root not in {"socket", "sqlite3", "subprocess", "time", "urllib", "http", "os", "pathlib"}, module


def test_every_module_is_one_or_the_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} == VERIFIERS | MAKERS | TIMES
