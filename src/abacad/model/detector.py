"""The detector: channels in, one logit out. Any timm backbone, or the compact panel network."""

import difflib
import json
import logging
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from abacad.config import Model, Represent
from abacad.errors import AbacadError, brief
from abacad.model.panel import FIRST_LAYER, PanelNetwork, for_views
from abacad.represent.kinds import n_channels
from abacad.types import Channels, Logits

log = logging.getLogger(__name__)

SHIPPED = Path(str(files("abacad").joinpath("weights", "panel.safetensors")))
"""Weights of the panel network, trained on simulated cadences alone; README.md beside them says how."""
SHIPPED_FEW_ROWS = SHIPPED.with_name("panel-few-rows.safetensors")
"""The same for panels of few rows, as in Breakthrough Listen's fine product."""
_FIRST = f"backbone.{FIRST_LAYER}"


class Detector(nn.Module):
    """A backbone behind an optional resize."""

    def __init__(self, backbone: nn.Module, size: int | None = None) -> None:
        """Take a backbone that gives (batch, 1)."""
        super().__init__()
        self.backbone, self.size = backbone, size

    def forward(self, channels: Channels) -> Logits:
        """The log-odds of a needle for each cadence of a batch (batch, channel, time, freq)."""
        if self.size is not None:
            channels = F.interpolate(channels, (self.size, self.size), mode="bilinear", antialias=True)
        return self.backbone(channels).flatten()


def build_detector(model: Model, represent: Represent) -> Detector:
    """The detector of a recipe, its first convolution fitted to the number of channels.

    Raises:
        AbacadError: the backbone is unknown, does not fit the representation, or its weights cannot be had.
    """
    if model.name == "panel":
        if represent.kind != "binned":
            raise AbacadError(
                f"The panel network sees the representation `binned`, not `{represent.kind}`.\n"
                "Add --represent.kind binned, or choose a timm backbone: --model.name efficientnet_b0."
            )
        if model.size is not None:
            raise AbacadError("The panel network takes no resize: leave model.size out (--model.size null).")
        return _panel_detector(model, represent)
    return Detector(_timm_backbone(model, n_channels(represent)), model.size)


def _panel_detector(model: Model, represent: Represent) -> Detector:
    lines = represent.views.index("clean") if "clean" in represent.views else None
    detector = Detector(PanelNetwork(len(represent.views), model.width, lines))
    if model.weights is None and not model.pretrained:
        return detector
    path = _weights_file(model) if model.weights else SHIPPED
    try:
        weights, trained_on = _panel_weights(path)
        if trained_on and trained_on != represent.views:
            weights[_FIRST] = for_views(weights[_FIRST], trained_on, represent.views)
        detector.load_state_dict(weights)
    except (RuntimeError, SafetensorError, KeyError, ValueError) as error:
        raise AbacadError(
            f"{path} does not hold weights of this panel network: {brief(str(error), 120)}\n"
            "It takes those of a run with the same model.width, and with the view `clean` where this one has it.\n"
            "Start from random weights: --model.pretrained false."
        ) from error
    if trained_on:
        _tell_views(path, trained_on, represent.views)
    return detector


def _panel_weights(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The weights in a file, and the views that they were trained on: none where the file does not say."""
    with safe_open(path, "pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 — no mapping
        about = json.loads((file.metadata() or {}).get("abacad", "{}"))
    return weights, tuple(about.get("represent", {}).get("views", ()))


@cache  # once for all folds
def _tell_views(path: Path, trained_on: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    new, dropped = (
        ", ".join(f"`{view}`" for view in some if view not in other)
        for some, other in ((wanted, trained_on), (trained_on, wanted))
    )
    if new:
        log.info("%s was trained without the view %s: its weights start at zero", path.name, new)
    if dropped:
        log.info("%s was trained with the view %s, too, which this run has not", path.name, dropped)


def _timm_backbone(model: Model, channels: int) -> nn.Module:
    if model.name not in timm.list_models() and "/" not in model.name:
        near = difflib.get_close_matches(model.name, timm.list_models(), n=3)
        raise AbacadError(
            f"timm knows no backbone '{model.name}'.\n"
            f"{'Near it: ' + ', '.join(near) + '. ' if near else ''}`panel` is the compact panel network."
        )
    options: dict[str, Any] = {"in_chans": channels, "num_classes": 1, "drop_rate": model.drop}
    if model.drop_path:
        options["drop_path_rate"] = model.drop_path
    if model.weights is not None:
        return _from_file(model, options)
    try:
        return timm.create_model(model.name, pretrained=model.pretrained, **options)
    except Exception as error:
        if not model.pretrained:
            raise
        raise AbacadError(
            f"The pretrained weights of {model.name} cannot be had: {brief(str(error), 120)}\n"
            "Start from random weights: --model.pretrained false. Or from a local file: --model.weights FILE."
        ) from error


def _from_file(model: Model, options: dict[str, Any]) -> nn.Module:
    path = _weights_file(model)
    try:
        return timm.create_model(model.name, pretrained=True, pretrained_cfg_overlay={"file": str(path)}, **options)
    except (RuntimeError, KeyError, ValueError, OSError, EOFError, SafetensorError) as error:
        raise AbacadError(
            f"{path} does not hold weights of {model.name}: {brief(str(error), 120)}\n"
            "It takes the .safetensors or .pth file that timm publishes for that very backbone."
        ) from error


def _weights_file(model: Model) -> Path:
    path = Path(model.weights or "")
    if not path.is_file():
        raise AbacadError(f"There is no file {path} of weights for {model.name}.\nName one: --model.weights FILE.")
    return path


def pick_device(asked: str = "auto") -> torch.device:
    """The device to score on: as asked, else CUDA, else MPS, else the CPU.

    Raises:
        AbacadError: the device asked for is not there.
    """
    if asked in ("auto", "gpu"):
        if torch.cuda.is_available():
            return torch.device("cuda")
        if torch.backends.mps.is_available():
            return torch.device("mps")
        if asked == "auto":
            return torch.device("cpu")
    try:
        device = torch.device(asked)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise AbacadError(
            f"The device {asked} is not there.\nLeave it out, or ask for `auto`, to take the one that is."
        ) from error
    return device
