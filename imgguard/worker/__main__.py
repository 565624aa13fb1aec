"""``python -m imgguard.worker``: one more worker for the store that the environment names, until SIGTERM."""

import argparse
import logging
import os
import sys

from pydantic import ValidationError

from imgguard.errors import ImgguardError
from imgguard.settings import Settings
from imgguard.worker import process

_CANNOT_BEGIN = 3


def main() -> int:
    """The exit code: 0 when it was stopped or is spent, 3 when it cannot begin."""
    parser = argparse.ArgumentParser(prog="python -m imgguard.worker", description=__doc__)
    parser.add_argument("--handlers", default=process.HANDLERS, help="function that makes the handlers, module:name")
    parser.add_argument("--pool", metavar="NAME", help="the name a pool gives; the settings come on standard input")
    arguments = parser.parse_args()
    level = logging.DEBUG if os.environ.get("IMGGUARD_DEBUG") else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(process)d %(message)s")
    logging.getLogger("imgguard").setLevel(level)
    lifeline = None if arguments.pool is None else sys.stdin.fileno()
    try:
        settings = Settings() if lifeline is None else process.settings_from(lifeline)
        process.run(settings, handlers=arguments.handlers, name=arguments.pool, lifeline=lifeline)
    except (ImgguardError, ValidationError) as error:
        print(f"imgguard.worker: {error}", file=sys.stderr)
        return _CANNOT_BEGIN
    return 0


if __name__ == "__main__":
    sys.exit(main())
