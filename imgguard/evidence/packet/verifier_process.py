"""The process that verifies one packet: ``python -P -s -m imgguard.evidence.packet.verifier_process LIFELINE REQUEST``.

Started by `imgguard.evidence.packet.sandbox` only. The packet is the file on its standard input, which is mapped and
never read as a whole; the answer goes to the file on its standard output. LIFELINE is the number of a pipe whose other
end the parent holds, REQUEST a `Request` as JSON. The trust file is parsed here too, since it is a stranger's.
"""

import os
import signal
import sys

from imgguard.errors import ConfigurationError
from imgguard.evidence.packet import verifier_wire as wire
from imgguard.evidence.packet.verifying.reading import trust_in, verify_file
from imgguard.evidence.packet.verifying.steps import Level, VerificationReport
from imgguard.imaging.confinement import confine, limit_cpu
from imgguard.imaging.lifeline import die_with_parent
from imgguard.provenance.trust import Trust

_PACKET, _ANSWER = 0, 1


def main() -> None:
    """Verify, answer, and end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(sys.argv[1]))
    request = wire.Request.from_json(sys.argv[2])
    confine(memory_bytes=request.memory_bytes + os.fstat(_PACKET).st_size, file_bytes=wire.MOST_BYTES)
    os.write(_ANSWER, wire.READY)
    limit_cpu(request.seconds)
    _write(wire.reply(_outcome(request)))


def _outcome(request: wire.Request) -> VerificationReport | str:
    try:
        trust = None if request.trust_file is None else _trust(request.trust_file)
        with open(_PACKET, "rb", closefd=False) as packet:
            return verify_file(packet, trust=trust, level=Level(request.level))
    except ConfigurationError as error:  # all of them are about the trust file
        return error.detail


def _trust(number: int) -> Trust:
    with open(number, "rb", closefd=False) as file:
        file.seek(0)
        return trust_in(file, name="the trust file")


def _write(data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(_ANSWER, rest) :]


if __name__ == "__main__":
    main()
