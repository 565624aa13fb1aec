"""A witness that dies: `python dying.py FOLDER stored|forever`. Prints what it signed, as hex, one line each.

``stored`` dies by SIGKILL when the first checkpoint is on the disk and not signed yet; ``forever`` goes on from the
latest on either of two forks, until it is killed.
"""

import itertools
import os
import random
import signal
import sys
from pathlib import Path

from growing_log import GrowingLog
from witnesses import witness_in

from imgguard.errors import ImgguardError
from imgguard.witness import witness as module

COMMON, LARGEST = 3, 400
FORKS = (GrowingLog(LARGEST), GrowingLog(LARGEST, others=LARGEST - COMMON))


def main(folder: Path, way: str) -> None:
    witness = witness_in(folder)
    if way == "stored":
        module.cosign = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        witness.add_checkpoint(FORKS[0].submission(0, COMMON + 2))
    print("ready", flush=True)
    for turn in itertools.count():
        (seen,) = witness.logs().values()
        log = random.choice(FORKS) if turn else FORKS[os.getpid() % 2]
        new = min(LARGEST, seen.size + random.randint(0, 2))
        try:
            line = witness.add_checkpoint(log.submission(seen.size, new))
        except ImgguardError:
            continue
        print((log.note(new) + line).hex(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
