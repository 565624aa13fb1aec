"""How much of the machine a child process may use that reads strangers' files."""

import math
import resource
import sys

_OPEN_FILES = 32
_CPU_MARGIN_SECONDS = 2


def confine(*, memory_bytes: int, file_bytes: int = 0) -> None:
    """For the rest of this process: its address space, the longest file that it may write, open files, no core dumps.

    A bound that is narrower already stays.
    """
    sys.dont_write_bytecode = True
    for kind, bound in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (bound, bound))


def limit_cpu(seconds: float) -> None:
    """Processor time from now on, as a backstop to the wall clock of the parent. The limit counts from the start."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    bound = math.ceil(usage.ru_utime + usage.ru_stime + seconds) + _CPU_MARGIN_SECONDS
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))
