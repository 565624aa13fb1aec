"""Packets whose proofs, checkpoints, timestamps or times do not hold, sealed with the operator's own key."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

from hostile_records import PROOF, TOKEN, sealed_after, stating
from hostile_zips import Refusal
from small_log import LOG, ONE, TWO, key
from small_packet import (
    SmallPacket,
    bound,
    leaves,
    note_of,
    opening,
    proof_of,
    small_packet,
    token_of,
)

from imgguard.provenance.leaves import leaf_of
from imgguard.provenance.notes import Signer


def proof_of_another_leaf() -> bytes:
    def change(packet: SmallPacket) -> None:
        packet.files[PROOF] = proof_of(leaves(2), 2, packet.files["log/checkpoint"])

    return sealed_after(change)


def truncated_proof() -> bytes:
    def change(packet: SmallPacket) -> None:
        lines = packet.files[PROOF].split(b"\n")
        packet.files[PROOF] = b"\n".join(lines[:2] + lines[3:])

    return sealed_after(change)


def proof_without_a_checkpoint() -> bytes:
    return sealed_after(lambda packet: packet.files.update({PROOF: packet.files[PROOF].partition(b"\n\n")[0] + b"\n"}))


FORGER = Signer(LOG.key.name, key("forger"))


def fork_signed_by_another_key() -> bytes:
    """A tree of the forger's own, under the name of the log: everything fits but the key."""
    packet = small_packet(witnesses=(), log=FORGER)
    return packet.to_bytes()


def key_of_the_log_inside_the_packet() -> bytes:
    """The same, with a policy inside that names the forger's key: it must count for nothing."""
    packet = small_packet(witnesses=(), log=FORGER)
    packet.files["log/policy.txt"] = f"log {FORGER.key.text}\nquorum none\n".encode()
    return packet.to_bytes()


def newest_checkpoint_signed_by_another_key() -> bytes:
    return sealed_after(lambda packet: packet.files.update({"log/checkpoint": note_of([*leaves(2), b"z"], log=FORGER)}))


def rolled_back_checkpoint() -> bytes:
    return sealed_after(lambda packet: packet.files.update({"log/checkpoint": note_of(leaves(2)[:3], ONE, TWO)}))


def forked_log() -> bytes:
    """Both checkpoints are signed by the log, are of one size, and have two roots."""

    def change(packet: SmallPacket) -> None:
        packet.files["log/checkpoint"] = note_of([*leaves(2)[:-1], b"another"], ONE, TWO)

    return sealed_after(change)


def checkpoint_of_another_log() -> bytes:
    other = Signer("other.example.org/log", key("log"))
    return sealed_after(lambda packet: packet.files.update({"log/checkpoint": note_of(leaves(2), log=other)}))


def wrong_cosignature() -> bytes:
    """Of a witness that is believed, at a time that it has not signed."""

    def change(packet: SmallPacket) -> None:
        entries = leaves(1)
        good = note_of(entries, ONE, TWO).decode().splitlines(keepends=True)
        other = note_of(entries, ONE, TWO, seconds=1_700_000_000).decode().splitlines(keepends=True)
        name = good[-1].split(" ")[1]
        blob, blob2 = (base64.b64decode(lines[-1].split(" ")[2]) for lines in (good, other))
        mixed = base64.b64encode(blob2[:12] + blob[12:]).decode()
        note = ("".join(good[:-1]) + f"\u2014 {name} {mixed}\n").encode()
        packet.files["log/checkpoint"] = note
        packet.files[PROOF] = proof_of(entries, 0, note)

    return sealed_after(change, references=1)


# Of times.


def back_dated_token() -> bytes:
    """By an authority whose certificate is of 2026, with a time in 2019."""
    at = datetime(2019, 5, 1, tzinfo=UTC)

    def change(packet: SmallPacket) -> None:
        packet.files[TOKEN] = token_of(packet.files["log/checkpoint"], at=at)
        packet.one()["existed_no_later_than"] = [bound(1, at="2019-05-01T00:00:01Z")]

    return sealed_after(change, references=1)


def token_of_another_checkpoint() -> bytes:
    return sealed_after(lambda packet: packet.files.update({TOKEN: token_of(note_of(leaves(3)))}))


def token_that_is_none() -> bytes:
    return sealed_after(lambda packet: packet.files.update({TOKEN: b"2019-05-01"}))


def token_altered() -> bytes:
    def change(packet: SmallPacket) -> None:
        packet.files[TOKEN] = packet.files[TOKEN].replace(b"20260301120200Z", b"20260201120200Z")

    return sealed_after(change)


def earlier_time_in_packet_json() -> bytes:
    return stating(existed_no_later_than=[bound(1, at="2019-05-01T00:00:00Z")])


def time_that_nothing_shows() -> bytes:
    return stating(existed_no_later_than=[bound(1), bound(1, file=None, at="2019-05-01T00:00:00Z")])


def log_time_called_independent() -> bytes:
    stated = bound(1, basis="log", at="2026-03-01T12:00:00Z", by=LOG.key.name, file=None)
    return stating(existed_no_later_than=[bound(1), stated])


def earlier_cosignature_in_packet_json() -> bytes:
    stated = bound(1, basis="cosignature", at="2026-01-01T00:00:00Z", by=ONE.key.name, file=PROOF)
    return stating(existed_no_later_than=[bound(1), stated])


def received_after_it_was_stamped() -> bytes:
    """The log claims to have received the leaf a year after the authority stamped it: one of them is wrong."""

    def change(packet: SmallPacket) -> None:
        entries = [leaf_of(opening(1), received_at="2026-10-01T00:00:00Z"), b"x", b"y", b"z"]
        note = note_of(entries, ONE, TWO)
        packet.files |= {
            "log/checkpoint": note,
            "references/1/leaf.json": entries[0],
            PROOF: proof_of(entries, 0, note),
            TOKEN: token_of(note),
        }

    return sealed_after(change, references=1)


def received_after_the_packet_was_made() -> bytes:
    def change(packet: SmallPacket) -> None:
        entries = [leaf_of(opening(1), received_at="2027-10-01T00:00:00Z"), b"x", b"y", b"z"]
        note = note_of(entries)
        packet.files |= {
            "log/checkpoint": note,
            "references/1/leaf.json": entries[0],
            PROOF: proof_of(entries, 0, note),
        }
        del packet.files[TOKEN]
        packet.one()["existed_no_later_than"] = []

    return sealed_after(change, references=1)


def better_class_than_the_authority_has() -> bytes:
    """The trust file calls the authority independent, and `packet.json` says qualified."""
    return stating(existed_no_later_than=[bound(1, trust="qualified")])


TIMES: dict[Callable[[], bytes], Refusal] = {
    proof_of_another_leaf: (5, "inclusion_proof_invalid", PROOF),
    truncated_proof: (5, "inclusion_proof_invalid", PROOF),
    proof_without_a_checkpoint: (5, "inclusion_proof_invalid", PROOF),
    fork_signed_by_another_key: (6, "note_invalid", "log/checkpoint"),
    key_of_the_log_inside_the_packet: (6, "note_invalid", "log/checkpoint"),
    newest_checkpoint_signed_by_another_key: (6, "note_invalid", "log/checkpoint"),
    rolled_back_checkpoint: (5, "checkpoint_rolled_back", "log/checkpoint"),
    forked_log: (5, "log_forked", PROOF),
    checkpoint_of_another_log: (5, "other_log", PROOF),
    wrong_cosignature: (7, "checkpoint_invalid", PROOF),
    back_dated_token: (8, "timestamp_invalid", TOKEN),
    token_of_another_checkpoint: (8, "timestamp_invalid", TOKEN),
    token_that_is_none: (8, "timestamp_invalid", TOKEN),
    token_altered: (8, "timestamp_invalid", TOKEN),
    earlier_time_in_packet_json: (8, "time_overstated", "packet.json"),
    time_that_nothing_shows: (8, "time_overstated", "packet.json"),
    log_time_called_independent: (8, "class_overstated", "packet.json"),
    earlier_cosignature_in_packet_json: (8, "time_overstated", "packet.json"),
    received_after_it_was_stamped: (10, "times_disagree", TOKEN),
    received_after_the_packet_was_made: (10, "times_disagree", "packet.json"),
    better_class_than_the_authority_has: (8, "class_overstated", "packet.json"),
}
