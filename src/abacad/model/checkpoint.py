"""A trained detector on disk: its weights, and everything that is needed to score with them again.

One safetensors file; the metadata holds, as JSON, the representation and the model of the recipe and the axes of the
cadences it was trained on, so that the file alone scores a cadence.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from abacad import __version__
from abacad.config import Model, Represent
from abacad.errors import AbacadError, brief
from abacad.files import replacing
from abacad.model.detector import Detector, build_detector
from abacad.signal.cadence import Axes

_FORMAT = 2
"""Files before 2 say 7 rows of every kind of representation, but only `binned` summed them then."""


def save_detector(path: Path, detector: Detector, model: Model, represent: Represent) -> None:
    """Write a detector in one step."""
    about = {
        "version": __version__,
        "format": _FORMAT,
        "model": asdict(model) | {"name": _architecture(detector, model.name)},
        "represent": asdict(represent),
        "axes": asdict(detector.axes),
    }
    weights = {name: value.detach().cpu().contiguous() for name, value in detector.state_dict().items()}
    with replacing(path) as temporary:
        save_file(weights, temporary, metadata={"abacad": json.dumps(about)})


def load_detector(path: Path, device: torch.device | str = "cpu") -> tuple[Detector, Represent]:
    """A detector ready to score, and the representation that it was trained on.

    Raises:
        AbacadError: the file is absent, or no detector of ours.
    """
    if not path.is_file():
        raise AbacadError(
            f"There is no trained detector {path}.\nTrain one: abacad train DATA --run {path.parent.parent}."
        )
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})["abacad"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 — no mapping
    except (SafetensorError, KeyError, OSError) as error:
        raise AbacadError(f"{path} is no detector that abacad saved: {brief(str(error), 120)}") from error
    model = Model(**(about["model"] | {"pretrained": False, "weights": None}))
    represent = _representation(about)
    detector = build_detector(model, represent, _axes(about))
    detector.load_state_dict(weights)
    return detector.to(device).eval(), represent


def _architecture(detector: Detector, name: str) -> str:
    """A name that builds the network again without the hub."""
    config = getattr(detector.backbone, "default_cfg", None) or {}
    return str(config.get("architecture", name)) if "/" in name else name


def _representation(about: dict[str, Any]) -> Represent:
    found = about["represent"] | {"views": tuple(about["represent"]["views"])}
    if about.get("format", 1) < _FORMAT and found["kind"] != "binned":
        found["rows"] = 1
    return Represent(**found)


def _axes(about: dict[str, Any]) -> Axes | None:
    """The axes in the metadata; files of earlier versions hold none, and mean the competition's."""
    found = about.get("axes")
    return None if found is None else Axes(**(found | {"panel_start_s": tuple(found["panel_start_s"])}))
