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
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from abacad.signal.cadence import N_PANELS, Axes
from abacad.types import Logits, Planes

Maps = Float[Tensor, "batch panel drift freq"]
Starts = tuple[float, ...]
"""Start of each panel since that of the first, in lengths of a panel (`Axes.panel_start`)."""

_USUAL = Axes()
FIRST_LAYER = "panels.encoder.0.0.weight"
"""The only weights that know which views there are."""
_REFERENCE = 2  # the panel in whose middle a line's frequency is read


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
        max_drift: int = 36,
        panel_start: Starts = _USUAL.panel_start,
        prior: float = 0.5,
    ) -> None:
        """Build the network from random weights."""
        super().__init__()
        self.n_views, self.line_view, self.panel_start = n_views, line_view, tuple(panel_start)
        self.panels = PanelBranch(n_views, width)
        self.lines = LineBranch(2 * width, max_drift) if line_view is not None else None
        n_features = self.panels.n_features + (self.lines.n_features if self.lines else 0)
        self.head = nn.Sequential(
            nn.Conv1d(n_features, 2 * width, 5, padding=2, bias=False),
            nn.BatchNorm1d(2 * width),
            nn.ReLU(),
        )
        self.answer = nn.Conv1d(2 * width, 1, 1)
        nn.init.constant_(self.answer.get_parameter("bias"), math.log(prior / (1 - prior)))

    def forward(self, planes: Planes, panel_start: Starts | None = None) -> Logits:
        """Log-odds that a needle stands in the ON panels alone; `panel_start` as in the constructor."""
        views = planes.unflatten(1, (self.n_views, N_PANELS))
        features = self.panels(views)
        if self.lines is not None:
            lines = self.lines(views[:, self.line_view], panel_start or self.panel_start)
            features = torch.cat([features, functional.adaptive_max_pool1d(lines, features.shape[-1])], 1)
        with torch.autocast(planes.device.type, enabled=False):  # bf16 has 3 digits: too few to rank cadences by
            per_freq = self.answer(self.head(features.float()))[:, 0]
        return torch.logsumexp(per_freq, -1) - math.log(per_freq.shape[-1])


class PanelBranch(nn.Module):
    """Encodes each panel alone, pools over time and compares ON with OFF."""

    def __init__(self, n_views: int, width: int) -> None:
        """Build the encoder of `width`, 2·`width` and 3·`width` features and the layer that compares panels."""
        super().__init__()
        self.n_features = 2 * width
        self.encoder = nn.Sequential(
            _layer(n_views, width, 5, (3, 2)),
            _layer(width, 2 * width, 3, (2, 1)),
            _layer(2 * width, 3 * width, 3, (2, 2)),
        )
        self.compare = nn.Sequential(
            nn.Conv1d(5 * 2 * 3 * width, self.n_features, 3, padding=1, bias=False),
            nn.BatchNorm1d(self.n_features),
            nn.ReLU(),
        )

    def forward(self, views: Float[Tensor, "batch view panel time freq"]) -> Float[Tensor, "batch feature freq4"]:
        """Features for each four channels."""
        panels = views.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)  # faster on a CPU
        encoded = self.encoder(panels)
        pooled = torch.cat([encoded.amax(2), encoded.mean(2)], 1).unflatten(0, (-1, N_PANELS))
        on, off = pooled[:, 0::2], pooled[:, 1::2].amax(1)
        near = functional.max_pool1d(off, 9, 1, 4)  # interference drifts between panels, too
        two = on.median(1).values  # the middle of three: what at least two ON panels hold
        return self.compare(torch.cat([on.amax(1), on.mean(1), two, off, near], 1))


class LineBranch(nn.Module):
    """Reads line maps: (batch, 6, time, freq) → (batch, n, freq/2)."""

    n_features = 8

    def __init__(self, width: int, max_drift: int) -> None:
        """Build the reader of `width` features for lines up to `max_drift` channels a panel."""
        super().__init__()
        self.max_drift = max_drift
        self.read = nn.Sequential(_layer(10, width, 3), _layer(width, width, 1), nn.Conv2d(width, self.n_features, 1))

    def forward(
        self, panels: Float[Tensor, "batch panel time freq"], panel_start: Starts
    ) -> Float[Tensor, "batch feature freq2"]:
        """The largest answer over all drifts, for each two channels."""
        maps = line_maps(panels, self.max_drift, panel_start)
        joint_on = joint_lines(panels[:, 0::2], self.max_drift, panel_start)
        standing = joint_on[:, joint_on.shape[1] // 2, None]
        joint_on = _halved(_halved(_paired(joint_on, -2)))
        evidence = self._evidence(maps, joint_on, _halved(_halved(standing)))
        evidence = evidence.contiguous(memory_format=torch.channels_last)
        return self.read(evidence).amax(2)

    def _evidence(
        self, maps: Maps, joint_on: Float[Tensor, "batch drift2 freq2"], standing: Float[Tensor, "batch 1 freq2"]
    ) -> Float[Tensor, "batch 10 drift2 freq2"]:
        """Ten maps that the reader sees, in this order.

        Joint ON, joint OFF; each of the three ON panels; each of the three OFF panels, largest within a neighbourhood;
        the excess of joint ON over any OFF panel; and its excess over a line that does not drift.
        """
        on, off = maps[:, 0::2], maps[:, 1::2]
        joint = torch.stack([joint_on, _halved(_joint(off))], 1)
        near = _spread(_spread(_halved(off), -1), -2)
        # below 3 σ OFF panels hold noise only, which should not be subtracted
        excess = joint[:, :1] - near.amax(1, keepdim=True).clamp_min(3.0)
        moving = joint[:, :1] - _spread(standing, -1)[:, None].clamp_min(3.0)
        evidence = torch.cat([joint, _halved(on), near, excess, moving], 1)
        # Soft saturation, within ±3: 1.5 at 6 σ. A carrier of 1000 σ must not drown a needle of 8 σ in the batch norm.
        return 3 * evidence / (6 + evidence.abs())


def for_views(
    weights: Float[Tensor, "feature view time freq"], trained_on: Sequence[str], wanted: Sequence[str]
) -> Float[Tensor, "feature wanted time freq"]:
    """First-layer weights for other views than they were trained on: each view keeps its own, a new one has zeros.

    So a new view changes no score before training, and the weights of views that are not wanted are dropped.
    """
    own = dict(zip(trained_on, weights.unbind(1), strict=True))
    return torch.stack([own[view] if view in own else torch.zeros_like(weights[:, 0]) for view in wanted], 1)


def line_maps(panels: Float[Tensor, "batch panel time freq"], max_drift: int, panel_start: Starts) -> Maps:
    """Sum each panel along straight lines: (batch, 6, time, freq) → (batch, 6, 2·max_drift + 1, freq).

    The pixel (d, f) of panel p holds the sum over its rows along the line that drifts d − max_drift channels a panel
    and passes channel f in the middle of panel 2; the line continues through slews, and where it leaves the band
    nothing is added. Sums are divided by √time, so that white noise keeps its σ. Rows are shifted by fractions of a
    channel as phases of their Fourier transform, which makes all sums one matrix product per Fourier mode.
    """
    n_time, n_freq = panels.shape[-2:]
    modes = torch.fft.rfft(panels, n=2 * n_freq).permute(3, 1, 0, 2)
    phases = _phases(n_time, n_freq, max_drift, panel_start).to(modes.device)
    return torch.fft.irfft((modes @ phases).permute(2, 1, 3, 0), n=2 * n_freq)[..., :n_freq]


def joint_lines(
    panels: Float[Tensor, "batch 3 time freq"], max_drift: int, panel_start: Starts
) -> Float[Tensor, "batch fine_drift fine_freq"]:
    """The three ON panels summed along straight lines, in quarter steps of drift and half steps of frequency.

    Returns (batch, 8·max_drift + 1, 2·freq), σ of white noise kept. A line through three panels strays from the nearest
    line of `line_maps` by up to a channel, which takes 40 % of its SNR on average; from the nearest one here, 21 %. The
    panels are added before the inverse transform, so that there is one instead of three.
    """
    n_time, n_freq = panels.shape[-2:]
    modes = torch.fft.rfft(panels, n=2 * n_freq).flatten(1, 2).permute(2, 0, 1)
    phases = _joint_phases(n_time, n_freq, max_drift, panel_start).to(modes.device)
    return 2 * torch.fft.irfft((modes @ phases).permute(1, 2, 0), n=4 * n_freq)[..., : 2 * n_freq]


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # cached: a tensor made in inference mode would break a later training step
def _phases(n_time: int, n_freq: int, max_drift: int, panel_start: Starts, steps: int = 1) -> Tensor:
    """e^{2πi·mode·shift} / √time: (mode, 6, time, drift), in `steps` steps a channel of drift."""
    row = (torch.arange(n_time) + 0.5) / n_time - 0.5
    starts = torch.tensor(panel_start, dtype=torch.float32)
    since = row + (starts - starts[_REFERENCE])[:, None]
    shift = torch.arange(-max_drift * steps, max_drift * steps + 1) / steps * since[..., None]
    mode = torch.arange(n_freq + 1) / (2 * n_freq)
    return torch.exp(2j * math.pi * mode[:, None, None, None] * shift) / math.sqrt(n_time)


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def _joint_phases(n_time: int, n_freq: int, max_drift: int, panel_start: Starts) -> Tensor:
    """Phases that shift the rows of the three ON panels: (mode, 3·time, drift), four steps a channel of drift.

    Divided by √3, so that white noise keeps its σ when the three panels are added.
    """
    on = _phases.__wrapped__(n_time, n_freq, max_drift, panel_start, 4)[:, 0::2]
    return on.flatten(1, 2) / math.sqrt(3)


def _joint(maps: Float[Tensor, "batch 3 drift freq"]) -> Float[Tensor, "batch drift freq"]:
    """Three panels of a class added, σ kept.

    A drift between two steps of the maps moves a line by up to half a channel times the two periods that separate
    panels of a class: the best of −1, 0 and +1 channel is taken.
    """
    first, middle, last = maps[:, 0], maps[:, 1], maps[:, 2]
    ends = first + last
    turned = torch.maximum(first[..., :-2] + last[..., 2:], first[..., 2:] + last[..., :-2])
    best = torch.cat([ends[..., :1], torch.maximum(ends[..., 1:-1], turned), ends[..., -1:]], -1)
    return (best + middle) / math.sqrt(3)


def _paired(maps: Tensor, dim: int) -> Tensor:
    """Largest of each two neighbours along one dimension; the last one alone where their number is odd.

    Slices and `torch.maximum` take a tenth of the time of max_pool2d on a CPU.
    """
    n = maps.shape[dim] // 2
    pairs = maps.narrow(dim, 0, 2 * n).unflatten(dim, (n, 2))
    largest = torch.maximum(pairs.select(dim, 0), pairs.select(dim, 1))
    return torch.cat([largest, maps.narrow(dim, 2 * n, maps.shape[dim] - 2 * n)], dim)


def _halved(maps: Tensor) -> Tensor:
    """Largest of 2 × 2 pixels, of fewer at the ends: (*, drift, freq) → (*, ⌈drift/2⌉, ⌈freq/2⌉)."""
    return _paired(_paired(maps, -1), -2)


def _spread(maps: Tensor, dim: int) -> Tensor:
    """Largest of a pixel and its two neighbours along one dimension."""
    n = maps.shape[dim]
    pairs = torch.maximum(maps.narrow(dim, 0, n - 1), maps.narrow(dim, 1, n - 1))
    inner = torch.maximum(pairs.narrow(dim, 0, n - 2), pairs.narrow(dim, 1, n - 2))
    return torch.cat([pairs.narrow(dim, 0, 1), inner, pairs.narrow(dim, n - 2, 1)], dim)


def _layer(n_in: int, n_out: int, kernel: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)
    )
