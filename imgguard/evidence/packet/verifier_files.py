"""The verifier that goes into every packet: copies of the very modules that imgguard itself verifies with."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import imgguard
from imgguard.evidence.packet.verifying.layout import VERIFIER

ENTRY = "imgguard.evidence.packet.verifying.verify"
REQUIREMENTS = "asn1crypto>=1.5.1\ncryptography>=50\nrfc3161-client>=1.0.9\nrfc8785>=0.1.4\n"
"""As in pyproject.toml; a test compares them."""

_ROOT = Path(imgguard.__file__).parent


@cache
def verifier_files() -> dict[str, bytes]:
    """By name in the packet: `verify.py`, the modules of imgguard that it needs, and what to install for them."""
    files = {f"{VERIFIER}verify.py": _path(ENTRY).read_bytes(), f"{VERIFIER}requirements.txt": REQUIREMENTS.encode()}
    for module in sorted(modules() - {ENTRY}):
        path = _path(module)
        files[f"{VERIFIER}imgguard/{path.relative_to(_ROOT).as_posix()}"] = path.read_bytes()
    return files


@cache
def modules() -> frozenset[str]:
    """All of imgguard that the verifier imports, packages included."""
    found: set[str] = set()
    waiting = [ENTRY]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += [module.rpartition(".")[0]] if "." in module else []
            waiting += _imports(module)
    return frozenset(found)


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(_path(module).read_bytes())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "imgguard":
            yield str(node.module)
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name for name in names if _path(name).exists())


def _path(module: str) -> Path:
    inner = module.split(".")[1:]
    folder = _ROOT.joinpath(*inner)
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
