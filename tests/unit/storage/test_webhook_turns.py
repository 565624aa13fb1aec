"""Whose messages are sent next, when more wait than can be sent."""

from collections import Counter

from imgguard.ports import Slots
from imgguard.storage.sql.webhook_turns import Due, chosen

SLOTS = Slots(limit=4, troubled=2, of_each=2)


def due(organisation: str, count: int, *, is_troubled: bool = False) -> list[Due]:
    return [
        Due(
            delivery_id=f"msg_{organisation}_{number}",
            webhook_id=f"whk_{organisation}_{number}",
            organisation_id=organisation,
            is_troubled=is_troubled,
        )
        for number in range(count)
    ]


def owners(picked: list[Due]) -> Counter[str]:
    return Counter(one.organisation_id for one in picked)


def test_one_of_each_before_two_of_any() -> None:
    waiting = [*due("many", 20), *due("a", 1), *due("b", 1), *due("c", 1)]
    for _ in range(50):
        assert owners(chosen(waiting, {}, SLOTS)) == {"many": 1, "a": 1, "b": 1, "c": 1}
    assert owners(chosen([*due("many", 20), *due("a", 1)], {}, SLOTS)) == {"many": 2, "a": 1}


def test_what_is_under_way_counts() -> None:
    waiting = [*due("many", 20), *due("a", 5)]
    assert owners(chosen(waiting, {"many": 2}, SLOTS)) == {"a": 2}
    assert chosen(waiting, {"many": 2, "a": 3}, SLOTS) == []
    one = Slots(limit=1, troubled=1, of_each=2)
    for _ in range(50):
        assert owners(chosen(waiting, {"many": 1}, one)) == {"a": 1}


def test_no_more_to_those_in_trouble_than_their_share() -> None:
    waiting = [one for name in "abcde" for one in due(name, 2, is_troubled=True)]
    assert len(chosen(waiting, {}, SLOTS)) == 2
    assert chosen(waiting, {}, Slots(limit=4, troubled=0, of_each=2)) == []
    assert owners(chosen([*waiting, *due("f", 1)], {}, SLOTS))["f"] == 1


def test_webhooks_and_organisations_are_drawn_by_lot() -> None:
    one = Slots(limit=1, troubled=1, of_each=2)
    waiting = [*due("many", 9), *due("a", 1)]
    drawn = [chosen(waiting, {}, one)[0] for _ in range(400)]
    assert 120 < owners(drawn)["a"] < 280
    assert len({found.webhook_id for found in drawn if found.organisation_id == "many"}) == 9


def test_twenty_slow_webhooks_of_one_organisation_keep_another_waiting_for_nothing() -> None:
    busy: dict[Due, int] = {}
    for second in range(300):
        busy = {one: ends for one, ends in busy.items() if ends > second}
        waiting = [one for one in due("attacker", 20) if one not in busy]
        victims = due("victim", 1)
        under_way = owners(list(busy))
        slots = Slots(limit=4 - len(busy), troubled=2, of_each=2)
        picked = chosen([*waiting, *victims], under_way, slots)
        assert victims[0] in picked
        busy |= {one: second + 15 for one in picked if one.organisation_id == "attacker"}
