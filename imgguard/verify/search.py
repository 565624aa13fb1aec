"""Looks for the alignment of a pair: guesses from cheap sources first, from dearer ones only while none convinces."""

from dataclasses import dataclass

from imgguard.fingerprint.fingerprint import Keypoints
from imgguard.imaging.views import Window
from imgguard.verify.alignment import Pyramid
from imgguard.verify.geometry import Homography
from imgguard.verify.hypotheses import Hypothesis, distinct, refine, templates, weigh, whole_onto
from imgguard.verify.matching import KeypointMatcher, KeypointMatches, homography, similarity

_REFINE_SIDE = 224
_TRUSTED = 0.3  # average agreement at low resolution; wrong guesses reach .1, copies on a new background .3 to .5
_CHANCE = 0.2  # what four of five wrong guesses stay below, and 1 of 500 right ones
_REFINED = 3  # guesses that are refined; the right one is nearly always among them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Support:
    """Keypoint matches of one handedness, and how many of them the best homography and similarity explain."""

    matches: KeypointMatches
    homography_inliers: int
    similarity_inliers: int


class AlignmentSearch:
    """The guesses for one query and one reference. Sizes and matrices are in pixels of the two pyramids."""

    def __init__(self, query: Pyramid, reference: Pyramid, keypoints: Keypoints) -> None:
        self._query = query
        self._reference = reference
        self._keypoints = keypoints
        self._guesses: list[Hypothesis] = []
        self._support: dict[bool, Support] = {}

    @property
    def trusted(self) -> bool:
        """Whether some guess agrees too well for chance."""
        return any(guess.quality >= _TRUSTED for guess in self._guesses)

    @property
    def promising(self) -> bool:
        """Whether some guess is worth refining."""
        return any(guess.quality >= _CHANCE for guess in self._guesses)

    def by_keypoints(self, matcher: KeypointMatcher) -> None:
        """Homography and similarity from keypoint matches, upright and mirrored."""
        for mirrored in (False, True):
            matches = matcher.match(self._keypoints, mirrored=mirrored)
            projective = homography(matches, self._reference.size, self._query.size)
            rigid = similarity(matches, self._reference.size, self._query.size)
            self._try(projective.matrix if projective else None, "keypoints")
            self._try(rigid.matrix if rigid else None, "keypoints_rigid")
            self._support[mirrored] = Support(
                matches=matches,
                homography_inliers=projective.inlier_count if projective else 0,
                similarity_inliers=rigid.inlier_count if rigid else 0,
            )

    def by_window(self, window: Window) -> None:
        """The whole reference on a part of the query, in its two likeliest orientations."""
        width, height = self._query.size
        part = (window[0] * width, window[1] * height, window[2] * width, window[3] * height)
        for matrix in whole_onto(self._query, self._reference, part, most=2):
            self._try(matrix, "window")

    def by_template(self) -> None:
        """One picture within the other, without keypoints."""
        for matrix in templates(self._query, self._reference, most=3):
            self._try(matrix, "template")

    def best(self) -> Hypothesis | None:
        """The guess for which most pixels speak, after refinement."""
        chosen = distinct(self._guesses, self._reference.size)[:_REFINED]
        refined = [refine(self._query, self._reference, guess, side=_REFINE_SIDE) for guess in chosen]
        return max(refined, key=lambda guess: guess.weight, default=None)

    def support(self, *, mirrored: bool) -> Support:
        """The keypoint matches behind an alignment of that handedness."""
        return self._support[mirrored]

    def _try(self, matrix: Homography | None, origin: str) -> None:
        if matrix is not None and (tested := weigh(self._query, self._reference, matrix, origin)) is not None:
            self._guesses.append(tested)
