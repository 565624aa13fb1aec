"""Handlers that decode nothing: the bytes of an item say what is to happen to it."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from imgguard.bootstrap import Services
from imgguard.errors import CorruptImage, StoreUnavailable
from imgguard.registry.access import Actor
from imgguard.worker.inputs import Handlers, ItemInput


def make(services: Services) -> Handlers:
    def check(actor: Actor, given: ItemInput, options: Mapping[str, object]) -> Mapping[str, object]:
        word, _, argument = given.data.decode().partition(" ")
        _note(options, f"{given.file} begun")
        if word == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "await":  # a file, which the test makes or does not
            _note(options, "waiting")
            while not Path(argument).exists():
                time.sleep(0.01)
        elif word == "corrupt":
            raise CorruptImage("cut short")
        elif word == "bug":
            raise ValueError("/home/ann/secret.jpg")
        elif word == "unreadable":
            raise StoreUnavailable("the disk is full")
        elif word == "no-json":
            return {"result": object()}
        elif word == "print":
            print("noise on the standard output", flush=True)
        elif word == "grow":
            keep.append(bytearray(os.urandom(1) * int(argument)))
        return {"saw": given.data.decode(), "member_id": actor.member_id, "pid": os.getpid()}

    keep: list[bytearray] = []
    return {"check": check}


def broken(services: Services) -> Handlers:
    raise StoreUnavailable("there is no model")


def _note(options: Mapping[str, object], line: str) -> None:
    """One line in the file that the options name; short enough to be whole when several processes write."""
    if "notes" in options:
        with Path(str(options["notes"])).open("a") as file:
            file.write(f"{line}\n")
