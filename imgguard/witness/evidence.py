"""What a log signed that does not agree with what it signed before, kept as files.

A file has both notes with the log's signatures, so it proves something to anybody who has the log's key.
"""

import json
import logging
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import assert_never

from imgguard.provenance.submissions import Submission
from imgguard.witness.files import FOLDER_MODE, write_once
from imgguard.witness.state import Seen

MOST_FILES = 1_000
"""Of each kind. A fork takes a signature by the log; whoever has a checkpoint can send it with a wrong proof."""

_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """``FORK``: two roots of one size, which proves that the log has forked. ``UNPROVEN``: a larger checkpoint whose
    proof did not hold; whether the log has forked is open until somebody shows a proof that does."""

    FORK = "fork"
    UNPROVEN = "unproven"


class Evidence:
    """The files in ``folder``, which is made when there is a first one. Thread safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def count(self, kind: Kind) -> int:
        """Files of this kind. Raises OSError."""
        return sum(1 for _ in self.folder.glob(f"{kind}-*.json"))

    def keep(self, kind: Kind, origin: str, *, held: Seen, submission: Submission, checkpoint: bytes) -> None:
        """Write it down, once for each checkpoint, and say so in the log of the process. ``checkpoint`` is that of
        ``submission`` with the signatures that were verified. Raises nothing: the submission is refused anyway."""
        digest = sha256(b"\x00".join((origin.encode(), held.checkpoint, checkpoint))).hexdigest()[:16]
        path = self.folder / f"{kind}-{digest}.json"
        try:
            if path.exists():
                return
            if self.count(kind) >= MOST_FILES:
                _log.warning("%s is full: what %s signed is not kept", self.folder, origin)
                return
            self.folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            write_once(path, _page(kind, origin, held, submission, checkpoint))
        except OSError as error:
            _log.warning("evidence against %s cannot be written to %s: %s", origin, path, error.strerror)
            return
        match kind:
            case Kind.FORK:
                _log.warning("%s has signed two different logs of %d leaves: %s", origin, held.size, path)
            case Kind.UNPROVEN:
                _log.warning("%s was sent with a proof that does not lead to it from %d: %s", origin, held.size, path)
            case _:
                assert_never(kind)


def _page(kind: Kind, origin: str, held: Seen, submission: Submission, checkpoint: bytes) -> bytes:
    page = {
        "kind": kind.value,
        "origin": origin,
        "held": held.checkpoint.decode(),
        "held_cosigned_at": held.seconds,
        "submitted": checkpoint.decode(),
        "submitted_old_size": submission.old_size,
        "submitted_proof": [one.hex() for one in submission.proof],
    }
    return (json.dumps(page, indent=1, ensure_ascii=False) + "\n").encode()
