"""The JSON of `POST /v1/packets/verify`. What it says is decided in `imgguard.evidence.packet.verifying`; here it gets
its name and an example."""

from typing import Any

from pydantic import ConfigDict

from imgguard.evidence.packet import verifier_wire

_STEPS: Any = [
    {
        "number": 1,
        "name": "the ZIP is in its one form",
        "result": "passed",
        "reason": None,
        "detail": "24 files",
        "file": None,
    },
    {
        "number": 6,
        "name": "the checkpoint is signed by a log of the trust file",
        "result": "not checked",
        "reason": "no_trust",
        "detail": "there is no trust file that says which log to believe",
        "file": None,
    },
]


class PacketVerification(verifier_wire.PacketReport):
    """What holds of a packet, by the trust file that came with it. The example has two of the ten steps."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "version": 1,
                    "packet_id": "pkt_01jv8m2k4n6p8r0t2v4x6z8a0b",
                    "packet_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "level_asked": "timestamped",
                    "level_reached": "integrity",
                    "holds": False,
                    "origin_verified": False,
                    "steps": _STEPS,
                    "proven": ["No byte of this packet has changed since it was sealed by Example Operator."],
                    "not_proven": ["Who made this packet, that a log has its records, and since when they exist."],
                }
            ]
        },
    )
