"""The keys of the log: made or taken from a file, found again for each checkpoint, replaced."""

import secrets
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imgguard.errors import ConfigurationError
from imgguard.ports import Clock, LogKey, LogStore
from imgguard.provenance.keys import new_key, public_bytes
from imgguard.provenance.notes import ED25519, Signer, VerifierKey
from imgguard.provenance.records import Kind, event_record

type ReadKey = Callable[[], Ed25519PrivateKey | None]
"""Gives the key of the file that the settings name; None when they name none. Raises ConfigurationError."""


class LogKeys:
    """``origin`` is what the settings say, or None. A log keeps its origin for ever, whatever they say later."""

    def __init__(self, *, store: LogStore, read_key: ReadKey, origin: str | None, clock: Clock) -> None:
        self._store = store
        self._read_key = read_key
        self._origin = origin
        self._clock = clock

    def known(self) -> tuple[VerifierKey, ...]:
        """All that have ever signed, the present one last; none before the first checkpoint."""
        return tuple(key.vkey for key in self._store.log_keys())

    def signers(self, last_size: int, *, held: Ed25519PrivateKey | None = None) -> tuple[Signer, ...]:
        """Those of the checkpoint that follows one of ``last_size`` leaves: the present key, and the one before when
        that checkpoint is the first that has the leaf which tells of the change. Makes the first key.

        ``held`` is a key at hand beside those of store and file. Raises ConfigurationError when the settings do not go
        with this log.
        """
        given = self._read_key()
        keys = self._store.log_keys() or [self._store.begin(self._first(given))]
        *before, present = keys
        origin = present.vkey.name
        if self._origin not in (None, origin):
            raise ConfigurationError(
                f"the log of this store is {origin}, not {self._origin}",
                hint="Whoever has a proof knows it by that name: set IMGGUARD_LOG_ORIGIN to it, or leave it unset.",
            )
        if given is not None and all(key.vkey.public_key != public_bytes(given) for key in keys):
            raise ConfigurationError(
                "the key that IMGGUARD_LOG_KEY names is not one of this log",
                hint="Name the file of its key; to change keys use `imgguard log rotate-key --to FILE`.",
            )
        at_hand = [key for key in (given, held) if key is not None]
        signer = _signer(present, at_hand)
        if signer is None:
            raise ConfigurationError(
                f"the private key of {present.vkey.text} is not in the store",
                hint="Name its file with IMGGUARD_LOG_KEY.",
            )
        earlier = _signer(before[-1], at_hand) if before and last_size < present.first_size else None
        return (signer,) if earlier is None else (signer, earlier)

    def rotate(self, to: Ed25519PrivateKey | None) -> LogKey:
        """Log that the key changes, and take ``to``, which stays where it is; None makes a key in the store.

        Raises ConfigurationError when it has signed here already.
        """
        old = self._store.log_keys()[-1].vkey
        new = new_key() if to is None else to
        vkey = VerifierKey.of(old.name, ED25519, public_bytes(new))
        if vkey in self.known():
            raise ConfigurationError("this key has signed for this log before", hint="Take a new one.")
        now = self._clock.now()
        record = event_record(
            Kind.KEY_ROTATION,
            subject=old.name,
            occurred_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            facts={"old_key": old.text, "new_key": vkey.text},
        )

        def made(size: int) -> LogKey:
            return LogKey(vkey=vkey, private_key=None if to is not None else new, first_size=size, created_at=now)

        return self._store.rotate(made, record, object_id=vkey.key_id.hex())

    def _first(self, given: Ed25519PrivateKey | None) -> LogKey:
        origin = self._origin or f"imgguard.invalid/{secrets.token_hex(8)}"
        key = new_key() if given is None else given
        vkey = VerifierKey.of(origin, ED25519, public_bytes(key))
        stored = key if given is None else None
        return LogKey(vkey=vkey, private_key=stored, first_size=0, created_at=self._clock.now())


def _signer(key: LogKey, at_hand: Sequence[Ed25519PrivateKey]) -> Signer | None:
    """None when its private key is nowhere."""
    mine = [key.private_key] if key.private_key is not None else []
    mine += [one for one in at_hand if public_bytes(one) == key.vkey.public_key]
    return Signer(key.vkey.name, mine[0]) if mine else None
