"""What every representation can do, and the one place that finds a representation by its name.

A representation turns the six panels of a cadence into *planes*, the images that a detector reads. Whoever trains,
augments, scores or explains asks the representation for what it needs to know. A new kind is one class and
one line in `abacad.config.REPRESENTATIONS` (docs/extending.md).
"""

from abc import ABC, abstractmethod
from functools import lru_cache
from importlib import import_module

from torch import Tensor

from abacad.config import REPRESENTATIONS, Represent
from abacad.represent.residual import Residual
from abacad.signal.cadence import N_PANELS
from abacad.types import Panels, Planes

TIME_REVERSED_PANELS = (4, 3, 2, 1, 0, 5)
"""Which panel takes each place when time is reversed.

The ON panels stay at the ON places, so that the label stays true. The last OFF panel, whose place in reversed time is
before the first ON, stays last.
"""


class Representation(ABC):
    """One way to turn a cadence into planes.

    Attributes:
        recipe: Parameters, as the recipe gives them.
        n_planes: Planes of a cadence; a detector's first convolution has as many inputs.
    """

    n_planes: int = N_PANELS

    def __init__(self, recipe: Represent) -> None:
        """Keep the parameters."""
        self.recipe = recipe

    @abstractmethod
    def make(self, panels: Panels, residual: Residual | None = None) -> Planes:
        """Planes of one cadence or of a batch, float32: (*batch, 6, time, freq) → (*batch, plane, row, freq).

        Args:
            panels: Any finite values; the result depends neither on the gain nor on the offset of any panel.
            residual: What other windows of the same observation leave of them; kinds that cannot use it ignore it.
        """

    @abstractmethod
    def by_panel(self, evidence: Planes, planes: Planes) -> Panels:
        """Evidence on planes, summed back onto the panels they came from: (batch, plane, …) → (batch, 6, row, freq).

        Args:
            evidence: What each pixel of the planes adds to the log-odds.
            planes: The planes themselves.
        """

    def unstacked(self, planes: Tensor) -> Tensor:
        """One panel (or one difference of panels) a plane, for kinds that stack several in one image."""
        return planes

    def stacked(self, images: Tensor) -> Tensor:
        """The inverse of `unstacked`."""
        return images

    def time_reversed(self, n_images: int) -> list[int]:
        """Which of the unstacked planes takes each place when time is reversed."""
        return [first + panel for first in range(0, n_images, N_PANELS) for panel in TIME_REVERSED_PANELS]

    def reverse_freq(self, planes: Planes) -> Planes:
        """The cadence with its frequency axis reversed."""
        return planes.flip(-1)

    def reverse_time(self, planes: Planes) -> Planes:
        """The cadence with time reversed: the rows of each panel, and the order of the panels.

        Reversing the rows alone would tear a needle that drifts from one ON panel into the next.
        """
        images = self.unstacked(planes)
        return self.stacked(images[..., self.time_reversed(images.shape[-3]), :, :].flip(-2))


@lru_cache(maxsize=16)
def representation(recipe: Represent) -> Representation:
    """The representation that a recipe names; the name was checked when the recipe was made."""
    # imported only when it is asked for, so that a kind may need a package that others do not
    module, name = REPRESENTATIONS[recipe.kind].split(":")
    return getattr(import_module(module), name)(recipe)


def represent(panels: Panels, recipe: Represent, residual: Residual | None = None) -> Planes:
    """Planes of a cadence, or of a batch of them, by the representation that the recipe names."""
    return representation(recipe).make(panels, residual)
