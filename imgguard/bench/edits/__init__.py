"""Edits with ground truth: what people do to a stolen picture, each with the exact map from original to copy.

    from imgguard.bench.edits import EDITS, EditNotApplicable, encode, random_edit

    edited = EDITS["crop_40"](picture, rng, donors)      # or random_edit(rng)(picture, rng, donors)
    data = encode(edited)                                # JPEG bytes at the quality the edit asks for

``picture`` is uint8 RGB (h, w, 3), ``rng`` a numpy Generator, ``donors(rng)`` draws another picture that is not
registered (a background, neighbours in a collage). The result is an `EditedPicture`: pixels, ``matrix`` (3x3, reference
pixels to query pixels, None where no homography exists), ``region`` and ``reference_region`` (polygons in query and
reference pixels), name, parameters, quality. Coordinates: (0, 0) is the outer corner of the top-left pixel; `centred`
converts a matrix for cv2.warpPerspective. `EditNotApplicable` is raised where an edit makes no sense on a picture.

`EDITS` are the named edits of the published benchmark; `random_edit` draws from a continuum of strengths, for fitting.
"""

from imgguard.bench.edits.catalogue import EDITS, random_edit
from imgguard.bench.edits.picture import (
    Donors,
    Edit,
    EditedPicture,
    EditNotApplicable,
    Matrix,
    Pixels,
    Polygon,
    centred,
    encode,
)

__all__ = [
    "EDITS",
    "Donors",
    "Edit",
    "EditNotApplicable",
    "EditedPicture",
    "Matrix",
    "Pixels",
    "Polygon",
    "centred",
    "encode",
    "random_edit",
]
