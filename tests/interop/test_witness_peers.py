"""Our client and another witness, another client and our witness, and what others say of our cosigned checkpoint.

aics-witness is a witness and a client by other people, after the same text; aics-tlog and tlog-scales verify. A test
fails where its peer is not installed.
"""

import threading
from collections.abc import Iterator
from importlib import import_module
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from growing_log import GrowingLog
from small_log import LOG, ORIGIN, key
from witnesses import ask, witness_in

from imgguard.errors import WitnessRefused, WitnessSizeDiffers
from imgguard.net.policy import FetchPolicy
from imgguard.net.witnessing import RemoteWitness
from imgguard.provenance.notes import VerifierKey, parse_note
from imgguard.services.cosigning import collect_cosignatures

pytestmark = pytest.mark.interop

GROWING = GrowingLog(20)
FORK = GrowingLog(20, others=4)


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[RemoteWitness]:
    """Their witness, asked by our client over a socket."""
    aics = import_module("aics_tlog")
    peer = import_module("aics_witness")
    store = peer.WitnessStore(tmp_path / "theirs.sqlite3", create=True)
    log = peer.LogConfig(origin=ORIGIN, vkeys=(aics.parse_vkey(LOG.key.text),))
    witness = peer.Witness("theirs.example.org", key("theirs"), store, [log])
    server = peer.make_server(witness)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    policy = FetchPolicy(seconds=10, allowed_networks=(IPv4Network("127.0.0.0/8"),))
    yield RemoteWitness("theirs", server.url, VerifierKey.parse(witness.vkey_text), policy)
    server.shutdown()
    thread.join(10)
    server.server_close()
    store.close()


def test_their_witness_cosigns_what_our_client_sends(theirs: RemoteWitness) -> None:
    for size in (3, 8, 8, 20):
        outcome = collect_cosignatures(GROWING.note(size), [LOG.key], [theirs], GROWING.proof, seconds=20)
        assert outcome.failures == ()
        assert outcome.signed == (theirs.key,)


def test_their_refusals_are_understood(theirs: RemoteWitness) -> None:
    note = parse_note(GROWING.note(18))
    theirs.cosign(note, old_size=0, proof=())
    with pytest.raises(WitnessSizeDiffers) as caught:
        theirs.cosign(parse_note(GROWING.note(20)), old_size=3, proof=GROWING.proof(3, 20))
    assert caught.value.size == 18
    with pytest.raises(WitnessRefused):
        theirs.cosign(parse_note(FORK.note(20)), old_size=18, proof=FORK.proof(18, 20))
    with pytest.raises(WitnessRefused):
        theirs.cosign(parse_note(FORK.note(18)), old_size=18, proof=())


def test_others_verify_a_checkpoint_that_our_witness_cosigned(tmp_path: Path) -> None:
    witness = witness_in(tmp_path)
    line = ask(witness, GROWING.submission(0, 20)).content
    cosigned = GROWING.note(20) + line
    aics: Any = import_module("aics_tlog")
    log_key, witness_key = (aics.parse_vkey(one.text) for one in (LOG.key, witness.key))
    found = aics.verify_checkpoint(aics.parse_note(cosigned), log_key, [witness_key], quorum=1)
    assert (found.ok, found.size, found.witnesses) == (True, 20, [witness.key.name]), found.error
    scales: Any = import_module("tlog_scales.tlog")
    signing: Any = import_module("tlog_scales.signing")
    checkpoint = scales.Checkpoint.from_text(cosigned.decode())
    for vkey in (LOG.key, witness.key):
        checkpoint.verify(signing.Vkey.from_string(vkey.text))


def test_their_client_is_served_by_our_witness(tmp_path: Path) -> None:
    """Their parser of our answers; the bytes go from hand to hand."""
    aics: Any = import_module("aics_tlog")
    peer: Any = import_module("aics_witness")
    protocol: Any = import_module("aics_witness.protocol")
    witness = witness_in(tmp_path)
    answer = ask(witness, GROWING.submission(0, 8))
    merged = peer.merge_cosignatures(GROWING.note(8), answer.text)
    log_key, witness_key = (aics.parse_vkey(one.text) for one in (LOG.key, witness.key))
    assert aics.verify_checkpoint(aics.parse_note(merged), log_key, [witness_key], quorum=1).ok
    parsed = protocol.parse_add_checkpoint_request(GROWING.submission(8, 20))
    assert parsed.old_size == 8
    conflict = ask(witness, GROWING.submission(0, 20))
    assert protocol.parse_size_body(conflict.content) == 8
