"""Edits of values: compression, light, colour, sharpness, noise. None of them moves a pixel."""

from dataclasses import replace

import cv2
import numpy as np

from imgguard.bench.edits.picture import (
    Donors,
    EditedPicture,
    Pixels,
    Range,
    Step,
    decoded,
    draw,
    jpeg,
    recoloured,
)

GREY_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""ITU-R BT.601 luma, what JPEG itself uses."""


def compress(quality: Range, *, final: bool = False) -> Step:
    """JPEG at a drawn quality: applied here, or (``final``) left to the encoder of the result."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        chosen = round(draw(rng, quality))
        if final:
            return replace(state, quality=chosen, parameters={**state.parameters, "jpeg": chosen})
        return recoloured(state, decoded(jpeg(state.pixels, chosen)), jpeg=chosen)

    return step


def light(brightness: Range, contrast: Range) -> Step:
    """Contrast about the middle grey, then ``brightness`` grey levels (of 255) added; signs are drawn by the ranges."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        added, factor = draw(rng, brightness), draw(rng, contrast)
        values = (state.pixels.astype(np.float32) - 128) * factor + 128 + added
        return recoloured(state, values, brightness=added, contrast=factor)

    return step


def gamma(exponent: Range) -> Step:
    """A power law; below 1 brightens. Half of the time the reciprocal, so both directions occur."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        power = draw(rng, exponent)
        power = power if rng.random() < 0.5 else 1 / power
        table = 255 * (np.arange(256) / 255) ** power
        return recoloured(state, table[state.pixels], gamma=power)

    return step


def grey(state: EditedPicture, _rng: np.random.Generator, _donors: Donors) -> EditedPicture:
    """Black and white."""
    luma = state.pixels @ GREY_WEIGHTS
    return recoloured(state, np.repeat(luma[..., None], 3, axis=2), grey=1)


def _in_hsv(pixels: Pixels, *, turn: float, gain: float) -> Pixels:
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV_FULL).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + turn / 360 * 256) % 256
    hsv[..., 1] = np.clip(hsv[..., 1] * gain, 0, 255)
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB_FULL), dtype=np.uint8)


def hue(degrees: Range) -> Step:
    """Hues turned either way: the colour variant that was never photographed."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        turn = draw(rng, degrees) * (1 if rng.random() < 0.5 else -1)
        return recoloured(state, _in_hsv(state.pixels, turn=turn, gain=1.0), hue_degrees=turn)

    return step


def saturation(factor: Range) -> Step:
    """Saturation multiplied by ``factor``."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        gain = draw(rng, factor)
        return recoloured(state, _in_hsv(state.pixels, turn=0.0, gain=gain), saturation=gain)

    return step


def tint(strength: Range) -> Step:
    """A photo-app filter: one colour laid over highlights and its complement over shadows."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        amount, angle = draw(rng, strength), rng.uniform(0, 2 * np.pi)
        direction = np.cos(angle + np.array([0, 2, 4]) * np.pi / 3)
        luma = (state.pixels @ GREY_WEIGHTS)[..., None] / 255
        return recoloured(state, state.pixels + amount * 255 * direction * (luma - 0.4), tint=amount)

    return step


def blur(share: Range) -> Step:
    """Gaussian blur; sigma as a share of the short side."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        sigma = draw(rng, share) * min(state.width, state.height)
        return recoloured(
            state, np.asarray(cv2.GaussianBlur(state.pixels, (0, 0), max(sigma, 0.3)), np.uint8), blur_sigma=sigma
        )

    return step


def motion_blur(share: Range) -> Step:
    """A shaken hand: a line of a drawn direction; length as a share of the short side."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        length = max(3.0, draw(rng, share) * min(state.width, state.height))
        side = int(length) // 2 * 2 + 3
        kernel = np.zeros((side, side), dtype=np.float32)
        angle, middle = rng.uniform(0, np.pi), (side - 1) / 2
        reach = np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
        for t in np.linspace(-1, 1, 8 * side):
            x, y = np.rint(middle + t * reach).astype(int)
            kernel[y, x] += 1
        return recoloured(
            state, np.asarray(cv2.filter2D(state.pixels, -1, kernel / kernel.sum()), np.uint8), motion_blur=length
        )

    return step


def sharpen(amount: Range) -> Step:
    """Unsharp mask with a radius of 1.2 pixels."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        gain, values = draw(rng, amount), state.pixels.astype(np.float32)
        return recoloured(state, values + gain * (values - cv2.GaussianBlur(values, (0, 0), 1.2)), sharpen=gain)

    return step


def noise(deviation: Range) -> Step:
    """Gaussian noise, standard deviation in grey levels, partly shared by the channels as in a camera."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        sigma = draw(rng, deviation)
        shape = state.pixels.shape[:2]
        grain = rng.normal(0, sigma * 0.7, (*shape, 1)) + rng.normal(0, sigma * 0.7, (*shape, 3))
        return recoloured(state, state.pixels + grain, noise=sigma)

    return step


def posterise(levels: Range) -> Step:
    """Few values per channel."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        count = round(draw(rng, levels)) - 1
        return recoloured(state, np.rint(state.pixels / 255 * count) / count * 255, posterise=count + 1)

    return step
