"""A witness in a folder, and how to ask it without a network."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
from small_log import LOG, SECONDS

from imgguard.provenance.notes import VerifierKey
from imgguard.witness.app import create_app
from imgguard.witness.home import open_home
from imgguard.witness.witness import Witness

NAME = "witness.example.org"


class Clock:
    def __init__(self) -> None:
        self.seconds = float(SECONDS)

    def __call__(self) -> float:
        return self.seconds


def witness_in(folder: Path, keys: Sequence[VerifierKey] = (LOG.key,), clock: Clock | None = None) -> Witness:
    return Witness(open_home(folder, NAME), keys, seconds=clock or Clock())


def ask(
    witness: Witness,
    body: bytes | AsyncIterator[bytes] = b"",
    *,
    method: str = "POST",
    path: str = "/add-checkpoint",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(witness), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:
            return await client.request(method, path, content=body, headers=headers)

    return asyncio.run(request())
