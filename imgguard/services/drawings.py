"""Pictures of stored checks, drawn when somebody looks at them, and kept for as long as that usually takes.

Who may see what is decided by the caller, each time; here it is only drawn. A page asks for all pictures of a match one
by one, and they are drawn together.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from cachetools import TTLCache

from imgguard.errors import DigestMismatch, NotFound
from imgguard.evidence.signing import Parent
from imgguard.fingerprint.fingerprint import ReferencePicture
from imgguard.imaging.image import Pixels
from imgguard.ports import BlobStore, Catalogue, Clock, MadeCheck
from imgguard.registry.records import Reference
from imgguard.services import pictures
from imgguard.services.illustration import Illustrator, QueryScene
from imgguard.services.library import CatalogueLibrary
from imgguard.services.redaction import Seen

KEPT_BYTES = 64_000_000
KEPT_SECONDS = 120.0
_TURNS = 16

type Files = Mapping[str, bytes]
type Sign = Callable[[bytes, Parent], bytes]
"""Puts the credentials of the service into a picture that it drew from a checked one."""
type _Key = tuple[str, str, str]

_log = logging.getLogger(__name__)


class Drawings:
    """PNG files, signed if ``sign`` is given. Thread safe; ``kept_bytes`` of them at most are kept in memory,
    ``kept_seconds`` long."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        blobs: BlobStore,
        illustrator: Illustrator,
        library: CatalogueLibrary,
        clock: Clock,
        sign: Sign | None = None,
        kept_bytes: int = KEPT_BYTES,
        kept_seconds: float = KEPT_SECONDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._illustrator = illustrator
        self._library = library
        self._clock = clock
        self._sign = sign
        self._kept: TTLCache[_Key, Files] = TTLCache(kept_bytes, kept_seconds, timer=seconds, getsizeof=_size)
        self._lock = threading.Lock()
        self._turns = [threading.Lock() for _ in range(_TURNS)]

    def query(self, made: MadeCheck) -> bytes:
        """The checked picture, reduced. Raises NotFound when its bytes are not kept any more."""
        self._require_kept(made)
        finding_id = made.finding.finding_id
        drawn = self._once((finding_id, "", "query"), lambda: self._drawn_query(made))
        return drawn["query"]

    def match(self, made: MadeCheck, seen: Seen) -> Files:
        """By name, what may be shown of a match: all evidence; ``outline`` (the checked picture) and ``thumbnail``
        (what is left of the original); or nothing. Raises NotFound when the checked picture is not kept any more."""
        self._require_kept(made)
        if seen.disclosed in ("contact", "erased"):
            return {}
        key = (made.finding.finding_id, seen.original.reference.reference_id, seen.disclosed)
        return self._once(key, lambda: self._drawn(made, seen))

    def _once(self, key: _Key, draw: Callable[[], Files]) -> Files:
        """What is kept; else it is drawn, by one of those who ask for it at the same time."""
        with self._turns[hash(key) % _TURNS]:
            with self._lock:
                found = self._kept.get(key)
            if found is None:
                found = draw()
                with self._lock, suppress(ValueError):  # larger than all that may be kept
                    self._kept[key] = found
            return found

    def _signed(self, files: Mapping[str, Pixels], scene: QueryScene) -> Files:
        """As PNG, each opened from the checked picture."""
        drawn = {name: pictures.png(pixels) for name, pixels in files.items()}
        if self._sign is None:
            return drawn
        parent = Parent(media_type=scene.image.media_type, sha256=scene.image.sha256)
        return {name: self._sign(data, parent) for name, data in drawn.items()}

    def _drawn_query(self, made: MadeCheck) -> Files:
        scene = self._scene(made)
        return self._signed({"query": scene.image.working}, scene)

    def _drawn(self, made: MadeCheck, seen: Seen) -> Files:
        scene, picture = self._scene(made), self._picture(seen.original.reference)
        size = (scene.image.width, scene.image.height)
        if seen.disclosed == "outline" or picture is None:
            outline = pictures.with_region(scene.image.working, seen.match.query_region, size=size)
            # Of the thumbnail the checked picture is no parent; and which file is, is nothing to tell a stranger.
            thumbnail = {} if picture is None else {"thumbnail": pictures.png(pictures.blurred(picture.working))}
            return {**self._signed({"outline": outline}, scene), **thumbnail}
        drawn = self._illustrator.draw(scene, seen.match, picture)
        laid = {} if drawn.flip is None else dict(zip(("overlay_query", "overlay_reference"), drawn.flip, strict=True))
        return self._signed({**drawn.pictures, **laid}, scene)

    def _require_kept(self, made: MadeCheck) -> None:
        if made.kept_until is None or made.kept_until <= self._clock.now():
            raise _gone(made)

    def _scene(self, made: MadeCheck) -> QueryScene:
        try:
            data = self._blobs.get(made.finding.query_sha256)
        except NotFound as error:
            raise _gone(made) from error
        return self._illustrator.query(data)

    def _picture(self, reference: Reference) -> ReferencePicture | None:
        """What is stored of an original; None when that is damaged, which is nothing to tell strangers of."""
        try:
            return self._library.picture(self._catalogue.content(reference.sha256 or ""))
        except (DigestMismatch, NotFound) as error:
            _log.warning("%s is shown without its picture: %s", reference.reference_id, error.detail)
            return None


def _size(files: Files) -> int:
    return sum(len(data) for data in files.values())


def _gone(made: MadeCheck) -> NotFound:
    return NotFound(
        f"the picture of {made.finding.finding_id} is not kept any more", hint="Check it again to see pictures."
    )
