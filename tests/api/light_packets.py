"""Packets that say what was asked for, and are nothing else: for tests of what happens around them."""

import io
import os
import signal
import time
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import packets as samples

from imgguard.bootstrap import Services
from imgguard.errors import InvalidTransition
from imgguard.evidence.packet.model import Purpose, packet_json
from imgguard.registry.access import Actor
from imgguard.registry.ids import new_id
from imgguard.services.packet_making import PacketMaking
from imgguard.services.packets import Packets
from imgguard.worker.frames import frame


class LightPackets(Packets):
    """On whose behalf it is says what is to happen, if that is one of the words below."""

    def __init__(self) -> None:
        pass

    def build(
        self,
        ids: Sequence[str],
        *,
        purpose: Purpose,
        on_behalf_of: str | None = None,
        with_originals: bool = True,
        viewer: Actor | None = None,
    ) -> bytes:
        _obey(on_behalf_of or "")
        references = [samples.reference(reference_id=one) for one in ids if one.startswith("ref_")]
        findings = [
            samples.finding(finding_id=one, reference_id=references[0]["reference_id"] if references else None)
            for one in ids
            if one.startswith("fnd_")
        ]
        packet, _ = samples.packet_of(
            references,
            findings,
            packet_id=new_id("pkt"),
            created_at=datetime.now(UTC).replace(microsecond=0),
            purpose=purpose,
            on_behalf_of=on_behalf_of,
        )
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("packet.json", packet_json(packet))
        return buffer.getvalue()


def _obey(word: str) -> None:
    word, _, argument = word.partition(" ")
    if word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "await":  # a file, which the test makes or does not
        Path(f"{argument}.begun").touch()
        while not Path(argument).exists():
            time.sleep(0.01)
    elif word == "bug":
        raise ValueError("/home/ann/secret.jpg")
    elif word == "erased":
        raise InvalidTransition("it was erased", hint="leave it out")
    elif word == "babble":
        _tell(b"\xff" * 64)
    elif word == "boast":
        _tell(frame(b'{"packet_id": "../../etc/passwd"}'))
    elif word == "print":
        print("noise on the standard output", flush=True)


def _tell(data: bytes) -> None:
    """As if that was the answer."""
    os.write(0, data)
    time.sleep(60.0)


def make(services: Services) -> PacketMaking:
    """In a process of its own."""
    services.packets = LightPackets()
    made = services.packet_maker
    assert isinstance(made, PacketMaking)
    return made


def crashing(services: Services) -> PacketMaking:
    raise SystemExit(7)
