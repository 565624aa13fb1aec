"""Licences: who may use which works, where, for what and for how long; and how that stands for one use at one time.

A licence goes to exactly one of: an organisation, a named shop, everyone who was given a link. Those who may use it are
its holders: the organisation; the one that the licensor confirmed to run the shop; those that took the link up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from imgguard.errors import InputError, InvalidTransition
from imgguard.registry.names import composed

LONGEST_KEYWORD = 64

_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA
    CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA
    GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS
    MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS
    RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW
    TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""

TERRITORIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2. A code that is none (``UK``) would be a limit that no listing ever meets."""

_NEVER = datetime.max.replace(tzinfo=UTC)


class LicenceStatus(StrEnum):
    """How a use stands to the licences that the asker holds."""

    LICENSED = "licensed"
    OUT_OF_SCOPE = "out_of_scope"  # a licence covers the work, but not this use of it, or not yet
    EXPIRED = "expired"  # a licence covered the work, and has ended or was revoked
    NONE = "none"


class Because(StrEnum):
    """Why a use is not licensed. Codes are stable; they come in this order."""

    REVOKED = "revoked"
    ENDED = "ended"
    NOT_STARTED = "not_started"
    WORK = "work"
    SHOP = "shop"
    PLATFORM = "platform"
    TERRITORY = "territory"
    USE = "use"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What the asker says that a listing is for; None where nothing is said. ``kind`` is a keyword as in ``uses``."""

    platform: str | None = None
    territory: str | None = None
    shop: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An organisation that took a licence up by its link, or runs the named shop; ``name`` as it is today."""

    organisation_id: str
    name: str
    accepted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """``licensor`` and ``licensee`` are the names that the organisations have today.

    ``licensee_id``, ``shop`` and ``by_link``: exactly one is set. ``work_ids`` None: all works of the licensor, later
    ones too. ``uses``, ``platforms``, ``territories``: empty is no limit. Valid from ``starts_at`` on, and before
    ``ends_at`` (None: without end). ``revision`` counts changes.
    """

    licence_id: str
    organisation_id: str
    licensor: str
    licensee_id: str | None
    licensee: str | None
    shop: str | None
    by_link: bool
    work_ids: frozenset[str] | None
    uses: frozenset[str]
    platforms: frozenset[str]
    territories: frozenset[str]
    starts_at: datetime
    ends_at: datetime | None
    note: str
    created_at: datetime
    revoked_at: datetime | None
    reminded_at: datetime | None
    revision: int
    holders: tuple[Holder, ...] = ()

    @property
    def holder_ids(self) -> frozenset[str]:
        """The organisations that may use it."""
        taken_up = frozenset(holder.organisation_id for holder in self.holders)
        return taken_up if self.licensee_id is None else taken_up | {self.licensee_id}

    @property
    def over_at(self) -> datetime | None:
        """When it ended or will end: by its term, or by being revoked before. None: without end."""
        ends = [at for at in (self.ends_at, self.revoked_at) if at is not None]
        return min(ends, default=None)

    def covers(self, work_id: str | None) -> bool:
        """Whether ``work_id``, a work of the licensor, is among what it is about."""
        return self.work_ids is None or work_id in self.work_ids

    def state(self, at: datetime) -> str:
        """``valid``, ``not_started``, ``ended`` or ``revoked``. What is revoked is so whatever ``at`` is."""
        if self.revoked_at is not None:
            return "revoked"
        if self.ends_at is not None and self.ends_at <= at:
            return "ended"
        return "valid" if self.starts_at <= at else "not_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceDocument:
    """One link in the chain of authorisation, from whoever made the picture down to the licensor.

    ``position`` counts from 1.
    """

    document_id: str
    licence_id: str
    position: int
    title: str
    media_type: str
    sha256: str
    byte_length: int
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceStanding:
    """How one use of one work stands. ``licence_id`` and ``ends_at`` are of the licence that decided it."""

    status: LicenceStatus
    licence_id: str | None
    ends_at: datetime | None
    because: tuple[Because, ...]


# how a use stands

_RANK = {status: rank for rank, status in enumerate(("none", "expired", "out_of_scope", "licensed"))}


def standing_of(licences: Iterable[Licence], *, work_id: str | None, use: Use, at: datetime) -> LicenceStanding:
    """The best that ``licences`` say: those that the asker holds from the owner of the work.

    licensed > out_of_scope > expired > none; of several licensed ones that which lasts longest, of several others that
    which lacks least. A limit that the asker said nothing about is not met: nobody is licensed by silence. A licence
    that was revoked is expired, at any time that is asked about. Licences for other works only are ``none`` with
    ``work``.
    """
    held = list(licences)
    standings = [_standing(licence, use, at) for licence in held if licence.covers(work_id)]
    nothing = LicenceStanding(
        status=LicenceStatus.NONE, licence_id=None, ends_at=None, because=(Because.WORK,) if held else ()
    )
    return max(standings, key=_merit, default=nothing)


def _merit(standing: LicenceStanding) -> tuple[int, int, datetime, str]:
    return _RANK[standing.status], -len(standing.because), standing.ends_at or _NEVER, standing.licence_id or ""


def _standing(licence: Licence, use: Use, at: datetime) -> LicenceStanding:
    state, beyond = licence.state(at), _unmet(licence, use)
    over = {"revoked": Because.REVOKED, "ended": Because.ENDED, "not_started": Because.NOT_STARTED}.get(state)
    if over in (Because.REVOKED, Because.ENDED):
        status = LicenceStatus.EXPIRED
    else:
        status = LicenceStatus.OUT_OF_SCOPE if over or beyond else LicenceStatus.LICENSED
    because = beyond if over is None else (over, *beyond)
    return LicenceStanding(status=status, licence_id=licence.licence_id, ends_at=licence.over_at, because=because)


def _unmet(licence: Licence, use: Use) -> tuple[Because, ...]:
    """The limits that ``use`` is not within."""
    wrong_shop = licence.shop is not None and _same_shop(licence.shop) != _same_shop(use.shop or "")
    limits = (
        (Because.PLATFORM, licence.platforms, keyword(use.platform or "")),
        (Because.TERRITORY, licence.territories, territory(use.territory or "")),
        (Because.USE, licence.uses, keyword(use.kind or "")),
    )
    unmet = tuple(code for code, allowed, said in limits if allowed and said not in allowed)
    return (Because.SHOP, *unmet) if wrong_shop else unmet


def _same_shop(name: str) -> str:
    return composed(name).casefold()


# words


def keyword(text: str) -> str:
    """As keywords are stored and compared."""
    return text.strip().lower()


def is_keyword(text: str) -> bool:
    """Whether ``text``, as `keyword` gives it, can name a platform or a kind of use."""
    return 0 < len(text) <= LONGEST_KEYWORD and text.isascii() and text.replace("_", "").replace("-", "").isalnum()


def territory(text: str) -> str:
    """As territories are stored and compared."""
    return text.strip().upper()


# changes


def revoked(licence: Licence, *, at: datetime) -> Licence:
    """Over from now on; one that is revoked stays as it is."""
    if licence.revoked_at is not None:
        return licence
    return replace(licence, revoked_at=at, revision=licence.revision + 1)


def extended(licence: Licence, ends_at: datetime | None) -> Licence:
    """The same until ``ends_at``, and to be reminded of again; one that ends then already stays as it is.

    Raises InvalidTransition for a revoked one, InputError when it would end earlier: for that it is revoked.
    """
    require_not_revoked(licence)
    if ends_at == licence.ends_at:
        return licence
    if (ends_at or _NEVER) < (licence.ends_at or _NEVER):
        raise InputError("a licence is never shortened", hint="Revoke it, and grant another one.")
    return replace(licence, ends_at=ends_at, reminded_at=None, revision=licence.revision + 1)


def require_not_revoked(licence: Licence) -> None:
    """Raises InvalidTransition."""
    if licence.revoked_at is not None:
        raise InvalidTransition(f"{licence.licence_id} was revoked", hint="A new licence is needed.")


def can_be_taken_up(licence: Licence, organisation_id: str, *, at: datetime) -> bool:
    """Whether the organisation becomes a holder by its link, or as the one that runs the shop; False when it is one.

    Raises InvalidTransition when it was revoked, has ended, is the organisation's own, or the shop has a holder.
    """
    require_not_revoked(licence)
    if organisation_id in licence.holder_ids:
        return False
    if licence.state(at) == "ended":
        raise InvalidTransition(f"{licence.licence_id} has ended", hint="Ask the licensor to extend it.")
    if organisation_id == licence.organisation_id:
        raise InvalidTransition("an organisation needs no licence of its own", hint="Hand the licence to others.")
    if not licence.by_link and licence.holder_ids:
        raise InvalidTransition(
            f"{licence.licence_id} has a licensee already", hint="Revoke it, and grant another one."
        )
    return True
