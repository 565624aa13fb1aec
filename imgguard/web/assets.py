"""Static files under one digest of all of them: an address whose content never changes, so that it is kept for ever.

One digest for all, since the modules import each other by their relative names.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imgguard.web.words import words

_STATIC = Path(__file__).with_name("static")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """``digest`` names the content of ``files`` (by name)."""

    digest: str
    files: Mapping[str, Asset]

    @classmethod
    def load(cls) -> "Assets":
        """Read once, when the service starts: nothing that is asked for leads to a path. Raises OSError."""
        said = json.dumps(words(), ensure_ascii=False, sort_keys=True).encode()
        files = {"words.json": Asset(data=said, media_type=_TYPES[".json"])}
        for path in sorted(_STATIC.iterdir()):
            if path.suffix in _TYPES:
                files[path.name] = Asset(data=path.read_bytes(), media_type=_TYPES[path.suffix])
        digest = hashlib.sha256()
        for name, asset in sorted(files.items()):
            digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(asset.data).digest())
        return cls(digest=digest.hexdigest()[:_DIGEST_CHARACTERS], files=files)

    def address(self, name: str) -> str:
        """Where the file ``name`` is. Raises KeyError when there is none: a mistake in a template."""
        if name not in self.files:
            raise KeyError(name)
        return f"/web/{self.digest}/{name}"
