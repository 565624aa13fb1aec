"""What the tokens of a checkpoint stamp, and how a chain of them is read: a token, and those that renew it.

A token outlives the certificate of its signer, but less is known of it then: whether the key was stolen since, or the
digest broken. So a later token is made in time, over the body of the checkpoint and every token of the chain so far,
by SHA-512: it shows that the older ones were there while they could not be forged. As ASiC archive manifests do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from imgguard.errors import TimestampInvalid
from imgguard.provenance.notes import parse_note
from imgguard.provenance.timestamp_tokens import read_token
from imgguard.provenance.timestamps import Digest, VerifiedTimestamp, verify_timestamp
from imgguard.provenance.trust import Trust, TrustClass

FIRST_DIGEST = "sha256"
RENEWAL_DIGEST = "sha512"
MOST_TOKENS = 64
"""Of one chain: renewed once a year, that is a lifetime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedChain:
    """``timestamps`` from the first on, each verified at its own time. ``ends`` are those of their certificates."""

    timestamps: tuple[VerifiedTimestamp, ...]
    ends: tuple[datetime, ...]

    @property
    def no_later_than(self) -> datetime | None:
        """What the first token says: renewals carry it on, and say nothing earlier. None when nobody vouches for it."""
        return self.timestamps[0].no_later_than

    @property
    def holds_until(self) -> datetime | None:
        """Until then a certificate stands behind the chain, renewals by unknown authorities left out."""
        held = None
        for timestamp, end in zip(self.timestamps, self.ends, strict=True):
            if timestamp.trust_class is TrustClass.UNKNOWN:
                break
            held = end
        return held


def stamped_body(note: bytes) -> bytes:
    """The very bytes that the log has signed: the lines of the checkpoint before the empty one, each with its newline.

    Signatures are no part of it, so that it stays the same when witnesses add theirs. Raises NoteInvalid.
    """
    return parse_note(note).text.encode()


def renewed_bytes(body: bytes, tokens: Sequence[bytes]) -> bytes:
    """What the next token of a chain stamps: the body, and the tokens so far, the oldest first, one after the other."""
    return b"".join((body, *tokens))


def digest_to_stamp(body: bytes, tokens: Sequence[bytes] = ()) -> Digest:
    """For the next token: SHA-256 of the body for the first one, SHA-512 of `renewed_bytes` for those that renew."""
    return Digest.of(renewed_bytes(body, tokens), algorithm=RENEWAL_DIGEST if tokens else FIRST_DIGEST)


def certificate_ends(token: bytes) -> datetime:
    """When the certificate of the signer ends. Raises TimestampInvalid."""
    return read_token(token).signer.not_valid_after_utc


def verify_chain(body: bytes, tokens: Sequence[bytes], *, trust: Trust) -> VerifiedChain:
    """What ``tokens`` prove of ``body``. Raises TimestampInvalid.

    1  there is a first token, and at most `MOST_TOKENS`
    2  each holds at its own time: the first for the body, the others by SHA-512 for the body and all before them
    3  each was made after the one before, and while the certificate of that one was good
    """
    # 1
    if not 1 <= len(tokens) <= MOST_TOKENS:
        raise TimestampInvalid(f"a chain has from one to {MOST_TOKENS} tokens, not {len(tokens)}")
    timestamps: list[VerifiedTimestamp] = []
    ends: list[datetime] = []
    for number, token in enumerate(tokens):
        # 2
        stamped = digest_to_stamp(body, tokens[:number]) if number else body
        found = verify_timestamp(token, stamped, trust=trust)
        # 3
        moment = found.token.gen_time
        if number and not timestamps[-1].token.gen_time <= moment <= ends[-1]:
            raise TimestampInvalid(
                f"token {number + 1} of the chain was not made while the one before could be renewed"
            )
        timestamps.append(found)
        ends.append(certificate_ends(token))
    return VerifiedChain(timestamps=tuple(timestamps), ends=tuple(ends))
