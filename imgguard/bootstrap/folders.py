"""How much is stored."""

from pathlib import Path


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below ``folder``; what vanishes meanwhile does not count."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total
