"""The panel network: a detector of some 40,000 weights that knows how a cadence is built.

It looks at the `binned` representation in two ways and asks of both what stands in ON and not in OFF:

- *Panels.* One encoder, shared by the six panels, sees all views of a panel; what it finds is pooled over time, and
  compared between ON and OFF at each frequency. It finds needles that break off, wander or differ from panel to panel.
  The median of the three ON panels is what stands in two of them at least.
- *Lines.* Panels are summed along straight lines through the whole cadence, slews included, so that one line is one
  pixel of a (drift, frequency) map, the same in every panel that it stands in. The three ON maps are added before
  anything is thresholded: a line of 4 σ in each panel is one of 7 σ here. By how much a line exceeds the one that
  stands still at its place is a map, too: what is fixed to the ground does not drift. There is nothing to learn in the
  maps; a small network reads them.

Both end in features per frequency, from which a head makes one log-odds per frequency; a needle anywhere is a needle,
so the answer is their log-sum-exp.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from abacad.model.evidence import MAX_DRIFT, N_MAPS, Evidence, Lines
from abacad.model.lines import Starts
from abacad.signal.cadence import N_PANELS, Axes
from abacad.types import Logits, Planes

_USUAL = Axes()
FIRST_LAYER = "panels.encoder.0.0.weight"
"""The only weights that know which views there are."""


class PanelNetwork(nn.Module):
    """Detector for view-major planes of panels: (batch, 6·views, time, freq) → log-odds (batch,).

    It takes any number of rows and any number of channels from 32 on; the weights depend on neither.

    Args:
        n_views: views of a panel, planes that show it in different ways; see `abacad.represent.binned`.
        width: features of the encoder's first layer; the cost of training grows in proportion.
        line_view: number of the view that the line maps are made of; with None the network has no line branch.
        max_drift: fastest line in the maps, in channels a panel, in steps of one; 36 are 0.34 Hz/s in the competition.
        panel_start: start of each of the six panels since that of the first, in lengths of a panel: what a cadence is
            read with that brings no axes of its own. No weight depends on it.
        prior: share of positives that the untrained network answers; 0.5 where the loss weighs both classes alike.
    """

    def __init__(
        self,
        n_views: int = 3,
        width: int = 12,
        line_view: int | None = 1,
        max_drift: int = MAX_DRIFT,
        panel_start: Starts = _USUAL.panel_start,
        prior: float = 0.5,
    ) -> None:
        """Build the network from random weights."""
        super().__init__()
        self.n_views, self.line_view, self.panel_start = n_views, line_view, tuple(panel_start)
        self.panels = PanelBranch(n_views, width)
        self.lines = LineBranch(2 * width, max_drift) if line_view is not None else None
        n_features = self.panels.n_features + (self.lines.n_features if self.lines else 0)
        self.head = Layer(nn.Conv1d(n_features, 2 * width, 5, padding=2, bias=False), nn.BatchNorm1d(2 * width))
        self.answer = nn.Conv1d(2 * width, 1, 1)
        nn.init.constant_(self.answer.get_parameter("bias"), math.log(prior / (1 - prior)))

    def forward(self, planes: Planes, panel_start: Starts | None = None, evidence: Evidence | None = None) -> Logits:
        """Log-odds that a needle stands in the ON panels alone.

        Args:
            planes: (batch, 6·views, time, freq).
            panel_start: as in the constructor; none takes that of the constructor.
            evidence: of lines, as `Lines.in_planes` gives it, where it was made before; none makes it here.
        """
        views = planes.unflatten(1, (self.n_views, N_PANELS))
        features = self.panels(views)
        if self.lines is not None:
            if evidence is None:
                evidence = self.lines_of(panel_start or self.panel_start).in_planes(planes)
            lines = self.lines(evidence)
            features = torch.cat([features, functional.adaptive_max_pool1d(lines, features.shape[-1])], 1)
        with torch.autocast(planes.device.type, enabled=False):  # bf16 has 3 digits: too few to rank cadences by
            per_freq = self.answer(self.head(features.float()))[:, 0]
        # less the log of their number: the mean of the odds. Their sum would rise with the width of the window.
        return torch.logsumexp(per_freq, -1) - math.log(per_freq.shape[-1])

    def lines_of(self, panel_start: Starts) -> Lines:
        """Which lines the network sums up in cadences with these starts of panels; it has to have a line branch."""
        assert self.line_view is not None
        assert self.lines is not None
        return Lines(self.line_view, self.lines.max_drift, panel_start)


class PanelBranch(nn.Module):
    """Encodes each panel alone, pools over time and compares ON with OFF."""

    def __init__(self, n_views: int, width: int) -> None:
        """Build the encoder of `width`, 2·`width` and 3·`width` features and the layer that compares panels."""
        super().__init__()
        self.n_features = 2 * width
        self.encoder = nn.Sequential(
            # 3 rows at a time: as good as 2, and a fifth quicker (docs/lab-notebook.md, section 3)
            _layer(n_views, width, 5, (3, 2)),
            _layer(width, 2 * width, 3, (2, 1)),
            _layer(2 * width, 3 * width, 3, (2, 2)),
        )
        compare = nn.Conv1d(5 * 2 * 3 * width, self.n_features, 3, padding=1, bias=False)
        self.compare = Layer(compare, nn.BatchNorm1d(self.n_features))

    def forward(self, views: Float[Tensor, "batch view panel time freq"]) -> Float[Tensor, "batch feature freq4"]:
        """Features for each four channels."""
        # one copy, in which the views of a pixel lie beside each other (channels last): faster on a CPU
        panels = views.permute(0, 2, 3, 4, 1).flatten(0, 1).permute(0, 3, 1, 2)
        encoded = self.encoder(panels).permute(0, 2, 3, 1)  # features last, as they lie in memory
        pooled = torch.cat([encoded.amax(1), encoded.mean(1)], -1).unflatten(0, (-1, N_PANELS))
        on, off = pooled[:, 0::2], pooled[:, 1::2].amax(1)
        two = middle(*on.unbind(1))  # what at least two ON panels hold
        found = torch.cat([on.amax(1), on.mean(1), two, off], -1).transpose(1, 2)
        near = functional.max_pool1d(found[:, -off.shape[-1] :], 9, 1, 4)  # interference drifts between panels, too
        return self.compare(torch.cat([found, near], 1))


class LineBranch(nn.Module):
    """Reads the evidence of lines: (batch, map, drift2, freq2) → (batch, n, freq2)."""

    n_features = 8

    def __init__(self, width: int, max_drift: int) -> None:
        """Build the reader of `width` features for lines up to `max_drift` channels a panel."""
        super().__init__()
        self.max_drift = max_drift
        self.read = nn.Sequential(
            _layer(N_MAPS, width, 3), _layer(width, width, 1), nn.Conv2d(width, self.n_features, 1)
        )

    def forward(self, evidence: Evidence) -> Float[Tensor, "batch feature freq2"]:
        """The largest answer over all drifts, for each two channels."""
        return self.read(evidence.contiguous(memory_format=torch.channels_last)).amax(2)


def for_views(
    weights: Float[Tensor, "feature view time freq"], trained_on: Sequence[str], wanted: Sequence[str]
) -> Float[Tensor, "feature wanted time freq"]:
    """First-layer weights for other views than they were trained on: each view keeps its own, a new one has zeros.

    So a new view changes no score before training, and the weights of views that are not wanted are dropped.
    """
    own = dict(zip(trained_on, weights.unbind(1), strict=True))
    return torch.stack([own[view] if view in own else torch.zeros_like(weights[:, 0]) for view in wanted], 1)


def middle(first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    """The median of three, pixel by pixel: by comparisons alone, which every runtime has, and a tenth of its time."""
    low, high = torch.minimum(first, second), torch.maximum(first, second)
    return torch.maximum(low, torch.minimum(high, third))


class Layer(nn.Sequential):
    """Convolution, batch norm, ReLU.

    A batch norm that goes on with its own means and spreads, in scoring or frozen in training, is a factor and a
    summand of each feature. They are taken into the convolution then, which spares going through all features again,
    forward and backward; gradients reach the same weights.
    """

    def __init__(self, convolution: nn.Conv1d | nn.Conv2d, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        """Chain both; the convolution has no bias of its own."""
        super().__init__(convolution, norm, nn.ReLU(inplace=True))
        self.stride, self.padding, self.least = convolution.stride, convolution.padding, norm.eps
        self.convolve = functional.conv1d if isinstance(convolution, nn.Conv1d) else functional.conv2d

    def forward(self, planes: Tensor) -> Tensor:
        """(batch, feature, …) → (batch, new feature, …)."""
        convolution, norm, cut = self
        if norm.training:
            return super().forward(planes)
        means, spreads = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        factor = norm.get_parameter("weight") * torch.rsqrt(spreads + self.least)
        plain = convolution.get_parameter("weight")
        weight = plain * factor.view(-1, *[1] * (plain.ndim - 1))
        summand = norm.get_parameter("bias") - means * factor
        return cut(self.convolve(planes, weight, summand, self.stride, self.padding))


def _layer(n_in: int, n_out: int, kernel: int, stride: int | tuple[int, int] = 1) -> Layer:
    return Layer(nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(n_out))
