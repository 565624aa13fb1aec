"""The benchmark's measures, each with its definition and where it comes from.

Scores are any numbers of which larger means "rather a copy". A negative query has one score, that of the reference it
resembles most; a positive query that of its true reference (minus infinity where that was never looked at).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Scores = NDArray[np.float64]
"""float64 (n,)"""

_Z = 1.959964  # two-sided 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``hits`` of ``count``, with the 95 % interval of Wilson (1927): it stays within 0..1 and is right near both."""

    hits: int
    count: int
    value: float
    low: float
    high: float


def rate(hits: int, count: int) -> Rate:
    """The share and its Wilson interval; of nothing, all of 0..1."""
    if count == 0:
        return Rate(hits=0, count=0, value=float("nan"), low=0.0, high=1.0)
    share, extra = hits / count, _Z**2 / count
    middle = (share + extra / 2) / (1 + extra)
    half = _Z * np.sqrt(share * (1 - share) / count + extra / (4 * count)) / (1 + extra)
    low = 0.0 if hits == 0 else float(max(0.0, middle - half))
    high = 1.0 if hits == count else float(min(1.0, middle + half))
    return Rate(hits=hits, count=count, value=share, low=low, high=high)


def share(mask: NDArray[np.bool_]) -> Rate:
    """Of how many of ``mask`` something holds."""
    return rate(int(mask.sum()), len(mask))


def threshold_for(negative: Scores, *, accused: int) -> float:
    """The score that must be exceeded so that at most ``accused`` negatives exceed it: a swept threshold.

    It is chosen on the negatives that are reported, so it says what the scores can do, not what an operator gets;
    that is what the rates at the shipped threshold are for.
    """
    if accused >= len(negative):
        return -np.inf
    return float(np.sort(negative)[::-1][accused])


def accused_at_a_thousandth(count: int) -> int:
    """Negatives that may be accused at 1 in 1,000, rounded to whole ones: 1 of 993, none of 300."""
    return round(count / 1000)


def recall_above(positive: Scores, threshold: float) -> Rate:
    """Share of the copies whose true reference scores more than ``threshold``."""
    return share(positive > threshold)


def micro_average_precision(right: Scores, wrong: Scores, *, copies: int) -> float:
    """Area under the precision-recall curve over the pairs of all queries in one ranking (uAP).

    The measure of the Image Similarity Challenge (Douze et al., The 2021 Image Similarity Dataset and Challenge, 2021).
    ``right`` are the scores of true pairs, ``wrong`` those of every query's best wrong pair, ``copies`` the number of
    queries that have a true pair, found or not. Equal scores count against: wrong pairs come first.
    """
    scores = np.r_[wrong, right]
    is_right = np.r_[np.zeros(len(wrong), bool), np.ones(len(right), bool)]
    keep = np.isfinite(scores)
    order = np.argsort(-scores[keep], kind="stable")
    hit = is_right[keep][order]
    precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    return float(precision[hit].sum() / copies) if copies else float("nan")


def cllr(positive: Scores, negative: Scores) -> float:
    """Log-likelihood-ratio cost of log10 likelihood ratios: 0 is perfect, 1 is what "I do not know" would cost.

    Brümmer and du Preez, Application-independent evaluation of speaker detection, Computer Speech & Language 2006:
    the mean over both hypotheses of log2(1 + 1/LR) and log2(1 + LR).
    """
    bits = np.log2(1 + 10.0**-positive).mean() + np.log2(1 + 10.0**negative).mean()
    return float(bits / 2)


def pooled(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Non-decreasing fit of least squares, by pooling adjacent violators (Ayer et al. 1955)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        mean, mass, length = float(value), float(weight), 1
        while blocks and blocks[-1][0] >= mean:
            before, heavier, longer = blocks.pop()
            mean = (mean * mass + before * heavier) / (mass + heavier)
            mass, length = mass + heavier, length + longer
        blocks.append((mean, mass, length))
    return np.repeat([mean for mean, _, _ in blocks], [length for _, _, length in blocks])


def cllr_min(positive: Scores, negative: Scores) -> float:
    """What ``cllr`` would be after the best monotone recalibration on these very scores: the part that is the scores'
    order. The rest of ``cllr`` is calibration loss (Brümmer and du Preez 2006, section 5)."""
    scores, group = np.unique(np.r_[positive, negative], return_inverse=True)
    true = np.bincount(group[: len(positive)], minlength=len(scores)) / len(positive)
    false = np.bincount(group[len(positive) :], minlength=len(scores)) / len(negative)
    fitted = pooled(true / (true + false), true + false)  # both hypotheses weigh the same
    with np.errstate(divide="ignore", invalid="ignore"):
        bits_true = np.where(true > 0, -np.log2(fitted), 0.0)  # log2(1 + 1/LR) with LR = p / (1 - p)
        bits_false = np.where(false > 0, -np.log2(1 - fitted), 0.0)
    return float(((true * bits_true).sum() + (false * bits_false).sum()) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """95 % of the bootstrap's values lie between."""

    low: float
    high: float


def grouped_bootstrap(
    groups: Sequence[str], statistic: Callable[[NDArray[np.int64]], float], *, rounds: int = 1000, seed: int = 0
) -> Interval:
    """Percentile interval when whole groups are drawn with replacement (Efron and Tibshirani 1993, chapters 8, 13).

    Photographs of one seller or product class are alike: drawing them one by one would feign certainty. ``statistic``
    gets indices into ``groups``; a value that is not a number is left out.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    members = [np.flatnonzero(member == number) for number in range(len(names))]
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(rounds):
        drawn = rng.integers(len(names), size=len(names))
        values.append(statistic(np.concatenate([members[number] for number in drawn])))
    known = np.array(values)[~np.isnan(values)]
    if not len(known):
        return Interval(low=float("nan"), high=float("nan"))
    low, high = np.percentile(known, (2.5, 97.5))
    return Interval(low=float(low), high=float(high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Points of a plot, x ascending or descending."""

    x: tuple[float, ...]
    y: tuple[float, ...]


def detection_error_tradeoff(positive: Scores, negative: Scores, *, most: int = 400) -> Curve:
    """Share of negatives accused (x) against share of copies missed (y) over all thresholds.

    Martin et al., The DET curve in assessment of detection task performance, Eurospeech 1997. Only the corners.
    """
    thresholds = np.unique(np.r_[negative, -np.inf])[::-1]
    accused = np.array([(negative > t).mean() for t in thresholds])
    missed = np.array([(positive <= t).mean() for t in thresholds])
    chosen = _spread(len(thresholds), most)
    return Curve(x=_rounded(accused[chosen]), y=_rounded(missed[chosen]))


def tippett(ratios: Scores, *, most: int = 400) -> Curve:
    """Share (y) of the log10 likelihood ratios that are at least x.

    Tippett et al., The evidential value of the comparison of paint flakes, J. Forensic Sci. Soc. 1968; in this form by
    Evett and Buckleton 1996.
    """
    values = np.sort(ratios)
    levels = 1 - np.arange(len(values)) / max(1, len(values))
    chosen = _spread(len(values), most)
    return Curve(x=_rounded(values[chosen]), y=_rounded(levels[chosen]))


def _spread(count: int, most: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 5) for value in values)
