"""Decode in child processes, so that a crash, a hang or a memory bomb of an image library harms nothing else; and
read content credentials there, for the same reason.

A child serves one file at a time and is reused. The parent holds the clock: a child that is late is killed and the
next file gets a new one. What a child may do is set in `decoder_process`, what it may say in `wire`.
"""

import os
import threading
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Self

from imgguard.errors import DecodeCrash, DecodeTimeout, ImageTooLarge, InputError
from imgguard.imaging import wire
from imgguard.imaging.child import Child, ChildDied, ChildTimeout, RequestLost
from imgguard.imaging.credentials import (
    NO_CREDENTIALS,
    ContentCredentials,
    Unread,
    may_have_credentials,
    unreadable,
)
from imgguard.imaging.image import DecodedImage, DecodeLimits

_REQUESTS_PER_CHILD = 500
"""A child is replaced after this many files: bounds what a leak in a library can pile up. A start costs about 0.2 s."""


class SandboxedDecoder:
    """A `Decoder` that hands each file to one of at most ``workers`` child processes. Safe to share between threads.

    Children start when first needed and die with this process, however it ends. Use as a context manager, or call
    `close`; ``decode`` after that raises RuntimeError. ``trust``: PEM certificates whose word counts for content
    credentials.
    """

    def __init__(self, limits: DecodeLimits | None = None, *, workers: int = 1, trust: str = "") -> None:
        self.limits = limits or DecodeLimits()
        self._trust = trust
        self._workers = workers
        self._use(_Pool(self.limits, workers=workers))
        _decoders.add(self)

    def _use(self, pool: "_Pool") -> None:
        self._pool = pool
        self._finalizer = weakref.finalize(self, pool.close)

    def _after_fork(self) -> None:
        """In a forked copy of the service: leave the children to the original, start others when needed."""
        self._finalizer.detach()
        self._pool.disown()
        self._use(_Pool(self.limits, workers=self._workers))

    def decode(self, data: bytes) -> DecodedImage:
        """Decode one file within the limits. Time spent waiting for a free child does not count.

        Raises UnsupportedFormat, ImageTooLarge, CorruptImage, DecodeTimeout, DecodeCrash; and DependencyError when
        no child can be started at all.
        """
        if len(data) > self.limits.max_bytes:
            raise ImageTooLarge(f"{len(data)} bytes, the limit is {self.limits.max_bytes}")
        try:
            with self._pool.slots:
                return self._ask(lambda child: child.decode(data))
        except ChildTimeout as error:
            raise DecodeTimeout(f"not decoded within {self.limits.seconds:g} s") from error
        except ChildDied as error:
            raise DecodeCrash(f"the decoder process {error}") from error
        except wire.BadReply as error:
            raise DecodeCrash(str(error)) from error

    def credentials(self, data: bytes) -> ContentCredentials:
        """What a file that was decoded says of its making. A reader that crashes or hangs makes it ``unreadable``.

        Raises DependencyError when no child can be started at all.
        """
        if not may_have_credentials(data):
            return NO_CREDENTIALS
        try:
            with self._pool.slots:
                return self._ask(lambda child: child.credentials(data, trust=self._trust))
        except ChildTimeout:
            return unreadable(Unread.TIMED_OUT)
        except (ChildDied, wire.BadReply):
            return unreadable(Unread.CRASHED)

    def close(self) -> None:
        """End all children. A decode that is still running in another thread fails with RuntimeError."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask[T](self, question: Callable[[Child], T]) -> T:
        while True:
            child = self._pool.take()
            try:
                answer = question(child)
            except InputError as error:
                # A child that ran out of memory may be left in pieces.
                self._pool.give_back(child, reusable=not isinstance(error, ImageTooLarge))
                raise
            except RequestLost:
                self._pool.drop(child)
                if child.requests == 0:
                    raise
                # It died while it was idle, so this file is not to blame: take another child.
            except BaseException:
                self._pool.drop(child)
                raise
            else:
                self._pool.give_back(child, reusable=child.requests < _REQUESTS_PER_CHILD)
                return answer


class _Pool:
    """The children of one decoder, idle or at work."""

    def __init__(self, limits: DecodeLimits, *, workers: int) -> None:
        self._limits = limits
        self._closed = False
        self._lock = threading.Lock()
        self.slots = threading.BoundedSemaphore(workers)
        self._idle: list[Child] = []
        self._all: set[Child] = set()

    def take(self) -> Child:
        """An idle child, the one used last first, or a new one."""
        with self._lock:
            self._check_open()
            if self._idle:
                return self._idle.pop()
        child = Child(self._limits)
        with self._lock:
            self._all.add(child)
            is_closed = self._closed
        if is_closed:
            self.drop(child)
        return child

    def give_back(self, child: Child, *, reusable: bool) -> None:
        with self._lock:
            if reusable and not self._closed:
                self._idle.append(child)
                return
        self.drop(child)

    def drop(self, child: Child) -> None:
        """End a child. Raises RuntimeError when it was ended because the decoder was closed meanwhile."""
        child.kill()
        with self._lock:
            self._all.discard(child)
            self._check_open()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            children, self._all = self._all, set()
            self._idle.clear()
        for child in children:
            child.kill()

    def disown(self) -> None:
        """Only in a new fork, where no other thread exists: the lock may be held by one that does not."""
        for child in self._all:
            child.disown()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the decoder is closed")


_decoders: weakref.WeakSet[SandboxedDecoder] = weakref.WeakSet()


def _renew_after_fork() -> None:
    for decoder in list(_decoders):
        decoder._after_fork()


os.register_at_fork(after_in_child=_renew_after_fork)
