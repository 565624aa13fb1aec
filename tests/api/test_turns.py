"""Turns: so many at a time, and so many of them for one organisation."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from imgguard.api.turns import Turns
from imgguard.errors import Overloaded

pytestmark = pytest.mark.anyio
PATIENCE = 0.05


def turns(most: int = 3, each: int = 2) -> Turns:
    return Turns(most, each=each, busy="too much at once")


async def test_no_more_for_one_than_it_may_have() -> None:
    found = turns()
    async with AsyncExitStack() as taken:
        for _ in range(2):
            await taken.enter_async_context(found.turn("one", patience=PATIENCE))
        with pytest.raises(Overloaded, match="too much at once"):
            await taken.enter_async_context(found.turn("one", patience=PATIENCE))
        await taken.enter_async_context(found.turn("other", patience=PATIENCE))


async def test_no_more_in_all_than_there_are() -> None:
    found = turns()
    async with AsyncExitStack() as taken:
        for name in ("one", "two", "three"):
            await taken.enter_async_context(found.turn(name, patience=PATIENCE))
        with pytest.raises(Overloaded):
            await taken.enter_async_context(found.turn("four", patience=PATIENCE))
    async with found.turn("four", patience=PATIENCE):
        pass


async def test_who_waits_in_vain_takes_nothing() -> None:
    found = turns(most=1, each=1)
    async with found.turn("one", patience=PATIENCE):
        for name in ("one", "two"):
            with pytest.raises(Overloaded):
                async with found.turn(name, patience=PATIENCE):
                    pytest.fail("two have their turn at the same time")
    for name in ("one", "two"):
        async with found.turn(name, patience=PATIENCE):
            pass


async def test_who_waits_for_their_own_holds_up_nobody() -> None:
    found = turns(most=2, each=1)
    async with found.turn("one", patience=PATIENCE):
        waiting = [asyncio.ensure_future(found.turn("one", patience=1).__aenter__()) for _ in range(5)]
        await asyncio.sleep(0)
        async with found.turn("other", patience=PATIENCE):
            pass
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    async with found.turn("one", patience=PATIENCE):
        pass


async def test_a_turn_ends_with_what_goes_wrong_in_it() -> None:
    found = turns(most=1, each=1)
    with pytest.raises(ValueError, match="in it"):
        async with found.turn("one", patience=PATIENCE):
            raise ValueError("in it")
    async with found.turn("one", patience=PATIENCE):
        pass
    assert not found._own  # organisations are not kept
