"""From a cadence to the channels that a detector sees: one function for training, validation, test and telescope.

    panel → mean 0, std 1 → difference or choice of panels → sign(x)·log1p(|x|) → mean 0, std 1 per channel

Standardising each panel first makes every kind invariant to a gain and an offset of each panel (the competition's
panels come so; raw telescope power does not). Values are negative as often as positive, where log1p is not defined:
the signed form is odd, finite everywhere, and equal to log1p above zero. A constant or dead panel gives zeros.
"""

import torch
from torch import Tensor

from abacad.config import Kind, Represent
from abacad.represent.panels import Residual, binned
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.types import Channels, Panels

_FLAT = 1e-6
"""Relative spread below which a panel counts as constant: what float32 rounding leaves of one."""


def represent(panels: Panels, recipe: Represent, residual: Residual | None = None) -> Channels:
    """Channels of one cadence or of a batch, float32.

    Args:
        panels: (…, 6, time, freq).
        recipe: How.
        residual: What other windows of the same observations leave of them, for the view `residual` of `binned`.

    Returns:
        (…, channel, time, freq): 3 channels for `difference` and `on`, 6 for `panels`, 1 for `tall` and `tall_on`
        (whose time runs through the stacked panels), 6 for each view of `binned` (whose time is binned).
    """
    if recipe.kind == "binned":
        return binned(panels, recipe.rows, recipe.views, residual)
    panels = standardise(panels.float())
    on, off = panels[..., ON, :, :], panels[..., OFF, :, :]
    match recipe.kind:
        case "difference":
            channels = on - off
        case "on" | "tall_on":
            channels = on
        case _:
            channels = panels
    if recipe.contrast == "log1p":
        channels = signed_log1p(channels)
    return stack(standardise(channels), recipe.kind)


def n_channels(recipe: Represent) -> int:
    """Number of channels that `represent` gives."""
    match recipe.kind:
        case "difference" | "on":
            return len(ON)
        case "tall" | "tall_on":
            return 1
        case "binned":
            return N_PANELS * len(recipe.views)
        case _:
            return N_PANELS


def standardise(values: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1 over (time, freq); constant panels become zeros. Finite for any finite input."""
    largest = values.abs().amax((-2, -1), keepdim=True)
    scaled = values / torch.where(largest > 0, largest, 1.0)  # the squares of float32's largest values would overflow
    centred = scaled - scaled.mean((-2, -1), keepdim=True)
    spread = centred.square().mean((-2, -1), keepdim=True).sqrt()
    return centred * torch.where(spread > _FLAT, 1 / spread, 0.0)


def signed_log1p(values: Tensor) -> Tensor:
    """sign(x)·log(1 + |x|): log1p where x ≥ 0, and its mirror image below."""
    return values.sign() * values.abs().log1p()


def stack(channels: Channels, kind: Kind) -> Tensor:
    """The panels of a tall kind one below the other in time; other kinds as they are."""
    if kind not in ("tall", "tall_on"):
        return channels
    return channels.flatten(-3, -2).unsqueeze(-3)


def unstack(channels: Channels, kind: Kind) -> Tensor:
    """The inverse of `stack`: each panel is a channel again."""
    if kind not in ("tall", "tall_on"):
        return channels
    return channels.squeeze(-3).unflatten(-2, (N_PANELS if kind == "tall" else len(ON), -1))


def flip_freq(channels: Channels) -> Channels:
    """The cadence with its frequency axis reversed."""
    return channels.flip(-1)


def flip_time(channels: Channels, kind: Kind) -> Channels:
    """The cadence with time reversed: the rows of each panel, and the order of panels from the first ON to the last.

    Reversing the rows alone would tear a needle that drifts from one ON panel into the next. The ON panels stay at the
    ON places, so that the label stays true; a line through the cadence stays a line. The last OFF panel, whose place in
    reversed time is before the first ON, stays last.
    """
    panels = unstack(channels, kind)
    return stack(panels[..., time_reversed_order(panels.shape[-3], kind), :, :].flip(-2), kind)


def time_reversed_order(n_panels: int, kind: Kind) -> list[int]:
    """Which channel takes each place when time is reversed: (2, 1, 0) for ON panels, (4, 3, 2, 1, 0, 5) for six."""
    if kind in ("difference", "on", "tall_on"):
        return list(reversed(range(n_panels)))
    one_view = [4, 3, 2, 1, 0, 5]
    return [view + panel for view in range(0, n_panels, N_PANELS) for panel in one_view]
