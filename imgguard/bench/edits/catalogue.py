"""The named edits of the published benchmark, and edits of any strength for fitting."""

import numpy as np

from imgguard.bench.edits import overlay, shape, tone
from imgguard.bench.edits.background import background_replaced
from imgguard.bench.edits.camera import recapture
from imgguard.bench.edits.pages import screenshot
from imgguard.bench.edits.picture import Donors, Edit, EditedPicture, Range, Step
from imgguard.bench.edits.placing import collage, paste


def _fixed(value: float) -> Range:
    return value, value


def _either(*steps: Step) -> Step:
    """One of ``steps``, drawn."""

    def step(state: EditedPicture, rng: np.random.Generator, donors: Donors) -> EditedPicture:
        return steps[int(rng.integers(len(steps)))](state, rng, donors)

    return step


_LIGHT = _either(
    tone.light((25, 50), (1.0, 1.4)), tone.light((-50, -25), (0.7, 1.0)), tone.light((-15, 15), (1.35, 1.6))
)

_SIMPLE: tuple[Step, ...] = (
    tone.compress((25, 90)),
    tone.light((-45, 45), (0.7, 1.4)),
    tone.gamma((1.2, 1.8)),
    tone.hue((10, 90)),
    tone.saturation((0.2, 1.8)),
    tone.tint((0.03, 0.12)),
    tone.blur((0.001, 0.006)),
    tone.sharpen((0.5, 2.0)),
    tone.noise((3, 14)),
    tone.grey,
    shape.resize((0.35, 1.4)),
    shape.aspect((1.05, 1.4)),
    shape.crop((0.3, 0.95)),
    shape.mirror,
    shape.rotate((2, 20)),
    shape.quarter_turns(1, 2, 3),
    shape.perspective((0.03, 0.15)),
    shape.shear((0.03, 0.2)),
    overlay.text((1, 3), (0.03, 0.12)),
    overlay.watermark((0.15, 0.5), (0.04, 0.1)),
    overlay.banner((0.06, 0.2)),
    overlay.badges((1, 3)),
    overlay.border((0.01, 0.12)),
    overlay.sticker((0.1, 0.35), (1, 3)),
    overlay.logo((0.06, 0.14)),
)
_PLACING: tuple[Step, ...] = (paste((0.15, 0.6), turn=(0, 15)), collage(1, 2), collage(2, 2))


def _composition(count: tuple[int, int], *, placing: float = 0.2) -> Step:
    """``count`` different simple edits in random order, then with probability ``placing`` a paste or collage."""

    def step(state: EditedPicture, rng: np.random.Generator, donors: Donors) -> EditedPicture:
        number = int(rng.integers(count[0], count[1] + 1))
        for index in rng.choice(len(_SIMPLE), size=number, replace=False):
            state = _SIMPLE[int(index)](state, rng, donors)
        if rng.random() < placing:
            state = _either(*_PLACING)(state, rng, donors)
        return state

    return step


def _named(name: str, *steps: Step, quality: int | None = None) -> Edit:
    return Edit(name=name, steps=steps, quality=quality)


_ALL = (
    _named("identity", quality=90),
    _named("jpeg_50", quality=50),
    _named("jpeg_20", quality=20),
    _named("jpeg_10", quality=10),
    _named("resize_60", shape.resize(_fixed(0.6))),
    _named("resize_30", shape.resize(_fixed(0.3))),
    _named("aspect_1_4", shape.aspect(_fixed(1.4))),
    _named("brightness_contrast", _LIGHT),
    _named("gamma", tone.gamma((1.5, 2.0))),
    _named("grey", tone.grey),
    _named("hue_shift", tone.hue((40, 180))),
    _named("saturation", _either(tone.saturation((0.1, 0.5)), tone.saturation((1.6, 2.2)))),
    _named("filter", tone.tint((0.08, 0.15)), tone.light((-10, 20), (0.8, 1.2))),
    _named("posterise", tone.posterise((4, 8))),
    _named("blur", tone.blur(_fixed(0.005))),
    _named("blur_strong", tone.blur(_fixed(0.010))),
    _named("motion_blur", tone.motion_blur((0.015, 0.03))),
    _named("sharpen_noise", tone.sharpen((1.0, 2.0)), tone.noise((8, 14))),
    _named("mirror", shape.mirror),
    _named("flip", shape.flip),
    _named("rotate_90", shape.quarter_turns(1, 3)),
    _named("rotate_180", shape.quarter_turns(2)),
    _named("rotate_8", shape.rotate(_fixed(8))),
    _named("rotate_35", shape.rotate(_fixed(35))),
    _named("crop_70", shape.crop(_fixed(0.7))),
    _named("crop_40", shape.crop(_fixed(0.4))),
    _named("crop_20", shape.crop(_fixed(0.2))),
    _named("crop_50_mirror_jpeg", shape.crop(_fixed(0.5)), shape.mirror, quality=35),
    _named("shear", shape.shear((0.1, 0.25))),
    _named("perspective", shape.perspective(_fixed(0.15))),
    _named("lens", shape.lens((0.08, 0.2))),
    _named("text", overlay.text((1, 4), (0.05, 0.11))),
    _named("watermark", overlay.watermark((0.25, 0.5), (0.05, 0.09))),
    _named("banner", overlay.banner((0.1, 0.2))),
    _named("badges", overlay.badges((2, 4))),
    _named("frame", overlay.border((0.03, 0.1))),
    _named("sticker", overlay.sticker((0.2, 0.4), (1, 3))),
    _named("screenshot", screenshot),
    _named("paste_50", paste(_fixed(0.5))),
    _named("paste_25", paste(_fixed(0.25))),
    _named("paste_10", paste(_fixed(0.10))),
    _named("paste_turned", paste((0.2, 0.4), turn=(5, 25))),
    _named("collage_2", collage(1, 2)),
    _named("collage_4", collage(2, 2)),
    _named("recapture", recapture(), quality=80),
    _named("background_replaced", background_replaced()),
    _named(
        "chain",
        shape.crop((0.5, 0.8)),
        tone.light((15, 40), (1.0, 1.2)),
        shape.mirror,
        paste((0.3, 0.5)),
        overlay.text((1, 2), (0.05, 0.08)),
        quality=40,
    ),
    _named(
        "chain_light",
        shape.crop((0.6, 0.8)),
        tone.light((-20, 30), (0.85, 1.2)),
        overlay.text((1, 2), (0.04, 0.08)),
        quality=60,
    ),
    _named("two_chain_random", _composition((2, 4)), tone.compress((45, 90), final=True)),
)
EDITS: dict[str, Edit] = {edit.name: edit for edit in _ALL}
"""Every named edit, in the order of the published table."""

_FAMILIES: dict[str, tuple[tuple[Step, ...], float]] = {
    # family: (its steps over the continuum of strengths, its weight)
    "jpeg": ((), 0.5),
    "tone": ((tone.light((-60, 60), (0.6, 1.6)), tone.saturation((0.3, 1.7))), 1),
    "gamma": ((tone.gamma((1.1, 2.2)),), 0.5),
    "grey": ((tone.grey,), 0.5),
    "hue": ((tone.hue((10, 180)),), 1),
    "filter": ((tone.tint((0.02, 0.16)),), 0.5),
    "blur": ((tone.blur((0.001, 0.013)),), 1),
    "motion_blur": ((tone.motion_blur((0.01, 0.04)),), 0.5),
    "sharpen_noise": ((tone.sharpen((0.3, 2.5)), tone.noise((2, 20))), 0.5),
    "resize": ((shape.resize((0.2, 2.0)),), 1),
    "aspect": ((shape.aspect((1.05, 1.7)),), 1),
    "mirror": ((shape.mirror,), 1),
    "quarter_turns": ((shape.quarter_turns(1, 2, 3),), 1),
    "rotate": ((shape.rotate((1, 60)),), 2),
    "crop": ((shape.crop((0.15, 0.9), stretch=(0.6, 1.6)),), 3),
    "crop_mirror": ((shape.crop((0.25, 0.9)), shape.mirror), 1),
    "shear": ((shape.shear((0.03, 0.3)),), 0.5),
    "perspective": ((shape.perspective((0.03, 0.22)),), 1),
    "lens": ((shape.lens((0.03, 0.25)),), 1.5),
    "text": ((overlay.text((1, 6), (0.03, 0.15)),), 1),
    "watermark": ((overlay.watermark((0.15, 0.65), (0.03, 0.15)),), 1),
    "banner": ((overlay.banner((0.05, 0.3)),), 1),
    "badges": ((overlay.badges((1, 4)), _either(overlay.logo((0.05, 0.15)), overlay.text((1, 1), (0.03, 0.1)))), 1),
    "border": ((overlay.border((0.01, 0.2)),), 1),
    "sticker": ((overlay.sticker((0.1, 0.5), (1, 4)),), 1),
    "screenshot": ((screenshot,), 1),
    "paste": ((paste((0.06, 0.6)),), 3),
    "paste_turned": ((paste((0.08, 0.6), turn=(0, 40)),), 1),
    "paste_mirrored": ((shape.mirror, paste((0.08, 0.5))), 1),
    "collage": ((_either(collage(1, 2), collage(2, 1), collage(2, 2), collage(2, 3), collage(3, 3)),), 2),
    "recapture": ((recapture((0.0, 0.16), (0.1, 0.7)),), 3),
    "background_replaced": ((background_replaced((0.5, 1.0)),), 3),
    "composition": ((_composition((2, 5), placing=0.3),), 6),
}
_NAMES = tuple(_FAMILIES)
_WEIGHTS = np.array([weight for _, weight in _FAMILIES.values()]) / sum(weight for _, weight in _FAMILIES.values())


def random_edit(rng: np.random.Generator) -> Edit:
    """An edit of a drawn family whose strengths are drawn from a continuum, named ``random:FAMILY``.

    Models are fitted on these, so that they do not learn the fixed strengths of the published edits.
    """
    family = _NAMES[int(rng.choice(len(_NAMES), p=_WEIGHTS))]
    low = 15 if family == "jpeg" or rng.random() < 0.3 else 60
    steps, _ = _FAMILIES[family]
    return Edit(name=f"random:{family}", steps=(*steps, tone.compress((low, 95), final=True)))
