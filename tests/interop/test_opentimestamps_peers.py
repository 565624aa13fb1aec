"""The reference implementation of OpenTimestamps reads our files as we do, and we read its."""

import io
import random
from hashlib import sha256

import pytest
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation, UnknownAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import StreamDeserializationContext, StreamSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp
from ots_files import CALENDAR, HEIGHT, attested, promised, root_of

from imgguard.provenance.anchors import merged
from imgguard.provenance.opentimestamps import BITCOIN, PENDING, OpenTimestamp, parse_file

pytestmark = pytest.mark.interop

DATA = b"the text of a checkpoint"
OURS = {
    "a promise": promised(DATA),
    "a block": attested(DATA),
    "two calendars": merged([promised(DATA), attested(DATA, by="https://other.example", height=3)]),
}
_KINDS = {PENDING: PendingAttestation, BITCOIN: BitcoinBlockHeaderAttestation}


def their_reading(data: bytes) -> DetachedTimestampFile:
    context = StreamDeserializationContext(io.BytesIO(data))
    found = DetachedTimestampFile.deserialize(context)
    context.assert_eof()
    return found


def their_writing(file: DetachedTimestampFile) -> bytes:
    buffer = io.BytesIO()
    file.serialize(StreamSerializationContext(buffer))
    return buffer.getvalue()


def attestations_of(file: OpenTimestamp) -> set[tuple[bytes, type, object]]:
    return {
        (
            path.message,
            _KINDS.get(path.attestation.tag, UnknownAttestation),
            path.attestation.height or path.attestation.calendar or path.attestation.payload,
        )
        for path in file.paths
    }


def their_attestations(file: DetachedTimestampFile) -> set[tuple[bytes, type, object]]:
    return {
        (message, type(one), getattr(one, "height", None) or getattr(one, "uri", None) or getattr(one, "payload", None))
        for message, one in file.timestamp.all_attestations()
    }


@pytest.mark.parametrize("name", OURS)
def test_they_read_our_files(name: str) -> None:
    theirs = their_reading(OURS[name].to_bytes())
    assert theirs.file_digest == sha256(DATA).digest()
    assert their_attestations(theirs) == attestations_of(OURS[name])
    assert their_writing(theirs) == OURS[name].to_bytes()


def test_they_find_the_same_merkle_root() -> None:
    file = attested(DATA)
    found = {
        message
        for message, one in their_reading(file.to_bytes()).timestamp.all_attestations()
        if isinstance(one, BitcoinBlockHeaderAttestation) and one.height == HEIGHT
    }
    assert found == {root_of(file)}


def grown(timestamp: Timestamp, depth: int, chosen: random.Random) -> None:
    if depth == 0 or chosen.random() < 0.2:
        for _ in range(chosen.randint(1, 3)):
            made = (
                PendingAttestation(f"{CALENDAR}/{chosen.randint(0, 9)}"),
                BitcoinBlockHeaderAttestation(chosen.randint(1, 900_000)),
                UnknownAttestation(bytes([9] * 8), chosen.randbytes(chosen.randint(1, 20))),
            )
            timestamp.attestations.add(chosen.choice(made))
        return
    for _ in range(chosen.randint(1, 2)):
        operations = (OpAppend(chosen.randbytes(8)), OpPrepend(chosen.randbytes(200)), OpSHA256())
        grown(timestamp.ops.add(chosen.choice(operations)), depth - 1, chosen)


@pytest.mark.parametrize("seed", range(100))
def test_we_read_their_files_and_write_them_the_same(seed: int) -> None:
    timestamp = Timestamp(sha256(b"%d" % seed).digest())
    grown(timestamp, 5, random.Random(seed))
    theirs = DetachedTimestampFile(OpSHA256(), timestamp)
    data = their_writing(theirs)
    ours = parse_file(data)
    assert ours.digest == timestamp.msg
    assert attestations_of(ours) == their_attestations(theirs)
    assert ours.to_bytes() == data
