"""Token buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgguard.api import limits
from imgguard.api.limits import Buckets, Policy


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_quota_can_be_used_at_once_and_fills_up_again() -> None:
    time = Time()
    buckets = Buckets(Policy(name="default", quota=60), seconds=time)
    assert all(buckets.take("a").is_admitted for _ in range(60))
    refused = buckets.take("a")
    assert not refused.is_admitted
    assert refused.retry_after == pytest.approx(1)
    assert refused.full_after == pytest.approx(60)
    assert buckets.take("b").is_admitted
    time.seconds = 1.001
    assert buckets.take("a").is_admitted
    assert not buckets.take("a").is_admitted


def test_the_fields() -> None:
    buckets = Buckets(Policy(name="default", quota=120), seconds=Time())
    allowance = buckets.take("a")
    assert allowance.policy.field == '"default";q=120;w=60'
    assert allowance.field == '"default";r=119;t=1'


def test_what_has_filled_up_is_forgotten() -> None:
    time = Time()
    buckets = Buckets(Policy(name="default", quota=1), seconds=time)
    for number in range(100):
        buckets.take(str(number))
    time.seconds = 60
    for number in range(60):
        buckets.take(f"other {number}")
    assert len(buckets) == 60


def test_strangers_cannot_fill_the_memory(monkeypatch) -> None:
    monkeypatch.setattr(limits, "_MOST_SUBJECTS", 10)
    buckets = Buckets(Policy(name="default", quota=1), seconds=Time())
    for number in range(100):
        buckets.take(str(number))
    assert len(buckets) == 10
    assert not buckets.take("99").is_admitted


@given(
    quota=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 90), min_size=1, max_size=200),
)
def test_never_more_than_the_quota_and_what_has_flowed_in(quota: int, pauses: list[float]) -> None:
    time = Time()
    buckets = Buckets(Policy(name="default", quota=quota), seconds=time)
    admitted = 0
    for pause in pauses:
        time.seconds += pause
        allowance = buckets.take("a")
        admitted += allowance.is_admitted
        assert 0 <= allowance.remaining < quota
        assert allowance.is_admitted == (allowance.retry_after == 0)
        assert admitted <= quota + time.seconds * quota / 60 + 1e-6
