"""The near-ideal observer without its knowledge: it knows how needles are drawn, and finds out all else by itself.

Its likelihoods are those of `abacad.ideal.observer`, on a cadence whose gains and interference were estimated from the
pixels (`abacad.ideal.blind`). Where an estimate fails, a likelihood ratio of noise against needle can reach e^1000,
and means nothing: an opinion is bounded, or read by who has seen what such ratios are worth (`second_opinion`).
"""

import functools
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from abacad.errors import AbacadError
from abacad.ideal.blind import estimated
from abacad.ideal.observer import Observer
from abacad.ideal.verdict import Opinion
from abacad.signal.cadence import Axes
from abacad.signal.compiled import flushing
from abacad.simulator.presets import preset_named
from abacad.simulator.settings import Simulation

_FASTEST = 0.69  # channels a row, which the observer's grids reach
_LEAST_ROWS = 64  # of a panel: with fewer, drifts of some channels a row are usual, which the grids do not reach


class BlindObserver:
    """Weighs cadences of given axes, whoever made them.

    Example:
        >>> import torch
        >>> panels = torch.randn(6, 273, 64, generator=torch.Generator().manual_seed(0))
        >>> panels[::2, :, 30] += 1  # a line in the ON panels alone
        >>> BlindObserver(Axes(n_freq=64)).opinion(panels).better > 0
        True
    """

    def __init__(self, axes: Axes) -> None:
        """Prepare the grids for needles of all families, as the preset `kaggle` draws those of its test set.

        Args:
            axes: of the cadences.

        Raises:
            AbacadError: panels have too few rows for needles that stay within a channel a row, or unequal gaps.
        """
        if axes.n_time < _LEAST_ROWS:
            raise AbacadError(
                f"Panels of {axes.n_time} rows: the observer is worked out for {_LEAST_ROWS} or more.\n"
                "Score without it."
            )
        self.axes, self.observer = axes, Observer(_prior(axes), coarse=True)

    def opinion(self, panels: Float[Tensor, "panel time freq"]) -> Opinion:
        """Weigh a cadence (6, time, freq) in any units."""
        with flushing():
            noise, known = estimated(panels, self.axes)
            return self.observer.on_and_off(noise, known)


@functools.lru_cache(maxsize=8)
def blind_observer(axes: Axes) -> BlindObserver:
    """The observer for these axes, whose grids are made once."""
    return BlindObserver(axes)


def _prior(axes: Axes) -> Simulation:
    """How needles are drawn: as in the preset, but no faster than the grids reach."""
    kaggle = preset_named("kaggle")
    slowest, fastest = kaggle.needles.drift_hz_s
    fastest = min(fastest, _FASTEST * axes.unit_drift_hz_s)
    families = kaggle.needles.test_families or kaggle.needles.families
    needles = replace(kaggle.needles, families=families, drift_hz_s=(min(slowest, fastest / 2), fastest))
    return replace(kaggle, axes=axes, needles=needles)
