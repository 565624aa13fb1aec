"""In place of the process that verifies: the same, but that it obeys what the packet says."""

import os
import signal
import time
from typing import IO

from imgguard.errors import ConfigurationError
from imgguard.evidence.packet import verifier_process
from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.evidence.packet.verifying.steps import Level, VerificationReport
from imgguard.provenance.trust import Trust

_ANSWER = 1


def obey(packet: IO[bytes], *, trust: Trust | None, level: Level) -> VerificationReport:
    packet.seek(0)
    word, _, argument = packet.read(200).decode("latin-1").partition(" ")
    match word:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleep":
            time.sleep(60)
        case "spin":
            while True:
                pass
        case "grow":
            bytearray(int(argument))
        case "boast":
            os.write(_ANSWER, b"x" * int(argument))
        case "babble":
            os.write(_ANSWER, b'{"report": {"holds": true}}')
            os._exit(0)
        case "bug":
            raise KeyError("/home/ann/secret")
        case "open":
            for number in range(1000):
                os.dup(number % 3)
        case "environment":
            raise ConfigurationError(",".join(sorted(os.environ)))
    return verify_packet(b"", trust=trust, level=level)


verifier_process.verify_file = obey
verifier_process.main()
