"""The verification of a packet: ten steps in order, and the sentences that they allow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from imgguard.errors import ConfigurationError, PacketInvalid, PolicyInvalid
from imgguard.evidence.packet.verifying.anchors import Anchored, check_anchors, check_block_times
from imgguard.evidence.packet.verifying.container import LARGEST_PACKET, Container, read_container
from imgguard.evidence.packet.verifying.layout import MANIFEST, PACKET, SEAL
from imgguard.evidence.packet.verifying.log import (
    Included,
    check_inclusion,
    check_logs,
    cosignatures_of,
)
from imgguard.evidence.packet.verifying.manifest import LONGEST_MANIFEST, check_manifest
from imgguard.evidence.packet.verifying.records import Entry, check_records
from imgguard.evidence.packet.verifying.seals import LONGEST_SEAL, Seal, verify_seal
from imgguard.evidence.packet.verifying.sentences import not_proven, proven
from imgguard.evidence.packet.verifying.statement import LONGEST, Statement, parse_statement
from imgguard.evidence.packet.verifying.steps import (
    Level,
    Result,
    Step,
    StepNumber,
    VerificationReport,
)
from imgguard.evidence.packet.verifying.times import (
    COUNTING,
    Stamped,
    check_other_bounds,
    check_times,
    check_timestamps,
    unconfirmed_bounds,
)
from imgguard.provenance.checkpoints import Cosignature
from imgguard.provenance.policy import Policy, parse_policy
from imgguard.provenance.trust import Trust


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Of a step in which nothing is wrong."""

    detail: str = ""
    result: Result = Result.PASSED
    reason: str | None = None


def verify_packet(
    data: bytes | memoryview,
    *,
    trust: Trust | None = None,
    level: Level = Level.INTEGRITY,
    largest: int = LARGEST_PACKET,
) -> VerificationReport:
    """What holds of the packet ``data``, of at most ``largest`` bytes. What is in it is never believed for itself.

    1. The ZIP is in its one form: names, sizes and headers leave no choice, and no byte is free.
    2. The manifest has every file, with its digest.
    3. The seal is right. By whom it is, only ``trust`` can say.
    4. Salts and records open the leaves, claimants have signed, `packet.json` says what the records say, and enclosed
       originals have the digests of the records.
    5. The leaves are in the trees of their checkpoints.
    6. The checkpoints are signed by a log of ``trust``.
    7. As many of its witnesses have cosigned each of them as its policy asks for.
    8. Timestamp tokens are of these checkpoints, and hold at their own time; each reference has one by an authority
       that ``trust`` calls independent or qualified; `packet.json` promises no more than they show.
    9. OpenTimestamps files are of checkpoints that have the leaves, and blocks of Bitcoin hold what they say, as far as
       ``trust`` names those blocks.
    10. No time contradicts another.

    The first step that fails is the last one that is looked at. Raises ConfigurationError when the policy of ``trust``
    cannot be read, and nothing else.
    """
    run = _Run(data=memoryview(data), trust=trust or Trust(), has_trust=trust is not None, largest=largest)
    run.policy = _policy(run.trust)
    checks: dict[StepNumber, Callable[[], _Outcome]] = {
        StepNumber.CONTAINER: run.container_step,
        StepNumber.MANIFEST: run.manifest_step,
        StepNumber.SEAL: run.seal_step,
        StepNumber.RECORDS: run.records_step,
        StepNumber.INCLUSION: run.inclusion_step,
        StepNumber.CHECKPOINT: run.checkpoint_step,
        StepNumber.WITNESSES: run.witnesses_step,
        StepNumber.TIMESTAMPS: run.timestamps_step,
        StepNumber.OPENTIMESTAMPS: run.opentimestamps_step,
        StepNumber.TIMES: run.times_step,
    }
    steps: list[Step] = []
    for number, check in checks.items():
        if steps and (steps[-1].result is Result.FAILED or steps[-1].reason == "step_before"):
            steps.append(Step(number=number, result=Result.NOT_CHECKED, reason="step_before"))
            continue
        try:
            outcome = check()
        except PacketInvalid as error:
            failed = Step(
                number=number, result=Result.FAILED, reason=error.reason, detail=error.detail, file=error.file
            )
            steps.append(failed)
        else:
            steps.append(Step(number=number, result=outcome.result, reason=outcome.reason, detail=outcome.detail))
    report = VerificationReport(
        packet_sha256=sha256(run.data).hexdigest(),
        packet_id=None if run.statement is None else run.statement.packet_id,
        level_asked=level,
        steps=tuple(steps),
    )
    return VerificationReport(
        packet_sha256=report.packet_sha256,
        packet_id=report.packet_id,
        level_asked=level,
        steps=report.steps,
        proven=proven(
            report.level, run.seal, run.trust, run.included, run.stamped, run.cosignatures, run.policy, run.anchored
        ),
        not_proven=not_proven(report.level, run.statement),
    )


def _policy(trust: Trust) -> Policy | None:
    if trust.log_policy is None:
        return None
    try:
        return parse_policy(trust.log_policy.encode())
    except PolicyInvalid as error:
        raise ConfigurationError(f"the trust file, log: {error.detail}", hint=error.advice) from error


@dataclass(slots=True, kw_only=True)
class _Run:
    """What the steps so far have found. Each step raises PacketInvalid when something is wrong."""

    data: memoryview
    trust: Trust
    has_trust: bool
    largest: int
    policy: Policy | None = None
    container: Container = field(init=False)
    seal: Seal | None = None
    statement: Statement | None = None
    entries: Sequence[Entry] = ()
    included: Sequence[Included] = ()
    stamped: Sequence[Stamped] = ()
    anchored: Sequence[Anchored] = ()
    cosignatures: Mapping[str, Sequence[Cosignature]] = field(default_factory=dict)

    def container_step(self) -> _Outcome:
        self.container = read_container(self.data, largest=self.largest)
        return _Outcome(f"{len(self.container.members)} files")

    def manifest_step(self) -> _Outcome:
        digests = {name: member.sha256 for name, member in self.container.members.items()}
        check_manifest(self.container.read(MANIFEST, most_bytes=LONGEST_MANIFEST), digests)
        return _Outcome()

    def seal_step(self) -> _Outcome:
        manifest = self.container.read(MANIFEST, most_bytes=LONGEST_MANIFEST)
        self.seal = verify_seal(self.container.read(SEAL, most_bytes=LONGEST_SEAL), manifest)
        sealer = self.trust.sealer(self.seal.certificate)
        if sealer is not None:
            return _Outcome(f"sealed by {sealer.name}")
        detail = f"sealed by somebody unknown, who says {self.seal.name}; certificate SHA-256 {self.seal.sha256}"
        return _Outcome(detail, Result.INSUFFICIENT, "seal_unknown" if self.has_trust else "no_trust")

    def records_step(self) -> _Outcome:
        self.statement = parse_statement(self.container.read(PACKET, most_bytes=LONGEST))
        self.entries = check_records(self.statement, self.container)
        return _Outcome(f"{len(self.entries)} records")

    def inclusion_step(self) -> _Outcome:
        self.included = check_inclusion(self.entries, self.container)
        origins = {one.checkpoint.origin for one in self.included}
        return _Outcome(f"{len(self.included)} leaves of {', '.join(origins) or 'no log'}")

    def checkpoint_step(self) -> _Outcome:
        if self.policy is None:
            return _not_judged("which log to believe")
        check_logs(self.included, self.container, self.policy)
        if not self.included:
            return _Outcome("the packet has nothing from a log", Result.INSUFFICIENT, "nothing_logged")
        return _Outcome()

    def witnesses_step(self) -> _Outcome:
        if self.policy is None:
            return _not_judged("which witnesses to believe")
        self.cosignatures = {one.entry.subject.folder: cosignatures_of(one, self.policy) for one in self.included}
        if self.policy.quorum == "none":
            return _Outcome("the trust file asks for none", Result.INSUFFICIENT, "no_quorum")
        for folder, found in self.cosignatures.items():
            if not self.policy.quorum_holds({one.key for one in found}):
                names = ", ".join(sorted({one.key.name for one in found})) or "no witness"
                detail = f"{folder} is seen by {names}: that is less than the trust file asks for"
                return _Outcome(detail, Result.INSUFFICIENT, "quorum_not_reached")
        return _Outcome()

    def timestamps_step(self) -> _Outcome:
        self.stamped = check_timestamps(self.included, self.container, self.trust)
        check_other_bounds(self.included, self.cosignatures)
        if not self.has_trust:
            return _not_judged("which authorities to believe")
        for one in self.included:
            if not one.entry.subject.is_reference:
                continue
            classes = {each.timestamp.trust_class for each in self.stamped if each.included is one}
            if not classes:
                return _lacking(one, "has no timestamp", "no_timestamp")
            if not classes & COUNTING:
                names = ", ".join(sorted(classes))
                return _lacking(one, f"has timestamps of class {names} only", "no_independent_timestamp")
        if not self.stamped:
            return _Outcome("the packet has no timestamp", Result.INSUFFICIENT, "no_timestamp")
        if not any(each.timestamp.trust_class in COUNTING for each in self.stamped):
            detail = "none of its timestamps is independent"
            return _Outcome(detail, Result.INSUFFICIENT, "no_independent_timestamp")
        for claim in unconfirmed_bounds(self.included, self.stamped, self.cosignatures):
            return _Outcome(f"packet.json says {claim}; the trust file does not", Result.INSUFFICIENT, "class_unknown")
        return _Outcome(f"{len(self.stamped)} tokens")

    def opentimestamps_step(self) -> _Outcome:
        self.anchored = check_anchors(self.included, self.container, self.trust, self.policy)
        if not self.anchored:
            return _Outcome("the packet has none", Result.NOT_CHECKED, "no_anchor")
        if not self.has_trust:
            return _not_judged("which blocks of Bitcoin to believe")
        wanted = [one for one in self.included if one.entry.subject.is_reference]
        by_subject = {one.included.entry.subject.folder: one for one in self.anchored}
        for one in wanted or [each.included for each in self.anchored]:
            found = by_subject.get(one.entry.subject.folder)
            if found is None:
                return _lacking(one, "has no OpenTimestamps file", "not_anchored")
            if not found.timestamp.heights:
                return _lacking(one, "has a promise of calendars only: a promise, not a time", "promise_only")
            if not found.blocks:
                heights = ", ".join(map(str, found.timestamp.heights))
                detail = f"unknown: not looked at. The trust file does not name block {heights} of Bitcoin"
                return _Outcome(detail, Result.NOT_CHECKED, "block_unknown")
        for claim in unconfirmed_bounds(self.included, self.stamped, self.cosignatures):
            return _Outcome(f"packet.json says {claim}; the trust file does not", Result.INSUFFICIENT, "class_unknown")
        heights = ", ".join(dict.fromkeys(str(block.height) for one in self.anchored for block in one.blocks))
        return _Outcome(f"block {heights} of Bitcoin")

    def times_step(self) -> _Outcome:
        assert self.statement is not None
        check_times(self.statement, self.included, self.stamped, self.cosignatures)
        check_block_times(self.statement, self.anchored)
        return _Outcome()


def _not_judged(what: str) -> _Outcome:
    return _Outcome(f"there is no trust file that says {what}", Result.NOT_CHECKED, "no_trust")


def _lacking(one: Included, what: str, reason: str) -> _Outcome:
    return _Outcome(f"{one.entry.subject.what} {what}", Result.INSUFFICIENT, reason)
