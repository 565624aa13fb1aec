"""Exit codes, and which error leads to which. docs/errors.md shows the same table; a test compares them."""

from enum import IntEnum

from imgguard import errors


class ExitCode(IntEnum):
    """``FAILED`` wins over ``COPY_FOUND``: a run that skipped inputs has not shown what it found to be all."""

    DONE = 0
    COPY_FOUND = 1
    USAGE = 2
    DEPENDENCY = 3
    FAILED = 4
    BUG = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # 128 + SIGINT
    BROKEN_PIPE = 141  # 128 + SIGPIPE: the reader of the output went away


EXIT_CODES: dict[type[errors.ImgguardError], ExitCode] = {
    errors.ImgguardError: ExitCode.BUG,
    errors.ConfigurationError: ExitCode.USAGE,
    errors.StoreInUse: ExitCode.USAGE,
    errors.InputError: ExitCode.FAILED,
    errors.UnsupportedFormat: ExitCode.FAILED,
    errors.ImageTooLarge: ExitCode.FAILED,
    errors.CorruptImage: ExitCode.FAILED,
    errors.DecodeTimeout: ExitCode.FAILED,
    errors.DecodeCrash: ExitCode.FAILED,
    errors.FetchRefused: ExitCode.FAILED,
    errors.FetchFailed: ExitCode.FAILED,
    errors.InvalidCursor: ExitCode.FAILED,
    errors.PolicyInvalid: ExitCode.FAILED,
    errors.VerifierCrash: ExitCode.FAILED,
    errors.NotFound: ExitCode.FAILED,
    errors.PermissionDenied: ExitCode.FAILED,
    errors.AuthenticationRequired: ExitCode.FAILED,
    errors.SignInExpired: ExitCode.FAILED,
    errors.SignInRefused: ExitCode.FAILED,
    errors.IdentityUnknown: ExitCode.FAILED,
    errors.Conflict: ExitCode.FAILED,
    errors.DuplicateReference: ExitCode.FAILED,
    errors.InvalidTransition: ExitCode.FAILED,
    errors.IdempotencyMismatch: ExitCode.FAILED,
    errors.StaleRevision: ExitCode.FAILED,
    errors.WitnessSizeDiffers: ExitCode.FAILED,
    errors.VerificationError: ExitCode.FAILED,
    errors.DigestMismatch: ExitCode.FAILED,
    errors.NotCanonical: ExitCode.FAILED,
    errors.RecordInvalid: ExitCode.FAILED,
    errors.LeafInvalid: ExitCode.FAILED,
    errors.InclusionProofInvalid: ExitCode.FAILED,
    errors.ConsistencyProofInvalid: ExitCode.FAILED,
    errors.TileInvalid: ExitCode.FAILED,
    errors.NoteInvalid: ExitCode.FAILED,
    errors.CheckpointInvalid: ExitCode.FAILED,
    errors.QuorumNotReached: ExitCode.FAILED,
    errors.LogForked: ExitCode.FAILED,
    errors.TimestampInvalid: ExitCode.FAILED,
    errors.OpenTimestampsInvalid: ExitCode.FAILED,
    errors.PacketInvalid: ExitCode.FAILED,
    errors.PacketMismatch: ExitCode.FAILED,
    errors.LogInconsistent: ExitCode.FAILED,
    errors.Overloaded: ExitCode.DEPENDENCY,
    errors.IndexNotReady: ExitCode.DEPENDENCY,
    errors.QueueFull: ExitCode.DEPENDENCY,
    errors.RateLimited: ExitCode.DEPENDENCY,
    errors.DependencyError: ExitCode.DEPENDENCY,
    errors.StoreUnavailable: ExitCode.DEPENDENCY,
    errors.IndexUnavailable: ExitCode.DEPENDENCY,
    errors.WeightsUnavailable: ExitCode.DEPENDENCY,
    errors.WorkerCrashed: ExitCode.DEPENDENCY,
    errors.IdentityProviderUnavailable: ExitCode.DEPENDENCY,
    errors.TimestampAuthorityUnavailable: ExitCode.DEPENDENCY,
    errors.TimestampRefused: ExitCode.DEPENDENCY,
    errors.CalendarUnavailable: ExitCode.DEPENDENCY,
    errors.WitnessUnavailable: ExitCode.DEPENDENCY,
    errors.WitnessRefused: ExitCode.DEPENDENCY,
}


def exit_code_of(error: errors.ImgguardError) -> ExitCode:
    """The code for ``error``; a class that the table does not name yet counts as its base."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
