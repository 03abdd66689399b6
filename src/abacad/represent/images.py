"""Representations for image networks: differences of panels, panels as planes, panels stacked into one tall image.

    panel → mean 0, std 1 → difference or choice of panels → rows summed → sign(x)·log1p(|x|) → mean 0, std 1 per plane

Standardising each panel first makes every representation blind to the gain and the offset of a panel (the competition's
panels come standardised; raw telescope power does not). Values are negative as often as positive, where log1p is not
defined: the signed form is odd, finite everywhere, and equal to log1p above zero. A constant or dead panel gives zeros.

Rows are summed before the contrast is compressed, while a needle still adds linearly: seven rows raise the SNR of a
pixel on a slow needle by √7, and leave a seventh of the pixels to an image network.

With `represent.cleaned` carriers, bursts and gains are taken out first (`abacad.represent.clean`): the gain of a
carrier differs from panel to panel, and what a difference leaves of it is brighter than most needles.
"""

import torch
from torch import Tensor

from abacad.config import Represent
from abacad.represent.clean import cleaned
from abacad.represent.representation import Representation
from abacad.represent.residual import Residual
from abacad.represent.rows import row_sums
from abacad.represent.standard import signed_log1p, standardise
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.types import Panels, Planes


class AllPanels(Representation):
    """`panels`: each of the six panels is a plane."""

    panels: tuple[int, ...] = tuple(range(N_PANELS))
    """Panels that are shown, in their order."""

    def __init__(self, recipe: Represent) -> None:
        """Keep the parameters."""
        super().__init__(recipe)
        self.n_planes = len(self.panels)

    def make(self, panels: Panels, residual: Residual | None = None) -> Planes:
        """Standardised panels, rows summed and compressed as the recipe says, standardised again."""
        flat = panels.reshape(-1, *panels.shape[-3:])
        # On a CPU one cadence at a time: what lies between the steps stays in its cache, which is ten times faster.
        on_cpu = flat.device.type == "cpu"
        made = torch.cat([self._made(part) for part in flat.split(1 if on_cpu else max(1, len(flat)))])
        return made.reshape(*panels.shape[:-3], *made.shape[1:])

    def _made(self, panels: Panels) -> Planes:
        if self.recipe.cleaned:
            panels = cleaned(panels)
        planes = self.chosen(standardise(panels.float()))
        if self.recipe.summed_rows > 1:
            planes = row_sums(planes, self.recipe.summed_rows)
        if self.recipe.contrast == "log1p":
            planes = signed_log1p(planes)
        return self.stacked(standardise(planes))

    def chosen(self, panels: Panels) -> Tensor:
        """The panels that are shown."""
        return panels[..., list(self.panels), :, :]

    def by_panel(self, evidence: Planes, planes: Planes) -> Panels:
        """Panels that are not shown carry no evidence."""
        images = self.unstacked(evidence)
        # panels that are not among the planes keep 0
        out = images.new_zeros((len(images), N_PANELS, *images.shape[-2:]))
        out[:, list(self.panels)] = images
        return out

    def time_reversed(self, n_images: int) -> list[int]:
        """The last plane comes first where ON panels are shown alone; six panels as `Representation` says."""
        return super().time_reversed(n_images) if len(self.panels) == N_PANELS else list(reversed(range(n_images)))


class OnPanels(AllPanels):
    """`on`: each of the three ON panels is a plane."""

    panels = ON


class Difference(OnPanels):
    """`difference`: ON1 − OFF1, ON2 − OFF2, ON3 − OFF3."""

    def chosen(self, panels: Panels) -> Tensor:
        """Each ON panel less the OFF panel that follows it."""
        return panels[..., list(ON), :, :] - panels[..., list(OFF), :, :]

    def by_panel(self, evidence: Planes, planes: Planes) -> Panels:
        """An excess lies in the ON panel, a lack of power is an excess in the OFF panel."""
        out = evidence.new_zeros((len(evidence), N_PANELS, *evidence.shape[-2:]))
        out[:, list(ON)] = torch.where(planes > 0, evidence, 0.0)
        out[:, list(OFF)] = torch.where(planes < 0, evidence, 0.0)
        return out


class _Tall(AllPanels):
    """Panels one below the other in time, in one plane."""

    def __init__(self, recipe: Represent) -> None:
        """Keep the parameters."""
        super().__init__(recipe)
        self.n_planes = 1

    def stacked(self, images: Tensor) -> Tensor:
        """(*batch, panel, row, freq) → (*batch, 1, panel · row, freq)."""
        return images.flatten(-3, -2).unsqueeze(-3)

    def unstacked(self, planes: Tensor) -> Tensor:
        """(*batch, 1, panel · row, freq) → (*batch, panel, row, freq)."""
        return planes.squeeze(-3).unflatten(-2, (len(self.panels), -1))


class Tall(_Tall):
    """`tall`: the six panels stacked in time into one image."""


class TallOn(_Tall):
    """`tall_on`: the three ON panels stacked in time into one image."""

    panels = ON
