"""Checkpoints sent to witnesses (C2SP tlog-witness): servers of the operator's choice, by http too.

What goes there is the size of the log and digests, which tell nothing; what comes back is signed, and verified here.
"""

import ssl
from collections.abc import Sequence

import httpcore

from imgguard.errors import (
    CheckpointInvalid,
    FetchFailed,
    FetchRefused,
    NoteInvalid,
    WitnessRefused,
    WitnessSizeDiffers,
    WitnessUnavailable,
)
from imgguard.net.connection import Connect, connect
from imgguard.net.exchange import Answer, Call, Message, exchange
from imgguard.net.operators import ALL_PORTS, operators_addresses
from imgguard.net.policy import Deadline, FetchPolicy
from imgguard.net.resolving import Resolver, SystemResolver
from imgguard.net.urls import parse_url
from imgguard.provenance.notes import Note, NoteSignature, VerifierKey
from imgguard.provenance.submissions import LARGEST_ANSWER, SIZE_TYPE, Submission, parse_size, verify_answer

_REFUSALS = {
    400: "it does not understand the submission",
    403: "it does not know the key that signed the checkpoint",
    404: "it does not know the log",
    409: "it has seen another log of this size",
    422: "it does not find the checkpoint consistent with what it has seen",
}


class RemoteWitness:
    """A LogWitness at ``url``, to which ``/add-checkpoint`` is added. Thread safe. ``resolve``, ``connect`` and ``tls``
    are the system's; tests give others. Raises FetchRefused for a URL that is none."""

    def __init__(
        self,
        name: str,
        url: str,
        key: VerifierKey,
        policy: FetchPolicy,
        *,
        resolve: Resolver | None = None,
        connect: Connect = connect,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._target = parse_url(f"{url.rstrip('/')}/add-checkpoint", ports=ALL_PORTS)
        self._name = name
        self._key = key
        self._policy = policy
        self._resolve = resolve or SystemResolver()
        self._connect = connect
        self._tls = tls or httpcore.default_ssl_context()

    @property
    def name(self) -> str:
        return self._name

    @property
    def key(self) -> VerifierKey:
        return self._key

    def cosign(self, note: Note, *, old_size: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        """Its lines. Raises as `LogWitness.cosign` does."""
        body = Submission(old_size=old_size, proof=tuple(proof), checkpoint=note.to_bytes()).to_bytes()
        try:
            return verify_answer(self._post(body, old_size), note, self._key)
        except (FetchFailed, FetchRefused, NoteInvalid, CheckpointInvalid) as error:
            raise WitnessUnavailable(f"the witness {self._name}: {error.detail}") from error

    def _post(self, body: bytes, old_size: int) -> bytes:
        deadline = Deadline(self._policy.seconds)
        call = Call(
            addresses=operators_addresses(self._target, self._policy, resolve=self._resolve, deadline=deadline),
            policy=self._policy,
            deadline=deadline,
            connect=self._connect,
            tls=self._tls,
        )
        message = Message(method="POST", headers={"Content-Type": "text/plain; charset=utf-8"}, body=body)
        with exchange(self._target, message, call) as answer:
            if answer.status == 200:
                return answer.body(max_bytes=LARGEST_ANSWER)
            if answer.status == 409:
                self._require_same_size(answer, old_size)
            if answer.status in _REFUSALS:
                raise WitnessRefused(f"the witness {self._name}: {_REFUSALS[answer.status]}")
            raise WitnessUnavailable(f"the witness {self._name} answered with status {answer.status}")

    def _require_same_size(self, answer: Answer, old_size: int) -> None:
        """Of an answer that may say at which size the witness has seen the log. Raises WitnessSizeDiffers."""
        declared = (answer.declared_type or "").partition(";")[0].strip().lower()
        if declared != SIZE_TYPE:
            return
        size = parse_size(answer.body(max_bytes=LARGEST_ANSWER))
        if size is None:
            raise FetchFailed("it answered with something else than a size")
        if size != old_size:
            raise WitnessSizeDiffers(f"the witness {self._name} has seen the log at {size}, not {old_size}", size=size)
