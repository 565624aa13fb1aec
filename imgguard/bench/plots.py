"""The report's pictures, as SVG: the same figures give the same bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"imgguard": "#0b5fa5", "sscd": "#c4541d", "pdq": "#4b8b3b", "phash": "#8a6d9e"}
_SMALLEST = 0.0005  # shares are drawn on a logarithmic axis: zero has to be put somewhere


def draw(accuracy: Mapping[str, Any], names: Mapping[str, str], folder: Path) -> list[Path]:
    """DET curves, Tippett plot and recall per edit, from the thorough profile's figures, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = accuracy["profiles"]["thorough"]
    drawn = {
        "det.svg": _det(figures["methods"], names),
        "tippett.svg": _tippett(figures["tippett"], figures["shipped"]["threshold"]),
        "edits.svg": _edits(figures["edits"]),
    }
    return [_save(figure, folder / name) for name, figure in drawn.items()]


def _save(figure: "Figure", path: Path) -> Path:
    import matplotlib as mpl

    # Identifiers from a fixed salt, no date, text as text: the bytes depend on the figures alone.
    with mpl.rc_context({"svg.hashsalt": "imgguard", "svg.fonttype": "none"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    return path


def _blank(width: float, height: float) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _det(methods: Mapping[str, Any], names: Mapping[str, str]) -> "Figure":
    figure, axes = _blank(6.4, 5.0)
    for method, found in methods.items():
        x = np.maximum(found["det"]["x"], _SMALLEST)
        y = np.maximum(found["det"]["y"], _SMALLEST)
        axes.step(x, y, where="post", label=names[method], color=_COLOURS.get(method))
    axes.set(xscale="log", yscale="log", xlim=(_SMALLEST, 1), ylim=(_SMALLEST, 1.05))
    axes.set(xlabel="negatives accused (share; the left edge is none)", ylabel="copies missed (share)")
    axes.set_title("Misses against false accusations (DET)")
    axes.legend(loc="lower left")
    return figure


def _tippett(curves: Mapping[str, Any], threshold: float) -> "Figure":
    figure, axes = _blank(6.4, 4.4)
    for name, colour, text in (
        ("copies", "#0b5fa5", "copies"),
        ("negatives", "#c4541d", "other photographs"),
    ):
        axes.step(curves[name]["x"], curves[name]["y"], where="pre", color=colour, label=text)
    axes.axvline(threshold, color="#333333", linestyle="--", linewidth=1, label="shipped threshold")
    axes.set(xlabel="log10 likelihood ratio", ylabel="share with at least this ratio", ylim=(-0.02, 1.02))
    axes.set_title("Tippett plot")
    axes.legend(loc="center left")
    return figure


def _edits(rows: Sequence[Mapping[str, Any]]) -> "Figure":
    ordered = sorted(rows, key=lambda row: (-row["imgguard"], row["edit"]))
    figure, axes = _blank(7.6, 0.24 * len(ordered) + 1.4)
    places = np.arange(len(ordered))[::-1]
    axes.barh(places + 0.2, [row["imgguard"] for row in ordered], 0.4, color=_COLOURS["imgguard"], label="imgguard")
    if all("sscd" in row for row in ordered):
        axes.barh(places - 0.2, [row["sscd"] for row in ordered], 0.4, color=_COLOURS["sscd"], label="SSCD alone")
    axes.set_yticks(places, [f"{row['edit']} ({row['n']})" for row in ordered], fontsize=8)
    axes.set(xlabel="recall at zero false accusations", xlim=(0, 1))
    axes.margins(y=0.01)
    axes.legend(loc="lower left")
    return figure
