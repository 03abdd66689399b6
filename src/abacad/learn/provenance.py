"""What a run was made of, for its run.json: data (known by their labels), versions of packages, seed and device."""

import hashlib
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from abacad import __version__


def fingerprint(root: Path, labels: pd.DataFrame) -> dict[str, Any]:
    """What tells one data folder from another, for run.json.

    A hash of the labels is enough: a folder that was moved has the same labels, and reading all cadences would take
    minutes at each start.

    Args:
        root: The competition folder.
        labels: Columns id and target.
    """
    digest = hashlib.sha256(labels.to_csv(index=False).encode()).hexdigest()
    return {
        "folder": str(root.resolve()),
        "cadences": len(labels),
        "positives": int(labels["target"].sum()),
        "labels_sha256": digest,
    }


def environment(seed: int, device: str) -> dict[str, Any]:
    """Versions, platform, seed and device of a run, for run.json.

    Args:
        seed: Seed of the recipe.
        device: Name of the device and the precision.
    """
    packages = ("torch", "lightning", "timm", "numpy", "scikit-learn", "albumentations", "safetensors")
    return {
        "abacad": __version__,
        "git": _git_revision(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: _version_of(name) for name in packages},
        "seed": seed,
        "device": device,
    }


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _git_revision() -> str | None:
    try:
        # The source's own folder is asked, not the current one: a user may start abacad inside a repository of his own.
        asked = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() or None if asked.returncode == 0 else None
