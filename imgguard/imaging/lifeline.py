"""Child processes end with the process that started them, however that ends."""

import fcntl
import os
import select
import signal
import sys


def die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process when the parent's end of the pipe closes, also amid a call into C.

    ``lifeline`` is the end that this process holds. Unlike PR_SET_PDEATHSIG this follows the life of the parent process
    and not that of the thread which happened to start this one.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    if poll.poll(0):  # it was gone before the line above
        sys.exit(1)
