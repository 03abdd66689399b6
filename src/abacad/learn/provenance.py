"""What a run was made of, for its run.json: data (known by their labels, and by what was simulated), tables that a user
may change between two starts (known by their bytes), versions of packages, seed and device."""

import hashlib
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from abacad import __version__
from abacad.config import Recipe
from abacad.data.simulated_folder import CARD
from abacad.learn.folds import groups_file, links_file
from abacad.overlap.links import OVERLAPS
from abacad.overlap.partners import needs_partners
from abacad.places import LABELS
from abacad.plain import open_plain


def fingerprint(root: Path, labels: pd.DataFrame) -> dict[str, Any]:
    """What tells one data folder from another, for run.json.

    A folder that was moved has the same labels, and reading all cadences would take minutes at each start. Labels alone
    do not tell simulated folders apart: those of one seed have the same ids and labels, whatever was simulated.

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
        "simulation_sha256": _digest(root / CARD),
    }


def tables(root: Path, recipe: Recipe) -> dict[str, str | None]:
    """Digests of the tables beside the labels that decide what a run trains on and holds back, for run.json.

    Args:
        root: The competition folder.
        recipe: Of the run; it names the tables.

    Returns:
        SHA-256 by the key of run.json. A table that is not there has no entry: whoever needs it says so. Only of the
        groups file of the data folder it counts that it is absent, since folds are then made without it.
    """
    wanted = recipe.data
    places = {
        "groups_sha256": groups_file(wanted.groups, root),
        "overlaps_sha256": links_file(wanted.groups, root),
        "partners_sha256": root / OVERLAPS if needs_partners(recipe) else None,
        "pseudo_sha256": Path(wanted.pseudo) if wanted.pseudo else None,
        "verdicts_sha256": Path(wanted.verdicts) if wanted.verdicts else None,
    }
    found = {key: None if path is None else _digest(path) for key, path in places.items()}
    counts_without = {"groups_sha256"} if wanted.groups == "auto" else set()
    return {key: digest for key, digest in found.items() if digest is not None or key in counts_without}


def scored_data(root: Path) -> dict[str, Any]:
    """What tells the folder of a prediction from others, for run.json.

    Its labels are known by the bytes of their file, which need not be there, nor hold what a training could use.
    """
    return {
        "folder": str(root.resolve()),
        "labels_file_sha256": _digest(root / LABELS),
        "simulation_sha256": _digest(root / CARD),
    }


def is_another_simulation(noted: Mapping[str, Any], root: Path) -> bool:
    """Whether a prediction is `noted` to be of a folder with another simulation.json than this one, or of one without.

    A prediction of an earlier version did not note it: false.
    """
    return "simulation_sha256" in noted and noted["simulation_sha256"] != _digest(root / CARD)


def is_of(noted: Mapping[str, Any], root: Path) -> bool:
    """Whether a prediction is `noted` to be of this folder, or of one with the same labels that has moved."""
    if is_another_simulation(noted, root):
        return False
    now = scored_data(root)
    labels = now["labels_file_sha256"]
    return noted.get("folder") == now["folder"] or (labels is not None and noted.get("labels_file_sha256") == labels)


def _digest(path: Path) -> str | None:
    """SHA-256 of the bytes of a file; none where there is no such file, or it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open_plain(path) as file:
            while part := file.read(1 << 20):  # not at once: overlaps.csv may have 512 MB
                digest.update(part)
    except OSError:
        return None
    return digest.hexdigest()


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
