"""A process to be killed: registers, erases and saves the index, and acknowledges each step on stdout when it is done.

python -m registrar HOME SEED
"""

import os
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

import stores

from imgguard.storage.blobs import LocalBlobStore
from imgguard.storage.live_index import LiveIndex
from imgguard.storage.sql.catalogue import SqlCatalogue


def main(home: Path, seed: int) -> None:
    catalogue = SqlCatalogue.open(home / "imgguard.db")
    blobs = LocalBlobStore(home / "originals")
    index = LiveIndex(catalogue, home / "index")
    choice = random.Random(seed)
    mine: list[str] = []
    print("ready", flush=True)
    while True:
        if mine and choice.random() < 0.3:
            reference_id = mine.pop(choice.randrange(len(mine)))
            print("erasing", reference_id, flush=True)
            catalogue.erase(reference_id, at=datetime.now(UTC))
            catalogue.delete_blobs(blobs.delete)
            print("erased", reference_id, flush=True)
        else:
            data = os.urandom(choice.randrange(1, 20_000))
            blobs.put(data)
            reference = catalogue.add_reference(
                "ann",
                stores.content(data),
                stores.descriptors(data),
                file="a.jpg",
                at=datetime.now(UTC),
                store_blob=lambda data=data: blobs.put(data),
            )
            mine.append(reference.reference_id)
            print("registered", reference.reference_id, reference.sha256, flush=True)
        if choice.random() < 0.2:
            index.refresh()
            index.save()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
