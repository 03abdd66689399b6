"""Random walks and dashes: the forward algorithm of a hidden Markov model over frequency, panel by panel.

States are half channels, lit or between two dashes; a step lasts two rows. The walk's steps are normal with the
variance of the generator's, its jitter of half a channel to either side is averaged over in each row:

    seen(z) = mean over j of exp(ratio at z + j)         j = −½ … ½ channel

Panels are independent once amplitude, drift and reach are given. The dashes' regular period is replaced by geometric
times, and so are the lengths of wriggling dashes; level dashes are summed over a grid of begins and lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from abacad.signal.cadence import Axes
from abacad.signal.drift import bins_per_panel
from abacad.simulator.presets import Simulation

_PAIR = 2  # rows in a step
_HALF = 2  # states per channel
_TAPS = 4  # states to either side that a step reaches
_REACHES = ((3.0, 0.5), (8.0, 0.5))  # of log-uniform 2 to 12 channels
_DASH_REACH = 8.0
_PERIOD = 0.07  # panels, of a squiggle's dashes
_DUTY = 0.7
_JITTER = (0.125, 0.25, 0.25, 0.25, 0.125)  # over quarters of a channel
_PIECE = 6  # rows, for level dashes
_LENGTHS = (0.09, 0.14, 0.185, 0.23, 0.28)  # panels


@dataclass(frozen=True)
class WalkModels:
    """Several chains that run side by side; the last one is the wriggling dash, the others are squiggles.

    Attributes:
        kernel: (model, tap) probability of a step by so many half channels.
        log_prior: (squiggle,) of drift and reach.
        enter: (model, step) probability that the emission begins there.
        leave: (model, step) probability that it ends there.
        stop, resume: (model,) probability that a dash ends or begins.
        lit: (model,) share of the time that it is lit.
    """

    kernel: Float[Tensor, "model tap"]
    log_prior: Float[Tensor, " squiggle"]
    enter: Float[Tensor, "model step"]
    leave: Float[Tensor, "model step"]
    stop: Float[Tensor, " model"]
    resume: Float[Tensor, " model"]
    lit: Float[Tensor, " model"]


def walk_models(simulation: Simulation) -> WalkModels:
    """The chains for a simulation's axes and drifts."""
    axes = simulation.axes
    n_step = -(-axes.n_time // _PAIR)
    models = [(drift, reach, p * q) for drift, p in _drifts(simulation) for reach, q in _REACHES]
    kernel = np.array([_kernel(drift, reach, axes) for drift, reach, _ in [*models, (0.0, _DASH_REACH, 1.0)]])
    enter, leave = np.zeros((len(kernel), n_step)), np.zeros((len(kernel), n_step))
    step = np.arange(n_step)
    early = step < max(1, 0.4 * n_step)
    enter[:-1] = np.where(early, 0.95 / early.sum(), 0.05 / max(1, (~early).sum()))
    leave[:-1] = np.where(step > 0.45 * n_step, 1 / (n_step - step), 1 / (10 * n_step))
    begins = step < max(1, 0.8 * n_step)
    enter[-1], leave[-1] = begins / begins.sum(), min(1.0, 1 / (0.17 * n_step))
    dashes = max(_PERIOD * n_step, 1.65)
    stop = np.append(np.full(len(models), min(1.0, 1 / (_DUTY * dashes))), 0.0)
    resume = np.append(np.full(len(models), min(1.0, 1 / ((1 - _DUTY) * dashes))), 1.0)
    lit = resume / (stop + resume)
    log_prior = np.log([p for _, _, p in models])
    return WalkModels(*(torch.from_numpy(v).float() for v in (kernel, log_prior, enter, leave, stop, resume, lit)))


def _drifts(simulation: Simulation) -> list[tuple[float, float]]:
    """Five drifts in channels a panel period, with their probabilities."""
    low, high = (bins_per_panel(drift, simulation.axes) for drift in simulation.needles.drift_hz_s)
    edges = np.clip([low, 5.0, 15.0, high], low, high)
    mass = np.diff(np.log(edges)) / max(np.log(high / low), 1e-9) if high > low else np.array([0.0, 0.0, 1.0])
    middle = np.sqrt(edges[:-1] * edges[1:])
    found = [(0.0, float(mass[0]))]
    for drift, share in zip(middle[1:].tolist(), mass[1:].tolist(), strict=True):
        found += [(drift, share / 2), (-drift, share / 2)]
    return [(drift, share) for drift, share in found if share > 0]


def _kernel(drift: float, reach: float, axes: Axes) -> Float[np.ndarray, " tap"]:
    mean = _HALF * _PAIR * drift * axes.dt_s / axes.panel_period_s
    variance = max(_HALF**2 * _PAIR * reach**2 / axes.n_time, 0.05)
    taps = np.arange(-_TAPS, _TAPS + 1)
    mean = float(np.clip(mean, -_TAPS + 1, _TAPS - 1))
    if variance < 0.5:  # two moments on three taps
        kernel = np.zeros(len(taps))
        at = round(mean)
        rest = mean - at
        spread = variance + rest**2
        for step, share in ((-1, (spread - rest) / 2), (0, 1 - spread), (1, (spread + rest) / 2)):
            kernel[at + step + _TAPS] = max(share, 0)
    else:
        kernel = np.exp(-((taps - mean) ** 2) / (2 * variance))
    return kernel / kernel.sum()


def seen_walking(ratios: Float[Tensor, "kind time place"]) -> Float[Tensor, "step kind state"]:
    """Likelihood ratio of each state for each pair of rows, the walk's jitter averaged over."""
    place = F.pad(ratios.clamp(max=30).exp(), (2, 2), value=1.0)
    n_place = ratios.shape[-1]
    seen = torch.zeros_like(ratios[..., ::2])
    for step, share in enumerate(_JITTER):
        seen.add_(place[..., step : step + n_place : 2], alpha=share)
    seen = F.pad(seen, (0, 0, 0, -seen.shape[1] % _PAIR), value=1.0)
    return (seen[:, 0::_PAIR] * seen[:, 1::_PAIR]).transpose(0, 1).contiguous()


def walk_ratios(
    seen: Sequence[Float[Tensor, "step kind state"]], models: WalkModels
) -> Float[Tensor, "panel kind model"]:
    """Log likelihood ratio of each panel, amplitude and chain."""
    stacked = torch.stack(list(seen), 1)  # (step, panel, kind, state)
    n_step, n_panel, n_kind, n_state = stacked.shape
    n_model = len(models.kernel)
    state = stacked.new_zeros(2, n_panel * n_kind, n_model, n_state)
    done = stacked.new_zeros(n_panel * n_kind, n_model)
    scale = torch.zeros_like(done)
    kernel = models.kernel.flip(-1)[:, None]
    stop, resume = models.stop[:, None], models.resume[:, None]
    for step in range(n_step):
        on, off = F.conv1d(state.flatten(0, 1), kernel, padding=_TAPS, groups=n_model).view_as(state)
        enter = models.enter[:, step] / n_state * torch.exp((-scale).clamp(max=60))
        state[0] = (1 - stop) * on + resume * off + (enter * models.lit)[..., None]
        state[1] = (1 - resume) * off + stop * on + (enter * (1 - models.lit))[..., None]
        state[0] *= stacked[step].reshape(n_panel * n_kind, 1, n_state)
        leave = models.leave[:, step]
        done += state.sum((0, -1)) * leave
        state *= (1 - leave)[:, None]
        if step % 4 == 3:
            top = torch.maximum(state.amax((0, -1)), done).clamp(min=1e-20)
            state /= top[..., None]
            done /= top
            scale += top.log()
    total = (done + state.sum((0, -1))).clamp(min=1e-37).log() + scale
    return total.view(n_panel, n_kind, n_model)


def level_dash_ratio(ratios: Float[Tensor, "kind time place"]) -> Float[Tensor, " kind"]:
    """Log likelihood ratio of one panel for a dash of constant frequency."""
    missing = -ratios.shape[1] % _PIECE
    pieces = F.pad(ratios, (0, 0, 0, missing)).unflatten(1, (-1, _PIECE)).sum(2)
    so_far = F.pad(pieces.cumsum(1), (0, 0, 1, 0))
    found = []
    for length in _LENGTHS:
        n_piece = min(max(1, round(length * ratios.shape[1] / _PIECE)), pieces.shape[1])
        sums = (so_far[:, n_piece:] - so_far[:, :-n_piece]).flatten(1)
        found.append(torch.logsumexp(sums, 1) - np.log(sums.shape[1]))
    return torch.logsumexp(torch.stack(found), 0) - np.log(len(found))
