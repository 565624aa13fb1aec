"""How the process gives memory back to the system.

glibc keeps what a thread frees for that thread to use again, and learns from each large block that is freed to keep
larger ones. A service that draws and compares pictures of all sizes, in several threads, would grow for hours by that.
"""

import ctypes
import sys
from contextlib import suppress

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 1 << 20
_ARENAS = 2


def give_back() -> None:
    """Blocks of a megabyte and more go back to the system when they are freed; threads share their arenas.

    Does nothing where the C library is another one.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((_ARENA_MAX, _ARENAS), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE)):
            mallopt(parameter, value)
