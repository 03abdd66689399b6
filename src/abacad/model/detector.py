"""The detector: planes in, one logit out. Any timm backbone, or the compact panel network."""

import logging
from functools import cache
from importlib.resources import files
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from abacad.config import Model, Represent
from abacad.errors import AbacadError, brief, plain_name
from abacad.model.evidence import Evidence, Lines
from abacad.model.panel import FIRST_LAYER, PanelNetwork, for_views
from abacad.model.tensors import compare, read_weights
from abacad.plain import build
from abacad.represent.representation import representation
from abacad.signal.cadence import Axes
from abacad.types import Logits, Planes

log = logging.getLogger(__name__)

SHIPPED = Path(str(files("abacad").joinpath("weights", "panel.safetensors")))
"""Weights of the panel network, trained on simulated cadences alone; README.md beside them says how."""
SHIPPED_FEW_ROWS = SHIPPED.with_name("panel-few-rows.safetensors")
"""The same for panels of few rows, as in Breakthrough Listen's fine product."""
SHIPPED_STAMPS = SHIPPED.with_name("panel-stamps.safetensors")
"""The same for stamps of few rows, which the search cuts along the lines that it finds."""
_FIRST = f"backbone.{FIRST_LAYER}"


class Detector(nn.Module):
    """A backbone behind an optional resize, and the axes of the cadences that it was made for.

    Attributes:
        axes: When the panels of a cadence began that brings no axes of its own.
    """

    def __init__(self, backbone: nn.Module, size: int | None = None, axes: Axes | None = None) -> None:
        """Take a backbone that gives (batch, 1); none for `axes` means the competition's."""
        super().__init__()
        self.backbone, self.size, self.axes = backbone, size, axes or Axes()

    def forward(self, planes: Planes, axes: Axes | None = None, evidence: Evidence | None = None) -> Logits:
        """The log-odds of a needle for each cadence of a batch (batch, plane, row, freq).

        Args:
            planes: As the representation makes them.
            axes: When the panels of these cadences began; none means the detector's own. The panel network follows
                lines through the gaps between panels by them; an image network has no use for them.
            evidence: What the panel network would find along lines (`abacad.model.evidence`), where it was kept; none:
                it finds out.
        """
        if self.size is not None:
            # antialias: without it a smaller image takes single pixels, and lines between them are lost
            planes = F.interpolate(planes, (self.size, self.size), mode="bilinear", antialias=True)
        if isinstance(self.backbone, PanelNetwork):
            return self.backbone(planes, (axes or self.axes).panel_start, evidence).flatten()
        return self.backbone(planes).flatten()

    def lines_of(self, axes: Axes | None = None) -> Lines | None:
        """Which lines the panel network sums up in cadences with these axes; none: its own. None of other networks."""
        if not isinstance(self.backbone, PanelNetwork) or self.backbone.line_view is None:
            return None
        return self.backbone.lines_of((axes or self.axes).panel_start)


def build_detector(model: Model, represent: Represent, axes: Axes | None = None) -> Detector:
    """The detector of a recipe, its first convolution fitted to the number of planes.

    Args:
        model: Which detector.
        represent: What it reads.
        axes: Of the cadences that it is trained on; none means the competition's.

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
        return _panel_detector(model, represent, axes)
    # timm takes 2 s and 190 MB, which the panel network does without
    from abacad.model.backbone import IN_DOMAIN, START_READS, timm_backbone

    if model.weights == IN_DOMAIN and (represent != START_READS or model.stem_stride != 1):
        _tell_start(model.name)
    return Detector(timm_backbone(model, representation(represent).n_planes), model.size, axes)


@cache  # once for all folds
def _tell_start(name: str) -> None:
    from abacad.model.backbone import START_READS

    log.info(
        "The in-domain start of %s was trained on represent.kind %s with rows %d and cleaned %s, and stem_stride 1: "
        "this run reads something else and may gain little from it",
        *(name, START_READS.kind, START_READS.rows, str(START_READS.cleaned).lower()),
    )


def line_view(represent: Represent) -> int | None:
    """Number of the view in which the panel network sums along lines; none where there is no such view.

    It is the one in which what stands in ON and OFF alike is taken out: without `clean` line maps show carriers.
    """
    return represent.views.index("clean") if "clean" in represent.views else None


def _panel_detector(model: Model, represent: Represent, axes: Axes | None) -> Detector:
    detector = Detector(PanelNetwork(len(represent.views), model.width, line_view(represent)), axes=axes)
    if model.weights is None and not model.pretrained:
        return detector
    path = SHIPPED
    if model.weights is not None:
        from abacad.model.backbone import IN_DOMAIN, weights_file

        path = SHIPPED if model.weights == IN_DOMAIN else weights_file(model)
    try:
        weights, trained_on = _panel_weights(path)
        # the views in common keep their weights, so that the answer before training is that of these views alone
        if trained_on and trained_on != represent.views:
            weights[_FIRST] = for_views(weights[_FIRST], trained_on, represent.views)
        compare(path, weights, detector.state_dict())
        detector.load_state_dict(weights)
    except (RuntimeError, KeyError, ValueError, TypeError, AbacadError) as error:
        raise AbacadError(
            f"{plain_name(path)} does not hold weights of this panel network: {brief(str(error), 120)}\n"
            "It takes those of a run with the same model.width, and with the view `clean` where this one has it.\n"
            "Start from random weights: --model.pretrained false."
        ) from error
    if trained_on:
        _tell_views(path, trained_on, represent.views)
    return detector


def _panel_weights(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The weights in a file, and the views that they were trained on: none where the file does not say."""
    about, weights = read_weights(path)
    represent = build(Represent, about["represent"], "represent") if "represent" in about else None
    return weights, () if represent is None else represent.views


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
