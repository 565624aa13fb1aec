"""Comparers that look at no picture: the bytes of the query say what is to happen."""

import os
import signal
import time
from pathlib import Path

from imgguard.bootstrap import Services
from imgguard.errors import CorruptImage, WeightsUnavailable
from imgguard.services.comparison import Compared
from imgguard.services.contract import CompareLine
from imgguard.verdict.finding import Verdict


class Light:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: list[bytearray] = []

    def compare(self, query: bytes, reference: bytes, *, file: str, reference_file: str, profile: str) -> Compared:
        word, _, argument = query[:200].decode("utf-8", "replace").partition(" ")
        if word == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "await":  # a file, which the test makes or does not
            Path(f"{argument}.begun").touch()
            while not Path(argument).exists():
                time.sleep(0.01)
        elif word == "corrupt":
            raise CorruptImage("cut short", hint="another one")
        elif word == "bug":
            raise ValueError("/home/ann/secret.jpg")
        elif word == "print":
            print("noise on the standard output", flush=True)
        elif word == "grow":
            self._kept.append(bytearray(os.urandom(1) * int(argument)))
        elif word == "babble":
            os.write(0, b"\xff" * 64)
        elif word == "boast":
            profile = "x" * 2_000_000
        # The line has no room for a number, so what the test asks for stands among the reasons.
        said = [str(os.getpid()), profile, str(len(query)), str(len(reference)), *self._opened()]
        return Compared(line=_line(file, reference_file, said), undrawn=None)

    def _opened(self) -> list[str]:
        """Which of what a comparison does not need was made."""
        return [name for name in ("database", "index") if name in vars(self._services)]


def _line(file: str, reference_file: str, said: list[str]) -> CompareLine:
    return CompareLine(
        file=file,
        reference_file=reference_file,
        sha256=None,
        reference_sha256=None,
        verdict=Verdict.NO_MATCH,
        reasons=said,
        match=None,
        weights=None,
        calibration=None,
        timings_ms=None,
        error=None,
    )


def make(services: Services) -> Light:
    return Light(services)


def broken(services: Services) -> Light:
    raise WeightsUnavailable("there is no model")


def crashing(services: Services) -> Light:
    raise SystemExit(7)
