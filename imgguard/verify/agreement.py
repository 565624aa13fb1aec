"""Do aligned pixels agree? Local correlation, and the fine residuals that tell a copy from a second photograph.

A copy agrees pixel for pixel after one homography, shadows and background included; a second photograph does not, even
where its printed label fits a homography with hundreds of inliers.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.verify.alignment import AlignedPair, Grey

_TEXTURE = 2.5  # local standard deviation, grey levels: below it sensor noise and JPEG decide the correlation
_AGREES = 0.7  # local correlation from which a place counts as agreeing
_PLAIN_TOLERANCE = 12.0  # grey levels by which two plain places may differ after tone matching

type Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agreement:
    """Maps over an aligned patch, all of shape (h, w).

    ``correlation`` float32, zero-mean normalised cross-correlation in a window (-1..1), meaningful where ``textured``;
    ``agreeing``: textured and correlated, or plain in both pictures and of the same tone.
    """

    correlation: Grey
    textured: Mask
    agreeing: Mask
    valid: Mask

    @property
    def quality(self) -> float:
        """How well the textured places agree on average, 0 (by chance) to 1."""
        return float(self._support().mean()) if self.textured.any() else 0.0

    @property
    def weight(self) -> float:
        """How much picture speaks for this alignment, in patch pixels: textured places by their correlation, times
        their mean. The mean keeps a small region that agrees from losing to a large one that does so by chance."""
        support = self._support()
        return float(support.sum()) * self.quality

    def _support(self) -> Grey:
        return np.asarray(np.clip(self.correlation[self.textured] - 0.5, 0.0, None) * 2, np.float32)


def window_of(side: int) -> int:
    """Window in pixels for a patch of that longest side: 21 at 400 and above, never below 7."""
    return int(np.clip(side // 19, 7, 21)) | 1


def smoothed(picture: Grey, sigma: float) -> Grey:
    """Gaussian blur; ``sigma`` in pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def agreement(pair: AlignedPair) -> Agreement:
    """Local correlation of both pictures and where they agree."""
    window = window_of(pair.side)
    size = (window, window)
    mask = pair.valid.astype(np.float32)
    count = np.maximum(cv2.boxFilter(mask, -1, size, normalize=True), 1e-6)

    def mean(picture: Grey) -> Grey:
        return np.asarray(cv2.boxFilter(picture * mask, -1, size, normalize=True) / count, np.float32)

    query, reference = smoothed(pair.query, 0.8), smoothed(pair.reference, 0.8)
    query_mean, reference_mean = mean(query), mean(reference)
    query_var = np.maximum(mean(query * query) - query_mean**2, 0)
    reference_var = np.maximum(mean(reference * reference) - reference_mean**2, 0)
    covariance = mean(query * reference) - query_mean * reference_mean
    noise = 1.0  # grey levels squared: keeps the ratio of two vanishing variances from being noise over noise
    correlation = covariance / np.sqrt((query_var + noise) * (reference_var + noise))
    solid = pair.valid & (count > 0.3)
    textured = solid & (np.maximum(query_var, reference_var) > _TEXTURE**2)
    same = textured & (correlation > _AGREES)
    plain = solid & ~textured
    gain, offset = tone_fit(query_mean, reference_mean, same if same.sum() > 50 else solid)
    plain &= np.abs(query_mean - (gain * reference_mean + offset)) < _PLAIN_TOLERANCE
    return Agreement(
        correlation=np.asarray(correlation, np.float32), textured=textured, agreeing=same | plain, valid=pair.valid
    )


_SIGMAS = (0.6, 0.9, 1.3, 1.8, 2.5, 3.5, 5.0)


def match_sharpness(pair: AlignedPair) -> tuple[AlignedPair, float]:
    """Blur the sharper picture of the pair until both show the same amount of detail.

    Returns the pair and the blur's standard deviation in patch pixels: positive where the reference was blurred
    (the query is a blurred copy), negative where the query was. Detail is measured as fine over coarse contrast, which
    changes of brightness and contrast leave alone.
    """
    query, reference = _sharpness(pair.query, pair.valid), _sharpness(pair.reference, pair.valid)
    if query <= 0 or reference <= 0 or 0.75 < query / reference < 1.33:
        return pair, 0.0
    blunt, sharp = (pair.query, pair.reference) if query < reference else (pair.reference, pair.query)
    wanted = min(query, reference)
    best, sigma = sharp, 0.0
    for candidate in _SIGMAS:
        blurred = smoothed(sharp, candidate)
        best, sigma = blurred, candidate
        if _sharpness(blurred, pair.valid) <= wanted:
            break
    if query < reference:
        return replace(pair, query=blunt, reference=best), sigma
    return replace(pair, query=best, reference=blunt), -sigma


def _sharpness(picture: Grey, where: Mask) -> float:
    light, heavy = smoothed(picture, 1.2), smoothed(picture, 5.0)
    fine = float(((picture - light)[where] ** 2).mean())
    coarse = float(((light - heavy)[where] ** 2).mean())
    return fine / coarse if coarse > 1.0 else 0.0


def tone_fit(query: Grey, reference: Grey, where: Mask) -> tuple[float, float]:
    """(gain, offset) such that gain * reference + offset is nearest to the query in least squares over ``where``."""
    x, y = reference[where].astype(np.float64), query[where].astype(np.float64)
    if len(x) < 8:
        return 1.0, 0.0
    spread = float(x.var())
    if spread < 1.0:
        return 1.0, float(y.mean() - x.mean())
    gain = float(((x - x.mean()) * (y - y.mean())).mean() / spread)
    gain = float(np.clip(gain, -4.0, 4.0))
    return gain, float(y.mean() - gain * x.mean())


def flow(source: Grey, target: Grey) -> NDArray[np.float32]:
    """Dense displacement (h, w, 2), pixels: ``target`` at x + flow shows ``source`` at x (DIS, Kroeger et al. 2016)."""
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    first, second = (np.clip(smoothed(p, 0.8), 0, 255).astype(np.uint8) for p in (source, target))
    return np.asarray(engine.calc(first, second, np.zeros((*first.shape, 2), np.float32)), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """What is left after alignment, over the agreeing places with edges.

    ``flow_median`` and ``flow_high`` (90 %) in patch pixels; ``flow_rough`` is the median of what a smooth warp (a
    polynomial of third degree: a lens, a curved screen) does not explain; ``grey_median`` and ``grey_mean`` in grey
    levels after tone matching; ``gain`` is that of the tone matching; ``detail`` the correlation of the finest details.
    """

    flow_median: float
    flow_high: float
    flow_rough: float
    grey_median: float
    grey_mean: float
    gain: float
    detail: float


NO_RESIDUALS = Residuals(
    flow_median=5.0, flow_high=10.0, flow_rough=5.0, grey_median=60.0, grey_mean=60.0, gain=0.0, detail=0.0
)


def residuals(pair: AlignedPair, found: Agreement) -> Residuals:
    """Residual motion, tone difference and detail correlation where ``found`` says that the pictures agree."""
    where = found.agreeing & found.textured
    if where.sum() < 100:
        return NO_RESIDUALS
    # Where agreement ends (a new background, a sticker), flow and tone are those of the intruder.
    inner = cv2.erode(found.agreeing.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool) & found.textured
    if inner.sum() >= 300:
        where = inner
    gain, offset = tone_fit(pair.query, pair.reference, where)
    toned = np.asarray(gain * pair.reference + offset, np.float32)
    motion = flow(toned, pair.query)
    gradient = cv2.magnitude(cv2.Sobel(toned, cv2.CV_32F, 1, 0), cv2.Sobel(toned, cv2.CV_32F, 0, 1))
    edges = where & (gradient > max(float(np.percentile(gradient[where], 60)), 8.0))
    if edges.sum() < 50:
        edges = where
    lengths = np.hypot(motion[..., 0], motion[..., 1])[edges]
    difference = np.abs(pair.query - toned)[where]
    return Residuals(
        flow_median=float(np.median(lengths)),
        flow_high=float(np.percentile(lengths, 90)),
        flow_rough=_rough(motion, edges),
        grey_median=float(np.median(difference)),
        grey_mean=float(difference.mean()),
        gain=gain,
        detail=_detail(pair.query, toned, where),
    )


def _rough(motion: NDArray[np.float32], where: Mask) -> float:
    """Median length, over ``where``, of the motion that a third-degree polynomial in x and y leaves unexplained."""
    ys, xs = np.nonzero(where)
    chosen = np.linspace(0, len(ys) - 1, min(len(ys), 2000)).astype(int)
    height, width = where.shape
    x, y = xs[chosen] / width * 2 - 1, ys[chosen] / height * 2 - 1
    terms = np.stack([x**i * y**j for i in range(4) for j in range(4 - i)], axis=1)
    vectors = motion[ys[chosen], xs[chosen]].astype(np.float64)
    kept = np.ones(len(chosen), dtype=bool)
    left = vectors
    for _ in range(2):  # the second fit is without the worst fifth of the first: places that moved on their own
        fitted, *_ = np.linalg.lstsq(terms[kept], vectors[kept], rcond=None)
        left = vectors - terms @ fitted
        lengths = np.hypot(left[:, 0], left[:, 1])
        kept = lengths <= np.percentile(lengths, 80)
    return float(np.median(np.hypot(left[:, 0], left[:, 1])))


def _detail(query: Grey, reference: Grey, where: Mask) -> float:
    """Correlation of what a small blur removes: the finest structure both pictures still have."""
    fine = [p - smoothed(p, 1.5) for p in (query, reference)]
    a, b = (f[where] for f in fine)
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))
