"""Packets whose OpenTimestamps files, or the proofs that go with them, do not hold."""

from collections.abc import Callable
from typing import Any

from hostile_zips import Refusal
from ots_files import HEIGHT, attested, block_text, forked, nested, promised, root_of
from small_log import LOG, key
from small_packet import SmallPacket, leaves, note_of, proof_of, small_packet, trust_text

from imgguard.provenance.notes import Signer
from imgguard.provenance.opentimestamps import MAGIC, OpenTimestamp
from imgguard.provenance.trust import Trust, read_trust

PROOF, FILE = "references/1/anchored.tlog-proof", "references/1/anchored.ots"
REFERENCES = 2
ENTRIES = leaves(REFERENCES)[:4]
"""The checkpoint that calendars were asked about is an older one than that of the timestamps."""


def text_of(note: bytes) -> bytes:
    return note.partition(b"\n\n")[0] + b"\n"


def statement_of(number: int, file: OpenTimestamp) -> dict[str, Any]:
    folder = f"references/{number}/"
    return {
        "proof": f"{folder}anchored.tlog-proof",
        "file": f"{folder}anchored.ots",
        "blocks": list(file.heights),
        "calendars": list(file.calendars),
    }


def anchor(
    packet: SmallPacket, file: OpenTimestamp, *, note: bytes | None = None, entries: list[bytes] = ENTRIES
) -> None:
    """Give every reference of ``packet`` the ``file``, and a proof by the checkpoint ``note``."""
    for number in range(1, len(packet.statement["references"]) + 1):
        folder = f"references/{number}/"
        packet.files[f"{folder}anchored.tlog-proof"] = proof_of(entries, number - 1, note or note_of(entries))
        packet.files[f"{folder}anchored.ots"] = file.to_bytes()
        packet.one(number)["anchor"] = statement_of(number, file)


def anchored_packet(file: OpenTimestamp | None = None, *, is_stamped: bool = True) -> SmallPacket:
    """Honest: a block of Bitcoin has the first checkpoint, unless ``file`` says something else."""
    packet = small_packet(REFERENCES, is_stamped=is_stamped)
    anchor(packet, attested(text_of(note_of(ENTRIES))) if file is None else file)
    return packet


FILE_OF_HONEST = attested(text_of(note_of(ENTRIES)))
PROMISE = promised(text_of(note_of(ENTRIES)))
BLOCK = block_text(root_of(FILE_OF_HONEST))
"""For a trust file: the block that has it."""


def trusting(more: str = BLOCK, **changes: Any) -> Trust:
    """What `small_packet.trust` believes, and ``more``."""
    return read_trust(trust_text(**changes) + more)


def _after(change: Callable[[SmallPacket], None]) -> bytes:
    packet = anchored_packet()
    change(packet)
    return packet.to_bytes()


def _with(data: bytes) -> bytes:
    return _after(lambda packet: packet.files.update({FILE: data}))


def anchor_of_something_else() -> bytes:
    """It leads to a block, and not from the checkpoint of its proof."""
    return anchored_packet(attested(b"something else")).to_bytes()


def anchor_of_another_checkpoint() -> bytes:
    """Of the newest one, whose leaves those of the proof are not."""
    return anchored_packet(attested(text_of(note_of(leaves(REFERENCES))))).to_bytes()


def anchor_in_another_block() -> bytes:
    """Its way does not end in the Merkle root of the block that the trust file names."""
    file = attested(text_of(note_of(ENTRIES)), by="https://other.example")
    packet = anchored_packet(file)
    packet.files[FILE] = file.to_bytes().replace(b"transaction", b"transactiom")
    return packet.to_bytes()


def anchor_that_is_none() -> bytes:
    return _with(b"840000")


def anchor_cut_short() -> bytes:
    return _with(FILE_OF_HONEST.to_bytes()[:-1])


def anchor_with_more_behind_it() -> bytes:
    return _with(FILE_OF_HONEST.to_bytes() + b"\x00")


def anchor_that_is_too_deep() -> bytes:
    return _with(MAGIC + b"\x01\x08" + FILE_OF_HONEST.digest + nested(5_000))


def anchor_with_too_many_branches() -> bytes:
    return _with(MAGIC + b"\x01\x08" + FILE_OF_HONEST.digest + forked(5_000))


def anchor_with_an_unknown_operation() -> bytes:
    return _with(MAGIC + b"\x01\x08" + FILE_OF_HONEST.digest + b"\x67" + nested(1))


def anchor_that_is_too_long() -> bytes:
    return _with(FILE_OF_HONEST.to_bytes() + bytes(70_000))


def anchor_without_its_proof() -> bytes:
    return _after(lambda packet: packet.files.pop(PROOF))


def anchor_without_its_file() -> bytes:
    return _after(lambda packet: packet.files.pop(FILE))


def anchor_that_packet_json_does_not_name() -> bytes:
    return _after(lambda packet: packet.one().pop("anchor"))


def anchor_called_otherwise() -> bytes:
    def change(packet: SmallPacket) -> None:
        packet.files["references/1/other.ots"] = packet.files.pop(FILE)
        packet.one()["anchor"]["file"] = "references/1/other.ots"

    return _after(change)


def anchor_of_the_neighbour() -> bytes:
    return _after(lambda packet: packet.one()["anchor"].update({"file": "references/2/anchored.ots"}))


def block_that_the_file_does_not_name() -> bytes:
    return _after(lambda packet: packet.one()["anchor"].update({"blocks": [HEIGHT - 100_000]}))


def promise_called_a_block() -> bytes:
    packet = anchored_packet(PROMISE)
    packet.one()["anchor"] |= {"blocks": [HEIGHT], "calendars": []}
    return packet.to_bytes()


def anchor_proof_of_another_leaf() -> bytes:
    return _after(lambda packet: packet.files.update({PROOF: packet.files["references/2/anchored.tlog-proof"]}))


def anchor_proof_that_is_none() -> bytes:
    return _after(lambda packet: packet.files.update({PROOF: b"c2sp.org/tlog-proof@v1\n"}))


def _by_checkpoint(note: bytes, entries: list[bytes]) -> bytes:
    packet = small_packet(REFERENCES)
    anchor(packet, attested(text_of(note)), note=note, entries=entries)
    return packet.to_bytes()


def anchored_by_another_key() -> bytes:
    return _by_checkpoint(note_of(ENTRIES, log=Signer(LOG.key.name, key("forger"))), ENTRIES)


def anchored_in_another_log() -> bytes:
    return _by_checkpoint(note_of(ENTRIES, log=Signer("other.example.org/log", key("log"))), ENTRIES)


def anchored_in_a_fork() -> bytes:
    """Of the size of the newest checkpoint, with another root; signed by the log."""
    entries = [*leaves(REFERENCES)[:-1], b"another"]
    return _by_checkpoint(note_of(entries), entries)


def anchored_after_the_newest_checkpoint() -> bytes:
    entries = [*leaves(REFERENCES), b"later"]
    return _by_checkpoint(note_of(entries), entries)


ANCHORS: dict[Callable[[], bytes], Refusal] = {
    anchor_of_something_else: (9, "opentimestamps_invalid", FILE),
    anchor_of_another_checkpoint: (9, "opentimestamps_invalid", FILE),
    anchor_in_another_block: (9, "opentimestamps_invalid", FILE),
    anchor_that_is_none: (9, "opentimestamps_invalid", FILE),
    anchor_cut_short: (9, "opentimestamps_invalid", FILE),
    anchor_with_more_behind_it: (9, "opentimestamps_invalid", FILE),
    anchor_that_is_too_deep: (9, "opentimestamps_invalid", FILE),
    anchor_with_too_many_branches: (9, "opentimestamps_invalid", FILE),
    anchor_with_an_unknown_operation: (9, "opentimestamps_invalid", FILE),
    anchor_that_is_too_long: (9, "too_large", FILE),
    anchor_without_its_proof: (4, "missing", PROOF),
    anchor_without_its_file: (4, "missing", FILE),
    anchor_that_packet_json_does_not_name: (4, "not_explained", FILE),
    anchor_called_otherwise: (4, "path", "references/1/other.ots"),
    anchor_of_the_neighbour: (4, "path", "references/2/anchored.ots"),
    block_that_the_file_does_not_name: (9, "other_anchor", "packet.json"),
    promise_called_a_block: (9, "other_anchor", "packet.json"),
    anchor_proof_of_another_leaf: (9, "inclusion_proof_invalid", PROOF),
    anchor_proof_that_is_none: (9, "inclusion_proof_invalid", PROOF),
    anchored_by_another_key: (9, "note_invalid", PROOF),
    anchored_in_another_log: (9, "other_log", PROOF),
    anchored_in_a_fork: (9, "log_forked", PROOF),
    anchored_after_the_newest_checkpoint: (9, "checkpoint_rolled_back", "log/checkpoint"),
}
