"""`python verify.py PACKET`: verifies an evidence packet offline, with Python 3.12 and requirements.txt alone.

Do not trust a verifier that came with what it verifies: take this one from where imgguard is published.
"""

from __future__ import annotations  # an older Python has to come as far as saying that it is too old

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

FAILED, USAGE = 4, 2
PYTHON = (3, 12)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 when the level holds, 4 when it does not, 2 when something cannot be read or is missing."""
    if sys.version_info < PYTHON:
        print(f"This verifier needs Python 3.12 or newer, and this is {sys.version.split()[0]}.", file=sys.stderr)
        return USAGE
    try:
        return _verified(arguments)
    except ModuleNotFoundError as error:
        print(f"{error.name} is missing: python -m pip install -r requirements.txt", file=sys.stderr)
        return USAGE


def _verified(arguments: Sequence[str] | None) -> int:
    here = Path(__file__).resolve().parent
    if (here / "imgguard").is_dir():  # in a packet, the modules that it needs lie beside it
        sys.path.insert(0, str(here))
    from imgguard.errors import ImgguardError
    from imgguard.evidence.packet.verifying.reading import read_and_verify
    from imgguard.evidence.packet.verifying.steps import Level

    parser = argparse.ArgumentParser(description="Verifies an evidence packet of imgguard, offline.")
    parser.add_argument("packet", type=Path, metavar="PACKET", help="the packet, as it came")
    levels = [level.value for level in Level if level is not Level.NONE]
    parser.add_argument("--level", choices=levels, default=Level.INTEGRITY.value, help="what has to hold")
    parser.add_argument("--trust", type=Path, metavar="FILE", help="whom you believe: a file of your own")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    asked = parser.parse_args(arguments)
    try:
        report = read_and_verify(asked.packet, trust=asked.trust, level=Level(asked.level))
    except ImgguardError as error:
        print(f"{error.detail}. {error.advice}", file=sys.stderr)
        return USAGE
    print(report.to_json() + "\n" if asked.json else report.to_text(), end="")
    return 0 if report.holds else FAILED


if __name__ == "__main__":
    sys.exit(main())
