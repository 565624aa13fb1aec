"""Every error imgguard raises on purpose.

    ImgguardError
    |- ConfigurationError    StoreInUse
    |- InputError            UnsupportedFormat ImageTooLarge CorruptImage DecodeTimeout DecodeCrash
    |                        FetchRefused FetchFailed InvalidCursor PolicyInvalid VerifierCrash
    |- NotFound | PermissionDenied
    |- AuthenticationRequired  SignInExpired SignInRefused IdentityUnknown
    |- Conflict              DuplicateReference InvalidTransition IdempotencyMismatch StaleRevision WitnessSizeDiffers
    |- VerificationError     DigestMismatch NotCanonical RecordInvalid LeafInvalid InclusionProofInvalid
    |                        ConsistencyProofInvalid TileInvalid NoteInvalid CheckpointInvalid QuorumNotReached
    |                        TimestampInvalid OpenTimestampsInvalid PacketInvalid PacketMismatch
    |                        LogForked LogInconsistent
    |- Overloaded            IndexNotReady QueueFull RateLimited
    `- DependencyError       StoreUnavailable IndexUnavailable WeightsUnavailable WorkerCrashed
                             IdentityProviderUnavailable TimestampAuthorityUnavailable TimestampRefused
                             WitnessUnavailable WitnessRefused CalendarUnavailable

Each class has a stable ``code`` (part of the JSON contract) and a ``hint``: what the person who sees it can do.
Weak geometry is a result, not an error.
"""

from typing import ClassVar


class ImgguardError(Exception):
    """Root of the tree. ``detail`` says what happened, ``hint`` what to do about it."""

    code: ClassVar[str] = "internal"
    hint: ClassVar[str] = "This is a bug in imgguard; please report it with the command and its output."

    def __init__(self, detail: str, *, hint: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.advice = hint or type(self).hint


class ConfigurationError(ImgguardError):
    """A setting, path or combination of them cannot work."""

    code = "configuration"
    hint = "Compare the setting with `imgguard config show` and docs/settings.md."


class StoreInUse(ConfigurationError):
    """Another service runs on this store, and one store has one service."""

    code = "store_in_use"
    hint = (
        "Stop the other `imgguard serve` and wait for its end, or give this one a store of its own with --home or "
        "IMGGUARD_HOME."
    )


class InputError(ImgguardError):
    """What was handed in cannot be used; the same input fails again."""

    code = "invalid_input"
    hint = "Check the path and the file."


class UnsupportedFormat(InputError):
    """The bytes are not one of the accepted image formats."""

    code = "unsupported_format"
    hint = "Convert the file to JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC."


class ImageTooLarge(InputError):
    """More bytes, pixels, frames or memory than the limits in the settings allow."""

    code = "image_too_large"
    hint = "Reduce the picture, or raise the limit in the settings."


class CorruptImage(InputError):
    """The format is known but the content is broken or cut short."""

    code = "corrupt_image"
    hint = "Open the file in an image editor and export it again, or use the undamaged original."


class DecodeTimeout(InputError):
    """Decoding took longer than the limit and was stopped."""

    code = "decode_timeout"
    hint = "The file is probably built to be slow; if it is honest, raise IMGGUARD_DECODE_SECONDS."


class DecodeCrash(InputError):
    """The decoder process died on this file; the service did not."""

    code = "decode_crash"
    hint = "The file makes the image library crash; export it again from an image editor."


class FetchRefused(InputError):
    """The URL leads where imgguard does not go: its form, scheme, port, or an address that is not public."""

    code = "fetch_refused"
    hint = (
        "Give a public http or https address; the operator can allow others with IMGGUARD_FETCH_ALLOWED_NETWORKS "
        "and IMGGUARD_FETCH_PORTS."
    )


class FetchFailed(InputError):
    """The server did not deliver: no answer in time, a status of failure, too many bytes, or other content."""

    code = "fetch_failed"
    hint = "Open the URL in a browser: if it works there, try again later or raise the IMGGUARD_FETCH_ limits."


class InvalidCursor(InputError):
    """A cursor that imgguard did not give out, or gave out for another list."""

    code = "invalid_cursor"
    hint = "Begin with the first page again, with the same filters on every page."


class PolicyInvalid(InputError):
    """The policy that says which logs and witnesses to trust cannot be read; the detail names the line."""

    code = "policy_invalid"
    hint = "Correct the line that the detail names; docs/evidence-format.md describes the file."


class VerifierCrash(InputError):
    """The process that verified an evidence packet died of it or took too long; the service did not."""

    code = "verifier_crash"
    hint = "The packet is probably built to do that; if it is honest, verify it with `imgguard packet verify`."


class NotFound(ImgguardError):
    """No object with that id."""

    code = "not_found"
    hint = "List what there is with `imgguard list`."


class PermissionDenied(ImgguardError):
    """It is known who asks, and that one may not do this."""

    code = "permission_denied"
    hint = "Ask an administrator of your organisation for the role, or use an API key that has the scope."


class AuthenticationRequired(ImgguardError):
    """It is not known who asks: nothing was shown that proves it, or what was shown is wrong, expired or revoked."""

    code = "authentication_required"
    hint = "Sign in again, or use an API key that is neither expired nor revoked."


class SignInExpired(AuthenticationRequired):
    """A way back from the identity provider that this browser did not begin, or began too long ago, or has used."""

    code = "sign_in_expired"
    hint = "Sign in again, in one browser, within ten minutes."


class SignInRefused(AuthenticationRequired):
    """The identity provider did not say who it is, or what it said does not hold."""

    code = "sign_in_refused"
    hint = "Sign in again; if that does not help, ask the operator, whose log has the reason."


class IdentityUnknown(AuthenticationRequired):
    """The identity provider says who it is, and nobody here goes with that."""

    code = "identity_unknown"
    hint = (
        "The first time, open the link of your invitation, or sign in by your password and link your account; the "
        "provider has to know you under the same address. Ask the administrator of your organisation to invite you."
    )


class Conflict(ImgguardError):
    """The request contradicts the state of the store."""

    code = "conflict"
    hint = "Look at the present state with `imgguard show`."


class DuplicateReference(Conflict):
    """The same owner has registered the same bytes already."""

    code = "duplicate_reference"
    hint = "Nothing to do: the earlier registration stands."


class InvalidTransition(Conflict):
    """The object is not in a state from which this step leads on."""

    code = "invalid_transition"
    hint = "Look at the present state with `imgguard show`."


class IdempotencyMismatch(Conflict):
    """The same Idempotency-Key was sent with another request before."""

    code = "idempotency_mismatch"
    hint = "Make a new key for each request, and send the same key only with the same request."


class StaleRevision(Conflict):
    """The object was changed since it was read."""

    code = "stale_revision"
    hint = "Read it again, then decide anew."


class WitnessSizeDiffers(Conflict):
    """A witness has seen the log at another size than the submission begins with; ``size`` says at which."""

    code = "witness_size_differs"
    hint = "Send the proof from the size that the witness has; if it is larger than the log, the log was set back."

    def __init__(self, detail: str, *, size: int = 0, hint: str | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.size = size


class VerificationError(ImgguardError):
    """Something that was to be proven does not hold."""

    code = "verification"
    hint = "Treat the object as altered until the cause is known."


class DigestMismatch(VerificationError):
    """Stored bytes do not have the digest they are stored under."""

    code = "digest_mismatch"
    hint = "The stored file was altered or damaged: restore it from a backup, then run `imgguard doctor`."


class NotCanonical(VerificationError):
    """JSON that must be in canonical form (RFC 8785) is not, or is beyond the limits."""

    code = "not_canonical"
    hint = "Take the bytes as they were given out: anything that writes them anew may change them."


class RecordInvalid(VerificationError):
    """A private record of the log does not have the members that its kind asks for."""

    code = "record_invalid"
    hint = "Compare it with docs/evidence-format.md; a record that imgguard gave out was altered."


class LeafInvalid(VerificationError):
    """A leaf of the log is malformed, or the record, salts and signature that were shown do not open it."""

    code = "leaf_invalid"
    hint = "Make sure that leaf and opening are of the same record, and are the bytes that were given out."


class InclusionProofInvalid(VerificationError):
    """The proof does not show that the log contains the leaf."""

    code = "inclusion_proof_invalid"
    hint = "Ask for the proof again; if it still fails, the leaf is not in that log, or one of them was altered."


class ConsistencyProofInvalid(VerificationError):
    """The proof does not show that the larger log begins with all of the smaller one."""

    code = "consistency_proof_invalid"
    hint = "Keep both checkpoints: signed by one log, they can show that it was rewritten."


class TileInvalid(VerificationError):
    """Stored hashes or entries of the log are malformed, or do not lead to the root that was signed."""

    code = "tile_invalid"
    hint = "The stored tiles were altered or damaged: restore them from a backup, or make them again from the leaves."


class NoteInvalid(VerificationError):
    """A signed note is malformed, or a signature on it by a known key is wrong, or none is by a known key."""

    code = "note_invalid"
    hint = "Compare the keys with those that the log and the witnesses publish; the note may have been altered."


class CheckpointInvalid(VerificationError):
    """The text of a note is no checkpoint of a log, or not of the log that signed it, or a cosignature is wrong."""

    code = "checkpoint_invalid"
    hint = "Fetch the checkpoint again, and compare its origin with the name of the log's key."


class QuorumNotReached(VerificationError):
    """The checkpoint was not signed by as many witnesses as the policy asks for."""

    code = "quorum_not_reached"
    hint = "Ask for a proof with a checkpoint that more witnesses have signed."


class LogForked(VerificationError):
    """A log has signed two checkpoints of one size with different roots."""

    code = "log_forked"
    hint = "Keep both checkpoints and show them to whoever relies on the log: together they prove it."


class TimestampInvalid(VerificationError):
    """A timestamp token does not hold: its form, its imprint, its signature, or its certificates at its own time."""

    code = "timestamp_invalid"
    hint = "Treat the token as proof of nothing; ask whoever gave it for the one that the authority sent."


class OpenTimestampsInvalid(VerificationError):
    """An OpenTimestamps file cannot be read, is about something else, or contradicts a block of the trust file."""

    code = "opentimestamps_invalid"
    hint = "Treat the file as proof of nothing; compare the block in the trust file with what a node of Bitcoin says."


class PacketInvalid(VerificationError):
    """An evidence packet is none, or its parts do not go together. ``reason`` is a word, ``file`` the part at fault."""

    code = "packet_invalid"
    hint = "Take the packet from whoever made it, once more and whole; if it still fails, it was altered."

    def __init__(self, detail: str, *, reason: str = "invalid", file: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.file = file


class PacketMismatch(VerificationError):
    """The files of an evidence packet are not those that its `packet.json` names."""

    code = "packet_mismatch"
    hint = "Take the packet from where it was made, once more and whole."


class LogInconsistent(VerificationError):
    """The database and what the log has given out contradict each other: nothing is signed until that is cleared up."""

    code = "log_inconsistent"
    hint = "Keep the database and the folder `log` as they are, and see docs/transparency-log.md."


class Overloaded(ImgguardError):
    """Too much at once; try again after ``retry_after`` seconds."""

    code = "overloaded"
    hint = "Try again shortly."

    def __init__(self, detail: str, *, retry_after: float = 1.0, hint: str | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after


class IndexNotReady(Overloaded):
    """No index generation is active yet."""

    code = "index_not_ready"
    hint = "Wait for the rebuild, or start one with `imgguard index rebuild`."


class QueueFull(Overloaded):
    """More work waits than may wait; none of this request was taken on."""

    code = "queue_full"
    hint = "Send it again after the time that the error says; the operator can raise IMGGUARD_QUEUE_ITEMS."


class RateLimited(Overloaded):
    """This caller has asked too often; others are served."""

    code = "rate_limited"
    hint = "Wait as long as the error says, then try again."


class DependencyError(ImgguardError):
    """Something imgguard stands on is missing or down."""

    code = "dependency"
    hint = "Run `imgguard doctor`."


class StoreUnavailable(DependencyError):
    """The database or the blob store cannot be read or written."""

    code = "store_unavailable"
    hint = "Check the disk, its free space and the permissions of the home folder; then run `imgguard doctor`."


class IndexUnavailable(DependencyError):
    """The search index cannot be read or written."""

    code = "index_unavailable"
    hint = "Rebuild it from the database with `imgguard index rebuild`."


class WeightsUnavailable(DependencyError):
    """The weights that an index generation was made with are not at hand."""

    code = "weights_unavailable"
    hint = "Point IMGGUARD_WEIGHTS_PATH at the file, or re-embed with `imgguard index rebuild`."


class WorkerCrashed(DependencyError):
    """The process that had the picture in hand ended or was too slow; of a job, the next one too. All else goes on."""

    code = "worker_crashed"
    hint = (
        "Try it once more; if it fails again, the picture makes imgguard crash: export it again from an image editor, "
        "and tell the operator."
    )


class IdentityProviderUnavailable(DependencyError):
    """The identity provider does not answer, or does not answer as OpenID Connect asks."""

    code = "identity_provider_unavailable"
    hint = "Try again shortly; whoever has a password can sign in with that."


class TimestampAuthorityUnavailable(DependencyError):
    """A timestamp authority does not answer, or not as RFC 3161 asks; ``retry_after`` in seconds, if it said so."""

    code = "timestamp_authority_unavailable"
    hint = "Try again later, or name another one in IMGGUARD_TIMESTAMP_AUTHORITIES."

    def __init__(self, detail: str, *, retry_after: float | None = None, hint: str | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after


class TimestampRefused(DependencyError):
    """A timestamp authority answered, and did not stamp what it was asked to stamp."""

    code = "timestamp_refused"
    hint = "The same request is refused again: name another authority in IMGGUARD_TIMESTAMP_AUTHORITIES."


class CalendarUnavailable(DependencyError):
    """A calendar of OpenTimestamps does not answer as it should; ``retry_after`` in seconds, if it said so."""

    code = "calendar_unavailable"
    hint = "It is asked again later; if it stays so, name another one in IMGGUARD_OPENTIMESTAMPS_CALENDARS."

    def __init__(self, detail: str, *, retry_after: float | None = None, hint: str | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after


class WitnessUnavailable(DependencyError):
    """A witness does not answer, or not as C2SP tlog-witness asks, or with a cosignature that does not hold."""

    code = "witness_unavailable"
    hint = "The next checkpoint is sent to it again; if it stays so, ask whoever runs the witness."


class WitnessRefused(DependencyError):
    """A witness answered, and did not cosign the checkpoint."""

    code = "witness_refused"
    hint = "Ask whoever runs the witness which keys of the log it knows, and what it has seen of it."
