"""Folders whose names survive a power cut: the entry of a file or folder is durable once its parent is synced."""

import os
from pathlib import Path

PRIVATE = 0o700


def make_folder(path: Path) -> None:
    """Make ``path``, private, and the ancestors it lacks, durably. Raises OSError."""
    made = []
    folder = path
    while not folder.exists():
        made.append(folder)
        folder = folder.parent
    path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    for folder in reversed(made):
        try:
            sync_folder(folder.parent)
        except PermissionError:  # a folder in which one may make others, and not read: nothing more can be done
            continue


def sync_folder(folder: Path) -> None:
    """Put the names in ``folder`` on the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below ``folder``; what vanishes meanwhile does not count."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total
