"""Plain words for verdicts, relations, strengths, edits, reasons and measurements.

Written for people who know nothing of computer vision. What the product may say is limited here: that a picture is a
likely copy of a registered original, that pictures agree or differ. Who made a picture, who may use it and whether a
right was broken are not questions that pixels answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from imgguard.imaging.credentials import CredentialState
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """``label`` for tables; ``action`` completes "after ..."; ``meaning`` is a sentence that explains."""

    label: str
    action: str = ""
    meaning: str = ""


VERDICTS: dict[Verdict, Phrase] = {
    Verdict.COPY: Phrase(
        label="Likely copy",
        meaning="The listing shows the same photograph as a registered original, or a part of it.",
    ),
    Verdict.SAME_PRODUCT: Phrase(
        label="Another photograph",
        meaning="The listing seems to show the same or a similar product, but in another photograph.",
    ),
    Verdict.NO_MATCH: Phrase(label="No match", meaning="No registered original was found in this picture."),
    Verdict.INCONCLUSIVE: Phrase(
        label="Cannot be decided", meaning="The pictures do not show enough to say one or the other."
    ),
    Verdict.ERROR: Phrase(label="Not checked", meaning="The file could not be read, so nothing is known about it."),
}

CONCLUSIONS: dict[str, Phrase] = {
    "clear": Phrase(
        label="Nothing found",
        meaning="Nothing registered here was found in this picture, or other photographs of the product only. It may "
        "still be the picture of somebody who has registered nothing.",
    ),
    "own": Phrase(
        label="Your own",
        meaning="Every likely copy found here is of an original that your organisation registered.",
    ),
    "licensed": Phrase(
        label="Licensed",
        meaning="Every likely copy is of your own originals, covered by a licence for this use, or decided to be no "
        "copy.",
    ),
    "unlicensed": Phrase(
        label="No licence known",
        meaning="It is a likely copy of a registered original, and no licence that is recorded here covers this use. "
        "A permission that was never recorded is not visible here.",
    ),
    "undecided": Phrase(
        label="A person should look",
        meaning="There is no likely copy, but something could not be told. Compare the pictures yourself.",
    ),
}
"""What follows for whoever wants to list the picture."""

RELATIONS: dict[Relation, Phrase] = {
    Relation.IDENTICAL: Phrase(label="whole picture, unchanged", meaning="No visible change was found."),
    Relation.EDITED: Phrase(label="whole picture, changed", meaning="The whole original, or nearly, with changes."),
    Relation.PARTIAL: Phrase(
        label="a part", meaning="Only a part of the original is shown, or the original is a part of the listing."
    ),
}

STRENGTHS: dict[Strength, Phrase] = {
    Strength.NONE: Phrase(label="none", meaning="The measurements favour neither explanation."),
    Strength.WEAK: Phrase(label="weak", meaning="The measurements favour one explanation slightly."),
    Strength.MODERATE: Phrase(label="moderate", meaning="The measurements favour one explanation moderately."),
    Strength.MODERATELY_STRONG: Phrase(
        label="moderately strong", meaning="The measurements favour one explanation fairly clearly."
    ),
    Strength.STRONG: Phrase(label="strong", meaning="The measurements favour one explanation clearly."),
    Strength.VERY_STRONG: Phrase(label="very strong", meaning="The measurements favour one explanation very clearly."),
    Strength.EXTREMELY_STRONG: Phrase(
        label="extremely strong", meaning="The measurements favour one explanation as clearly as they can."
    ),
}

EDITS: dict[Edit, Phrase] = {
    Edit.CROPPED: Phrase(label="cropped", action="cropping", meaning="Parts along the edges were cut off."),
    Edit.MIRRORED: Phrase(label="mirrored", action="mirroring", meaning="Left and right are exchanged."),
    Edit.ROTATED: Phrase(label="rotated", action="rotating", meaning="The picture was turned."),
    Edit.RESIZED: Phrase(label="resized", action="resizing", meaning="The picture was made larger or smaller."),
    Edit.RECOLOURED: Phrase(
        label="colours changed", action="changing the colours", meaning="Brightness, contrast or colours differ."
    ),
    Edit.BLURRED: Phrase(label="blurred", action="blurring", meaning="Fine detail was lost."),
    Edit.OVERLAY: Phrase(
        label="text or sticker added",
        action="adding text, a watermark or a sticker",
        meaning="Something was laid over the picture.",
    ),
    Edit.PASTED: Phrase(
        label="placed in another picture",
        action="placing it in another picture",
        meaning="The original is a part of a larger picture, such as a collage or a screenshot.",
    ),
    Edit.BACKGROUND_REPLACED: Phrase(
        label="background replaced",
        action="replacing the background",
        meaning="The object agrees, what is behind it differs.",
    ),
    Edit.BORDER_ADDED: Phrase(
        label="border added", action="adding a border", meaning="A frame or strip was added around the picture."
    ),
    Edit.DISTORTED: Phrase(
        label="stretched or tilted",
        action="stretching or tilting",
        meaning="The picture was stretched, sheared or seen at an angle.",
    ),
}

REASONS: dict[str, str] = {
    "too_plain": "The picture is too plain to tell one photograph from another.",
    "too_few_details": "Too few details were found to compare the pictures reliably.",
    "no_candidate": "No registered original looks similar enough to be compared.",
    "pixels_agree": "Laid over each other, the pictures agree in their fine detail.",
    "pixels_disagree": "Laid over each other, the pictures differ in their fine detail.",
    "same_scene_moved": "The same scene, but the camera or an object has moved: another photograph.",
    "geometry_consistent": "Matching details lie where they would if one picture was made from the other.",
    "geometry_inconsistent": "Matching details do not lie where they would if one picture was made from the other.",
    "not_aligned": "No way was found to lay one picture over the other, as there is for copies.",
    "identical_bytes": "The two files are the same, byte for byte.",
    "identical_pixels": "The two pictures are the same, pixel for pixel.",
    "small_region": "Only a small part could be compared.",
    "conflicting_measurements": "The measurements contradict each other.",
    "reference_damaged": "A similar original could not be compared, because what is stored of it is damaged.",
}

NOT_PROVEN: tuple[str, ...] = (
    "It does not say who took the photograph, nor which of the two pictures came first.",
    "It does not say who may use it: a licence, a shared source or a permission is not visible in pixels.",
    "It does not say that a right was broken. That is for people, and in the end for courts, to decide.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A field of a match, its plain name, and what it tells."""

    key: str
    label: str
    meaning: str


MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement(
        key="log10_likelihood_ratio",
        label="Likelihood ratio, power of ten",
        meaning="How much better “same photograph” explains the measurements than “another photograph of the same "
        "product”: 2 means a hundred times better, 0 equally well, -2 a hundred times worse.",
    ),
    Measurement(
        key="agreement",
        label="Agreement of fine detail",
        meaning="Median similarity of small windows after laying one picture over the other: 1 is the same structure, "
        "0 is none in common.",
    ),
    Measurement(
        key="reference_coverage",
        label="Part of the original that agrees",
        meaning="Share of the registered original's area that was found in the listing.",
    ),
    Measurement(
        key="query_coverage",
        label="Part of the listing that agrees",
        meaning="Share of the listing's area that agrees with the registered original.",
    ),
    Measurement(
        key="inlier_count",
        label="Matching details in order",
        meaning="Distinct spots found in both pictures whose positions fit one movement. Labels on packages match in "
        "different photographs too, so this number alone decides nothing.",
    ),
    Measurement(
        key="cosine_similarity",
        label="Overall likeness",
        meaning="How alike the two pictures are to a neural network, 1 at most. Used to find originals, not to decide.",
    ),
    Measurement(
        key="hamming_distance",
        label="Fingerprint distance",
        meaning="Bits of 256 in which the pictures' PDQ fingerprints differ; about 128 is chance. Used to find "
        "originals, not to decide.",
    ),
)

CAPTIONS: dict[str, Phrase] = {
    "flip": Phrase(
        label="Switch between the two",
        meaning="The original was moved to lie exactly where the listing shows it. Press the button: in a copy "
        "nothing jumps, only what was changed appears and disappears.",
    ),
    "side_by_side": Phrase(
        label="Side by side",
        meaning="The frame shows the part of each picture that was found in the other one. Look for the same folds, "
        "shadows, reflections and background at the same places, not only for the same product.",
    ),
    "aligned": Phrase(
        label="Laid over each other",
        meaning="The original was moved, turned and scaled to lie where the listing shows it. In a copy the two "
        "pictures then look alike in every fold and shadow.",
    ),
    "checkerboard": Phrase(
        label="Tiles in turn",
        meaning="Thinly framed tiles come from the original, the others from the listing. If edges, folds and shadows "
        "run on from tile to tile, it is the same photograph; if they break, it is another one.",
    ),
    "difference": Phrase(
        label="What differs",
        meaning="Dark blue: no difference. Yellow: something differs, such as added text, a sticker or another "
        "background. Changes of colour and brightness were evened out before.",
    ),
    "agreement": Phrase(
        label="Where fine detail agrees",
        meaning="Dark blue: the same structure in both pictures. Yellow: another structure. Pale grey: not compared, "
        "or too plain to tell.",
    ),
    "keypoints": Phrase(
        label="Matching details",
        meaning="Each line joins a detail of the listing to its look-alike in the original. Orderly lines show how one "
        "picture lies on the other; they also occur between two photographs of one label.",
    ),
}


def reason_text(code: str) -> str:
    """The sentence for a reason code; a code not known here is shown as it is, with spaces."""
    return REASONS.get(code, code.replace("_", " "))


def listed(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def percent(share: float) -> str:
    """A share (0..1) in words: never rounded to 0 % or 100 % unless it is."""
    if not isfinite(share):
        return "an unknown part"
    if 0 < share < 0.01:
        return "less than 1 %"
    return "more than 99 %" if 0.99 < share < 1 else f"{round(100 * min(max(share, 0), 1))} %"


def times(log10_ratio: float) -> str:
    """10 ** ``log10_ratio`` (>= 0) as a person says it: one significant digit."""
    if log10_ratio >= 9.5:
        return "more than a thousand million"
    value = 10**log10_ratio
    if value < 10:
        return f"{value:.1f}".removesuffix(".0")
    digits = len(str(int(value))) - 1
    value = round(value / 10**digits) * 10**digits
    return f"{value // 1_000_000} million" if value >= 1_000_000 else f"{value:,}"


def ratio_sentence(log10_ratio: float) -> str:
    """What the likelihood ratio says, in a sentence."""
    if not isfinite(log10_ratio) or abs(log10_ratio) < 0.05:
        return "The measurements fit “same photograph” and “another photograph of the same product” equally well."
    first, second = "this is the same photograph", "it is another photograph of the same product"
    if log10_ratio < 0:
        first, second = "this is another photograph of the same product", "it is the same photograph"
    return f"The measurements are about {times(abs(log10_ratio))} times more likely if {first} than if {second}."


CREDENTIAL_STATES: dict[CredentialState, str] = {
    CredentialState.NONE: "none",
    CredentialState.VALID: "intact; signer not in your trust list",
    CredentialState.TRUSTED: "intact; signer in your trust list",
    CredentialState.INVALID: "do not fit the file, or are not soundly signed",
    CredentialState.UNREADABLE: "there are some, which could not be read",
}
