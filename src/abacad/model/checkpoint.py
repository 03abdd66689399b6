"""A trained detector on disk: its weights, and everything that is needed to score with them again.

One safetensors file; the metadata holds, as JSON, the representation and the model of the recipe and the axes of the
cadences it was trained on, so that the file alone scores a cadence, and the fold that it was trained in, so that the
weights of two folds cannot change places.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from abacad import __version__
from abacad.config import Model, Represent
from abacad.errors import AbacadError, brief, plain_name
from abacad.files import replacing
from abacad.model.detector import Detector, build_detector
from abacad.model.tensors import about_text, compare, on_no_device, read_weights
from abacad.plain import build
from abacad.signal.cadence import Axes

_FORMAT = 2
"""Files of format 1 say `rows: 7` for every kind of representation, although only `binned` summed rows then."""


def save_detector(
    path: Path, detector: Detector, model: Model, represent: Represent, *, fold: int | None = None
) -> None:
    """Write a detector in one step."""
    about = {
        "version": __version__,
        "format": _FORMAT,
        # Without the file that its training began with: that is a path of this machine, and nobody needs it to score.
        "model": asdict(model) | {"name": _architecture(detector, model.name), "weights": None},
        "represent": asdict(represent),
        "axes": asdict(detector.axes),
        "fold": fold,
    }
    # safetensors stores blocks of memory and refuses weights in channels-last order, which are none
    weights = {name: value.detach().cpu().contiguous() for name, value in detector.state_dict().items()}
    with replacing(path) as temporary:
        # `save_file` would make a file that its owner alone may read, whatever the umask says
        temporary.write_bytes(save(weights, metadata=about_text(about)))


def load_detector(
    path: Path, device: torch.device | str = "cpu", *, fold: int | None = None
) -> tuple[Detector, Represent]:
    """A detector ready to score, and the representation that it was trained on.

    Args:
        path: The file.
        device: Where to score.
        fold: The fold whose detector it has to be; none: any.

    Raises:
        AbacadError: the file is absent, no detector of ours, damaged, or that of another fold.
    """
    if not path.exists():
        raise AbacadError(
            f"There is no trained detector {plain_name(path)}.\n"
            f"Train one: abacad train DATA --run {plain_name(path.parent.parent)}."
        )
    about, weights = read_weights(path)
    # Files of earlier versions do not name their fold, and a pretraining's belongs to none: these fit any.
    if fold is not None and about.get("fold", fold) not in (fold, None):
        raise AbacadError(
            f"{plain_name(path)} holds the detector of fold {brief(str(about['fold']), 20)}, not of fold {fold}.\n"
            "Put the files of the folds back in their places, or train again."
        )
    model, represent, axes = _described(path, about)
    # Built without memory for its weights at first: a file may describe a network of 100 GB and hold none of it.
    try:
        wanted = on_no_device(build_detector, model, represent, axes).state_dict()
    except AbacadError as error:
        raise AbacadError(f"{plain_name(path)} holds no detector that can be built: {error}") from error
    compare(path, weights, wanted)
    detector = build_detector(model, represent, axes)
    detector.load_state_dict(weights)
    return detector.to(device).eval(), represent


def _architecture(detector: Detector, name: str) -> str:
    """A name that builds the network again without the hub."""
    config = getattr(detector.backbone, "default_cfg", None) or {}
    return str(config.get("architecture", name)) if "/" in name else name


def _described(path: Path, about: dict[str, Any]) -> tuple[Model, Represent, Axes | None]:
    """What the metadata say; files of earlier versions hold no axes, and mean the competition's."""
    try:
        model = build(Model, about.get("model"), "model")
        represent = _representation(about)
        axes = None if about.get("axes") is None else build(Axes, about["axes"], "axes")
    except AbacadError as error:
        raise AbacadError(f"{plain_name(path)} holds no detector that abacad saved: {error}") from error
    if "/" in model.name or ":" in model.name:
        raise AbacadError(
            f"{plain_name(path)} asks for the network {brief(model.name, 60)}, which is not in timm itself.\n"
            "Nothing is fetched to open a file. Take weights of a network that `timm.list_models()` names."
        )
    return replace(model, pretrained=False, weights=None), represent, axes


def _representation(about: dict[str, Any]) -> Represent:
    told = build(Represent, about.get("represent"), "represent")
    before = about.get("format", 1) != _FORMAT and told.kind != "binned"
    return replace(told, rows=1) if before else told
