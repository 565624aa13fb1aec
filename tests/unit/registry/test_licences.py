"""How a use stands to licences, and how licences change: what holds for all of them, and each case once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgguard.errors import InputError, InvalidTransition
from imgguard.registry.licences import (
    TERRITORIES,
    Because,
    Holder,
    Licence,
    LicenceStanding,
    LicenceStatus,
    Use,
    can_be_taken_up,
    extended,
    is_keyword,
    revoked,
    standing_of,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
HERE = Use(platform="aliexpress", territory="DE", shop="Blue Shop", kind="listing")
LICENSED, OUT_OF_SCOPE = LicenceStatus.LICENSED, LicenceStatus.OUT_OF_SCOPE
EXPIRED, NONE = LicenceStatus.EXPIRED, LicenceStatus.NONE
WORST_FIRST = [NONE, EXPIRED, OUT_OF_SCOPE, LICENSED]

OPEN = Licence(
    licence_id="lic_1",
    organisation_id="org_licensor",
    licensor="Ann's",
    licensee_id="org_licensee",
    licensee="Bob's",
    shop=None,
    by_link=False,
    work_ids=None,
    uses=frozenset(),
    platforms=frozenset(),
    territories=frozenset(),
    starts_at=START,
    ends_at=START + 10 * DAY,
    note="",
    created_at=START,
    revoked_at=None,
    reminded_at=None,
    revision=1,
)
FOR_SHOP = replace(OPEN, licensee_id=None, licensee=None, shop="Blue Shop")
BY_LINK = replace(OPEN, licensee_id=None, licensee=None, by_link=True)

# Few values of each, so that they meet.
times = st.sampled_from([START + days * DAY for days in range(-2, 6)])
words = st.sampled_from(["aliexpress", "ebay", "listing"])
places = st.sampled_from(["DE", "FR"])
works = st.sampled_from(["wrk_1", "wrk_2"])
shops = st.sampled_from(["Blue Shop", "Red Shop"])
limits = st.sampled_from([frozenset[str](), frozenset({"aliexpress"}), frozenset({"listing", "ebay"})])
terms = st.sampled_from(
    [(START + start * DAY, length and START + (start + length) * DAY) for start in range(3) for length in (None, 1, 3)]
)
uses = st.builds(
    Use, platform=st.none() | words, territory=st.none() | places, shop=st.none() | shops, kind=st.none() | words
)


def licence(number: int, to: str | None, term: tuple[datetime, datetime | None], **limits: Any) -> Licence:
    return replace(
        OPEN,
        licence_id=f"lic_{number}",
        licensee_id="org_licensee" if to is None else None,
        shop=to,
        starts_at=term[0],
        ends_at=term[1],
        **limits,
    )


licences = st.builds(
    licence,
    number=st.integers(0, 9),
    to=st.none() | shops,
    term=terms,
    work_ids=st.sampled_from([None, frozenset[str](), frozenset({"wrk_1"}), frozenset({"wrk_1", "wrk_2"})]),
    uses=limits,
    platforms=limits,
    territories=st.sampled_from([frozenset[str](), frozenset({"DE"})]),
    revoked_at=st.sampled_from([None, None, START]),
)
some = st.lists(licences, max_size=3)
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def stands(*held: Licence, use: Use = HERE, at: datetime = START + DAY, work_id: str = "wrk_1") -> LicenceStanding:
    return standing_of(held, work_id=work_id, use=use, at=at)


class TestWhatAlwaysHolds:
    @unhurried
    @given(some, works, uses, times)
    def test_licensed_means_that_one_licence_allows_all_of_it(
        self, held: list[Licence], work_id: str, use: Use, at: datetime
    ) -> None:
        standing = standing_of(held, work_id=work_id, use=use, at=at)
        allowing = [
            licence
            for licence in held
            if (licence.work_ids is None or work_id in licence.work_ids)
            and licence.revoked_at is None
            and licence.starts_at <= at
            and (licence.ends_at is None or at < licence.ends_at)
            and (not licence.platforms or use.platform in licence.platforms)
            and (not licence.territories or use.territory in licence.territories)
            and (not licence.uses or use.kind in licence.uses)
            and (licence.shop is None or use.shop == licence.shop)
        ]
        assert (standing.status is LICENSED) == bool(allowing)
        assert (standing.because == ()) == (standing.status is LICENSED or not held)
        if allowing:
            assert standing.licence_id in {licence.licence_id for licence in allowing}
            ends = [licence.ends_at for licence in allowing]
            assert standing.ends_at == (None if None in ends else max(end for end in ends if end is not None))

    @unhurried
    @given(some, licences, works, uses, times)
    def test_a_further_licence_never_worsens_it(
        self, held: list[Licence], more: Licence, work_id: str, use: Use, at: datetime
    ) -> None:
        before = standing_of(held, work_id=work_id, use=use, at=at)
        after = standing_of([*held, more], work_id=work_id, use=use, at=at)
        assert WORST_FIRST.index(after.status) >= WORST_FIRST.index(before.status)
        if before.status is after.status is LICENSED and before.ends_at is None:
            assert after.ends_at is None

    @unhurried
    @given(some, works, uses, times)
    def test_their_order_does_not_matter(self, held: list[Licence], work_id: str, use: Use, at: datetime) -> None:
        distinct = list({licence.licence_id: licence for licence in held}.values())
        assert standing_of(distinct, work_id=work_id, use=use, at=at) == standing_of(
            reversed(distinct), work_id=work_id, use=use, at=at
        )

    @unhurried
    @given(licences, works, uses, times)
    def test_silence_is_never_more_than_saying_something(
        self, licence: Licence, work_id: str, use: Use, at: datetime
    ) -> None:
        silent = standing_of([licence], work_id=work_id, use=Use(), at=at)
        said = standing_of([licence], work_id=work_id, use=use, at=at)
        if silent.status is LICENSED:
            assert said.status is LICENSED


class TestTheTerm:
    @pytest.mark.parametrize(
        ("at", "status", "because"),
        [
            (START - TICK, OUT_OF_SCOPE, ("not_started",)),
            (START, LICENSED, ()),
            (START + 10 * DAY - TICK, LICENSED, ()),
            (START + 10 * DAY, EXPIRED, ("ended",)),
        ],
    )
    def test_starts_inclusive_and_ends_exclusive(
        self, at: datetime, status: LicenceStatus, because: tuple[str, ...]
    ) -> None:
        standing = stands(OPEN, at=at)
        assert (standing.status, standing.because) == (status, because)
        assert (standing.licence_id, standing.ends_at) == ("lic_1", OPEN.ends_at)

    def test_without_end(self) -> None:
        standing = stands(replace(OPEN, ends_at=None), at=START + 10_000 * DAY)
        assert (standing.status, standing.ends_at) == (LICENSED, None)

    @pytest.mark.parametrize("at", [START, START + 4 * DAY, START + 20 * DAY])
    def test_revoked_is_expired_at_any_time(self, at: datetime) -> None:
        standing = stands(revoked(OPEN, at=START + 2 * DAY), at=at)
        assert (standing.status, standing.because) == (EXPIRED, ("revoked",))
        assert standing.ends_at == START + 2 * DAY

    def test_revoked_after_its_end(self) -> None:
        assert stands(revoked(OPEN, at=START + 99 * DAY)).ends_at == OPEN.ends_at


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "code", "elsewhere", "silent"),
        [
            ({"platforms": frozenset({"aliexpress"})}, "platform", {"platform": "ebay"}, {"platform": None}),
            ({"territories": frozenset({"DE", "FR"})}, "territory", {"territory": "GB"}, {"territory": ""}),
            ({"uses": frozenset({"listing"})}, "use", {"kind": "advertising"}, {"kind": None}),
            ({"licensee_id": None, "shop": "Blue Shop"}, "shop", {"shop": "Red Shop"}, {"shop": None}),
        ],
    )
    def test_are_met_or_named(
        self, limits: dict[str, object], code: str, elsewhere: dict[str, str], silent: dict[str, str | None]
    ) -> None:
        limited = replace(OPEN, **limits)  # type: ignore[arg-type]
        assert stands(limited).status is LICENSED
        for other in (elsewhere, silent):
            standing = stands(limited, use=replace(HERE, **other))
            assert (standing.status, standing.because) == (OUT_OF_SCOPE, (code,))
            assert standing.licence_id == "lic_1"
            over = stands(limited, use=replace(HERE, **other), at=START + 30 * DAY)
            assert (over.status, over.because) == (EXPIRED, ("ended", code))

    def test_how_it_is_written_does_not_matter(self) -> None:
        limited = replace(FOR_SHOP, platforms=frozenset({"aliexpress"}), territories=frozenset({"DE"}))
        said = Use(platform=" AliExpress ", territory="de", shop=" BLUE  shop")
        assert stands(limited, use=said).status is LICENSED

    def test_other_works(self) -> None:
        other = replace(OPEN, work_ids=frozenset({"wrk_2"}))
        assert stands(other) == LicenceStanding(status=NONE, licence_id=None, ends_at=None, because=(Because.WORK,))
        assert stands(other, work_id="wrk_2").status is LICENSED
        assert stands(replace(OPEN, work_ids=frozenset())).status is NONE
        assert stands() == LicenceStanding(status=NONE, licence_id=None, ends_at=None, because=())

    def test_of_an_erased_reference_nothing_is_known(self) -> None:
        limited = replace(OPEN, work_ids=frozenset({"wrk_1"}))
        assert standing_of([limited], work_id=None, use=HERE, at=START).status is NONE


class TestTheBestWins:
    WIDE = replace(OPEN, licence_id="lic_wide")
    LATE = replace(OPEN, licence_id="lic_late", ends_at=START + 20 * DAY)
    ENDLESS = replace(OPEN, licence_id="lic_endless", ends_at=None)
    ENDED = replace(OPEN, licence_id="lic_ended", ends_at=START + TICK)
    ELSEWHERE = replace(OPEN, licence_id="lic_elsewhere", platforms=frozenset({"ebay"}))
    FAR = replace(ELSEWHERE, licence_id="lic_far", territories=frozenset({"US"}), ends_at=None)
    OTHER = replace(OPEN, licence_id="lic_other", work_ids=frozenset({"wrk_9"}))

    def test_step_by_step(self) -> None:
        steps = [self.OTHER, self.ENDED, self.FAR, self.ELSEWHERE, self.WIDE, self.LATE, self.ENDLESS]
        winners = [stands(*steps[:count]) for count in range(1, len(steps) + 1)]
        assert [standing.licence_id for standing in winners] == [
            *(None, "lic_ended", "lic_far", "lic_elsewhere", "lic_wide", "lic_late", "lic_endless")
        ]
        ranks = [WORST_FIRST.index(standing.status) for standing in winners]
        assert all(one <= other for one, other in pairwise(ranks))


class TestChanges:
    def test_revoking_twice(self) -> None:
        once = revoked(OPEN, at=START)
        assert once == replace(OPEN, revoked_at=START, revision=2)
        assert revoked(once, at=START + DAY) == once

    def test_extending(self) -> None:
        told = replace(OPEN, reminded_at=START)
        later = extended(told, START + 11 * DAY)
        assert later == replace(told, ends_at=START + 11 * DAY, reminded_at=None, revision=2)
        assert extended(told, told.ends_at) == told
        assert extended(later, None).ends_at is None
        for licence, ends_at in ((told, START + 9 * DAY), (replace(told, ends_at=None), START + 99 * DAY)):
            with pytest.raises(InputError, match="shortened"):
                extended(licence, ends_at)
        with pytest.raises(InvalidTransition, match="revoked"):
            extended(revoked(told, at=START), None)

    def test_taking_a_link_up(self) -> None:
        assert can_be_taken_up(BY_LINK, "org_2", at=START - DAY)
        holder = Holder(organisation_id="org_2", name="Carl's", accepted_at=START)
        taken = replace(BY_LINK, holders=(holder,))
        assert taken.holder_ids == {"org_2"}
        assert not can_be_taken_up(taken, "org_2", at=START + 99 * DAY)
        assert can_be_taken_up(taken, "org_3", at=START)
        for refused, who, at in (
            (BY_LINK, "org_licensor", START),
            (BY_LINK, "org_2", START + 10 * DAY),
            (revoked(taken, at=START), "org_2", START),
        ):
            with pytest.raises(InvalidTransition):
                can_be_taken_up(refused, who, at=at)

    def test_one_shop_is_run_by_one(self) -> None:
        assert can_be_taken_up(FOR_SHOP, "org_2", at=START)
        taken = replace(FOR_SHOP, holders=(Holder(organisation_id="org_2", name="Carl's", accepted_at=START),))
        with pytest.raises(InvalidTransition, match="a licensee already"):
            can_be_taken_up(taken, "org_3", at=START)
        with pytest.raises(InvalidTransition, match="a licensee already"):
            can_be_taken_up(OPEN, "org_3", at=START)

    def test_state(self) -> None:
        at = [START - TICK, START, START + 10 * DAY]
        assert [OPEN.state(when) for when in at] == ["not_started", "valid", "ended"]
        assert {revoked(OPEN, at=START + 5 * DAY).state(when) for when in at} == {"revoked"}
        assert (OPEN.over_at, replace(OPEN, ends_at=None).over_at) == (OPEN.ends_at, None)


class TestWords:
    def test_territories_are_those_of_the_standard(self) -> None:
        assert len(TERRITORIES) == 249
        assert all(len(code) == 2 and code.isupper() for code in TERRITORIES)
        assert "GB" in TERRITORIES
        assert not TERRITORIES & {"UK", "EU", "XX"}

    @pytest.mark.parametrize("word", ["listing", "a-b_c1", "7"])
    def test_keywords(self, word: str) -> None:
        assert is_keyword(word)

    @pytest.mark.parametrize("word", ["", "two words", "a\u00a0b", "ä", "-", "x" * 65, "a\n"])
    def test_no_keywords(self, word: str) -> None:
        assert not is_keyword(word)
