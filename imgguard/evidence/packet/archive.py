"""The ZIP of a packet (ASiC-E: ETSI EN 319 162-1): its files, the manifest of their digests, and the seal."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from imgguard.errors import InputError
from imgguard.evidence.packet.seal_keys import SealKey
from imgguard.evidence.packet.verifying.container import write_container
from imgguard.evidence.packet.verifying.layout import MANIFEST, MEDIA_TYPE, MIMETYPE, SEAL, is_name
from imgguard.evidence.packet.verifying.manifest import is_covered, write_manifest


def sealed(files: Mapping[str, bytes], *, seal: SealKey, at: datetime) -> bytes:
    """The packet of ``files``, by name; the same input gives the same bytes. ``at`` is aware.

    Raises InputError for names that cannot be, or that are for the seal alone, and for too many or too large files.
    """
    wrong = sorted(name for name in files if not is_name(name) or not is_covered(name))
    if wrong:
        raise InputError(f"{wrong[0][:80]!r} cannot be the name of a file in a packet, or is for the seal alone")
    manifest = write_manifest({name: sha256(data).hexdigest() for name, data in files.items()})
    parts = {MIMETYPE: MEDIA_TYPE, MANIFEST: manifest, SEAL: seal.seal(manifest, at=at)}
    return write_container({**files, **parts}, made_at=at)
