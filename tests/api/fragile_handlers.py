"""The handlers of the workers, which besides obey what stands in place of a picture."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from imgguard.bootstrap import Services
from imgguard.registry.access import Actor
from imgguard.worker import handlers
from imgguard.worker.inputs import Handlers, ItemInput


def make(services: Services) -> Handlers:
    real = handlers.make(services)

    def check(actor: Actor, given: ItemInput, options: Mapping[str, object]) -> Mapping[str, object]:
        word, _, argument = given.data[:200].partition(b" ")
        if word == b"kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == b"await":  # a file, which the test makes
            while not Path(argument.decode()).exists():
                time.sleep(0.01)
        elif word == b"bug":
            raise ValueError("/home/ann/secret.jpg")
        return real["check"](actor, given, options)

    return {**real, "check": check}
