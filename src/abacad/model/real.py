"""The panel network in real numbers, for runtimes that know neither complex numbers nor Fourier transforms (ONNX).

Everything that the transforms of `abacad.model.lines` do to planes of one shape is linear: a product with the cosines
and sines of a discrete Fourier transform before and after the shifts, whose phases are two real matrices as well.
Nothing is trained here; the answers are those of the network up to rounding.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from abacad.model.evidence import evidence_of
from abacad.model.lines import REFERENCE, Starts, padded
from abacad.model.panel import LineBranch, PanelNetwork, middle
from abacad.signal.cadence import N_PANELS
from abacad.types import Logits, Planes


class RealPanelNetwork(nn.Module):
    """A trained panel network for planes of one shape.

    Args:
        network: Whose weights are taken.
        n_time: Rows of a plane.
        n_freq: Channels.
        panel_start: Starts of the panels, in lengths of a panel.
    """

    pooled: Tensor

    def __init__(self, network: PanelNetwork, n_time: int, n_freq: int, panel_start: Starts) -> None:
        """Keep the network's parts, and make the matrices of its transforms."""
        super().__init__()
        self.network = network
        self.n_freq4 = -(-n_freq // 4)
        self.register_buffer("pooled", _windows(-(-n_freq // 2), self.n_freq4))
        lines = network.lines
        self.maps = None if lines is None else _Lines(n_time, n_freq, lines.max_drift, panel_start, 1)
        self.joint = None if lines is None else _Lines(n_time, n_freq, lines.max_drift, panel_start, 4)

    def forward(self, planes: Planes) -> Logits:
        """The log-odds that a needle stands in the ON panels alone."""
        network = self.network
        views = planes.unflatten(1, (network.n_views, N_PANELS))
        features = self._panel_features(views)
        if network.lines is not None:
            lines = self._line_features(network.lines, views[:, network.line_view])
            features = torch.cat([features, lines[..., self.pooled].amax(-1)], 1)
        per_freq = network.answer(network.head(features))[:, 0]
        return torch.logsumexp(per_freq, -1) - math.log(self.n_freq4)

    def _panel_features(self, views: Float[Tensor, "batch view panel time freq"]) -> Float[Tensor, "batch n freq4"]:
        branch = self.network.panels
        encoded = branch.encoder(views.transpose(1, 2).flatten(0, 1))
        pooled = torch.cat([encoded.amax(2), encoded.mean(2)], 1).unflatten(0, (-1, N_PANELS))
        on, off = pooled[:, 0::2], pooled[:, 1::2].amax(1)
        near = nn.functional.max_pool1d(off, 9, 1, 4)
        return branch.compare(torch.cat([on.amax(1), on.mean(1), middle(*on.unbind(1)), off, near], 1))

    def _line_features(
        self, branch: LineBranch, panels: Float[Tensor, "batch panel time freq"]
    ) -> Float[Tensor, "batch n freq2"]:
        assert self.maps is not None
        assert self.joint is not None
        return branch.read(evidence_of(self.maps(panels), self.joint(panels[:, 0::2]))).amax(2)


def _windows(n_in: int, n_out: int) -> Int[Tensor, "window pixel"]:
    """Pixels that adaptive pooling takes together: window i from ⌊i·n_in/n_out⌋ to below ⌈(i + 1)·n_in/n_out⌉."""
    number = torch.arange(n_out)
    first, last = number * n_in // n_out, -(-(number + 1) * n_in // n_out) - 1
    steps = torch.arange(int((last - first).max()) + 1)
    return torch.minimum(first[:, None] + steps, last[:, None])


class _Lines(nn.Module):
    """Sums along straight lines: of each panel (`steps` 1), or of the three ON panels together in quarter steps (4)."""

    shift: Tensor
    angle: Tensor
    forth_cos: Tensor
    forth_sin: Tensor
    back_cos: Tensor
    back_sin: Tensor

    def __init__(self, n_time: int, n_freq: int, max_drift: int, panel_start: Starts, steps: int) -> None:
        super().__init__()
        self.together = steps > 1
        starts = torch.tensor(panel_start, dtype=torch.float64)
        row = (torch.arange(n_time) + 0.5) / n_time - 0.5
        since = row + (starts - starts[REFERENCE])[:, None]
        if self.together:
            since = since[0::2].reshape(1, -1)
        shift = torch.arange(-max_drift * steps, max_drift * steps + 1) / steps * since[..., None]
        self.register_buffer("shift", shift.float())
        length = padded(n_freq, max_drift, panel_start)
        mode = torch.arange(length // 2 + 1, dtype=torch.float64)[:, None]
        self.register_buffer("angle", (2 * math.pi * mode / length).float()[..., None, None])
        self.scale = 1 / math.sqrt(n_time * (3 if self.together else 1))
        self._keep("forth", (2 * math.pi / length * torch.arange(n_freq) * mode).T, torch.ones(1))
        finer = 2 if self.together else 1
        weight = torch.full((length // 2 + 1, 1), 2.0 / length, dtype=torch.float64)
        # A real signal has each mode twice, as itself and its mirror image, but for the constant one.
        weight[0] /= 2
        if not self.together:
            weight[-1] /= 2  # the highest mode is its own mirror image
        self._keep("back", 2 * math.pi / (finer * length) * mode * torch.arange(finer * n_freq), weight)

    def _keep(self, name: str, angle: Tensor, scale: Tensor) -> None:
        self.register_buffer(f"{name}_cos", (angle.cos() * scale).float())
        self.register_buffer(f"{name}_sin", (angle.sin() * scale).float())

    def forward(self, panels: Float[Tensor, "batch panel time freq"]) -> Float[Tensor, "batch *drift_and_freq"]:
        """Maps (batch, panel, drift, freq); (batch, drift, freq) of the ON panels together."""
        if self.together:
            panels = panels.flatten(1, 2)[:, None]
        real = (panels @ self.forth_cos).permute(3, 1, 0, 2)
        imaginary = -(panels @ self.forth_sin).permute(3, 1, 0, 2)
        phase = self.angle * self.shift  # multiplied out here, the matrices would take 100 MB of the exported file
        cosine, sine = phase.cos() * self.scale, phase.sin() * self.scale
        moved = real @ cosine - imaginary @ sine
        turned = real @ sine + imaginary @ cosine
        maps = moved.permute(2, 1, 3, 0) @ self.back_cos - turned.permute(2, 1, 3, 0) @ self.back_sin
        return maps[:, 0] if self.together else maps
