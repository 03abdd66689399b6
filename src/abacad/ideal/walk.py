"""Random walks and dashes: the forward algorithm of a hidden Markov model over frequency, panel by panel.

A state is a frequency (in half channels) and whether the signal is lit or dark between two dashes; a step of the chain
lasts two rows. The walk's steps are normal with the variance of the simulator's, and its jitter of half a channel to
either side is averaged over in each row:

    seen(z) = mean over j of exp(ratio at z + j)         j = −½ … ½ channel

A squiggle or dash is a new one in each panel, so panels are independent once amplitude, drift and reach are given. A
chain forgets how long it has been lit: the dashes' regular period becomes geometric times of the same mean, and so do
the lengths of wriggling dashes. Level dashes need no chain; they are summed over a grid of begins and lengths.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from abacad.signal.cadence import Axes
from abacad.signal.chance import between, log_uniform
from abacad.signal.compiled import compiled
from abacad.signal.drift import bins_per_panel
from abacad.simulator.settings import Simulation
from abacad.simulator.shape import (
    DASH_LENGTH,
    DASH_REACH,
    SQUIGGLE_DUTY,
    SQUIGGLE_LENGTH,
    SQUIGGLE_PERIOD,
    SQUIGGLE_REACH,
)

_PAIR = 2  # rows in a step
_HALF = 2  # states per channel
_TAPS = 4  # half channels to either side that a step can reach; a reach of 12 channels is 1.0 (rms) a step at 273 rows
# The prior of the reach as two halves, each at its middle, to the channel: 3 and 8 channels.
_REACHES = tuple((float(reach), 0.5) for reach in np.round(log_uniform(np.array([0.25, 0.75]), SQUIGGLE_REACH)))
_PERIOD = sum(SQUIGGLE_PERIOD) / 2
# The jitter, ±½ channel on quarters of a channel: the two at the ends stand for half a quarter each.
_JITTER = (0.125, 0.25, 0.25, 0.25, 0.125)
_PIECE = 6  # rows that level dashes begin and last in: 1/46 of a panel of 273 rows, where they last 0.07 at least
_LENGTHS = tuple(between((np.arange(5) + 0.5) / 5, *DASH_LENGTH).tolist())  # the middles of five equally likely parts
_SUREST = 10.0  # largest log ratio of a row: 8 rows of it fit float32, see `walk_ratios`
_MEAN_DASH = sum(DASH_LENGTH) / 2
_LEAST_SQUIGGLE = SQUIGGLE_LENGTH[0]


@dataclass(frozen=True)
class WalkModels:
    """Several chains that run side by side; the last one is the wriggling dash, the others are squiggles.

    Attributes:
        kernel: (model, tap) probability of a step by −4 … 4 half channels.
        log_prior: (squiggle,) log probability of drift and reach.
        enter: (model, step) probability that the emission begins in a step.
        leave: (model, step) probability that it ends in a step, if it has lasted until then.
        stop, resume: (model,) probability that a dash ends, or the next one begins, in a step.
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
    kernel = np.array([_kernel(drift, reach, axes) for drift, reach, _ in [*models, (0.0, DASH_REACH, 1.0)]])
    enter, leave = np.zeros((len(kernel), n_step)), np.zeros((len(kernel), n_step))
    step = np.arange(n_step)
    # A squiggle lasts half a panel at least and begins anywhere that leaves room for it: nearly always in the first 40
    # % of a panel, and it ends after the first 45 %. The rest keeps a small probability, as no law should be certain.
    early = step < max(1, 0.8 * _LEAST_SQUIGGLE * n_step)
    enter[:-1] = np.where(early, 0.95 / early.sum(), 0.05 / max(1, (~early).sum()))
    leave[:-1] = np.where(step > 0.9 * _LEAST_SQUIGGLE * n_step, 1 / (n_step - step), 1 / (10 * n_step))
    begins = step < max(1, (1 - _MEAN_DASH) * n_step)
    enter[-1], leave[-1] = begins / begins.sum(), min(1.0, 1 / (_MEAN_DASH * n_step))
    dashes = max(_PERIOD * n_step, 1.65)  # steps; the simulator's period is 3.3 rows at least
    stop = np.append(np.full(len(models), min(1.0, 1 / (SQUIGGLE_DUTY * dashes))), 0.0)
    resume = np.append(np.full(len(models), min(1.0, 1 / ((1 - SQUIGGLE_DUTY) * dashes))), 1.0)
    lit = resume / (stop + resume)
    log_prior = np.log([p for _, _, p in models])
    return WalkModels(*(torch.from_numpy(v).float() for v in (kernel, log_prior, enter, leave, stop, resume, lit)))


def _drifts(simulation: Simulation) -> list[tuple[float, float]]:
    """Five drifts in channels a panel period, with their probabilities.

    Below 5 channels a panel a drift is lost in the walk and counts as none; above, two sizes of either sign.
    """
    low, high = (bins_per_panel(drift, simulation.axes) for drift in simulation.needles.drift_hz_s)
    edges = np.clip([low, 5.0, 15.0, high], low, high)
    mass = np.diff(np.log(edges)) / max(np.log(high / low), 1e-9) if high > low else np.array([0.0, 0.0, 1.0])
    middle = np.sqrt(edges[:-1] * edges[1:])
    drifts = [(0.0, float(mass[0]))]
    for drift, share in zip(middle[1:].tolist(), mass[1:].tolist(), strict=True):
        drifts += [(drift, share / 2), (-drift, share / 2)]
    return [(drift, share) for drift, share in drifts if share > 0]


def _kernel(drift: float, reach: float, axes: Axes) -> Float[np.ndarray, " tap"]:
    """Probability of a step of two rows by −4 … 4 half channels: a normal law with the walk's mean and variance."""
    mean = _HALF * _PAIR * drift * axes.dt_s / axes.panel_period_s
    # Half channels squared: the walk gathers reach² over a panel's rows. At least 0.05, so that a path between two half
    # channels can still move.
    variance = max(_HALF**2 * _PAIR * reach**2 / axes.n_time, 0.05)
    taps = np.arange(-_TAPS, _TAPS + 1)
    mean = float(np.clip(mean, -_TAPS + 1, _TAPS - 1))
    # A narrow normal law sampled at whole half channels would have the wrong variance: three taps with the right mean
    # and variance take its place.
    if variance < 0.5:
        kernel = np.zeros(len(taps))
        at = round(mean)
        rest = mean - at
        spread = variance + rest**2
        for step, share in ((-1, (spread - rest) / 2), (0, 1 - spread), (1, (spread + rest) / 2)):
            kernel[at + step + _TAPS] = max(share, 0)
    else:
        kernel = np.exp(-((taps - mean) ** 2) / (2 * variance))
    return kernel / kernel.sum()


def seen_walking(ratios: Float[Tensor, "tone time place"]) -> Float[Tensor, "step tone state"]:
    """Likelihood ratio of each state for each pair of rows, the walk's jitter averaged over."""
    place = F.pad(ratios.clamp(max=_SUREST).exp(), (2, 2), value=1.0)
    n_place = ratios.shape[-1]
    seen = torch.zeros_like(ratios[..., ::2])
    for step, share in enumerate(_JITTER):
        seen.add_(place[..., step : step + n_place : 2], alpha=share)
    seen = F.pad(seen, (0, 0, 0, -seen.shape[1] % _PAIR), value=1.0)
    return (seen[:, 0::_PAIR] * seen[:, 1::_PAIR]).transpose(0, 1).contiguous()


def walk_ratios(
    seen: Sequence[Float[Tensor, "step tone state"]], models: WalkModels
) -> Float[Tensor, "panel tone model"]:
    """Log likelihood ratio of each panel, amplitude and chain: the forward algorithm.

    Args:
        seen: of each panel, from `seen_walking`.
        models: the chains.
    """
    chains = [
        values.numpy() for values in (models.kernel, models.enter, models.leave, models.stop, models.resume, models.lit)
    ]
    return torch.stack([torch.from_numpy(_forward(panel.numpy(), *chains)) for panel in seen])


@compiled
def _forward(
    seen: np.ndarray,
    kernel: np.ndarray,
    enter: np.ndarray,
    leave: np.ndarray,
    stop: np.ndarray,
    resume: np.ndarray,
    lit: np.ndarray,
) -> np.ndarray:
    """Every tone and chain of one panel: (step, tone, state) → (tone, model)."""
    n_step, n_tone, n_state = seen.shape
    n_model = len(kernel)
    out = np.empty((n_tone, n_model), np.float32)
    # Zeros at either side: what leaves the window is lost.
    lit_state, dark_state = np.zeros((2, n_state + 2 * _TAPS), np.float32)
    on_state, off_state = lit_state[_TAPS : _TAPS + n_state], dark_state[_TAPS : _TAPS + n_state]
    moved_on, moved_off = np.empty((2, n_state), np.float32)
    for tone in range(n_tone):
        for model in range(n_model):
            lit_state[:], dark_state[:] = 0, 0
            done, scale = np.float32(0), 0.0
            # 32-bit names for what the inner loop multiplies by: 1 − x would be computed in 64 bits there.
            ends, resumes = stop[model], resume[model]
            keeps, rests = np.float32(1 - ends), np.float32(1 - resumes)
            for step in range(n_step):
                _stepped(lit_state, kernel[model], moved_on)
                _stepped(dark_state, kernel[model], moved_off)
                begins = enter[model, step] / n_state * np.exp(min(-scale, 60.0))
                begins_on, begins_off = np.float32(begins * lit[model]), np.float32(begins * (1 - lit[model]))
                total, ratio = np.float32(0), seen[step, tone]
                for i in range(n_state):
                    on = (keeps * moved_on[i] + resumes * moved_off[i] + begins_on) * ratio[i]
                    off = rests * moved_off[i] + ends * moved_on[i] + begins_off
                    on_state[i], off_state[i] = on, off
                    total += on + off
                done += total * leave[model, step]
                stays = np.float32(1 - leave[model, step])
                # Dividing by the largest state at each fourth step keeps float32 in range (8 rows of e^10 are e^80, and
                # float32 ends at e^88); `scale` remembers the logarithm of what was divided out.
                if step % 4 == 3:
                    top = max(on_state.max() * stays, off_state.max() * stays, done, np.float32(1e-20))
                    stays, done = stays / top, done / top
                    scale += np.log(top)
                for i in range(n_state):
                    on_state[i] *= stays
                    off_state[i] *= stays
            total = on_state.sum() + off_state.sum() + done
            out[tone, model] = np.log(max(total, np.float32(1e-37))) + scale
    return out


@compiled
def _stepped(state: np.ndarray, kernel: np.ndarray, out: np.ndarray) -> None:
    """The state after a step by −4 … 4 half channels; `state` has as many zeros at either side."""
    for i in range(len(out)):
        total = np.float32(0)
        for tap in range(2 * _TAPS + 1):
            total += kernel[tap] * state[i + 2 * _TAPS - tap]
        out[i] = total


def level_dash_ratio(ratios: Float[Tensor, "tone time place"]) -> Float[Tensor, " tone"]:
    """Log likelihood ratio of one panel for a dash of constant frequency."""
    missing = -ratios.shape[1] % _PIECE
    pieces = F.pad(ratios, (0, 0, 0, missing)).unflatten(1, (-1, _PIECE)).sum(2)
    so_far = F.pad(pieces.cumsum(1), (0, 0, 1, 0))
    by_length = []
    for length in _LENGTHS:
        n_piece = min(max(1, round(length * ratios.shape[1] / _PIECE)), pieces.shape[1])
        sums = (so_far[:, n_piece:] - so_far[:, :-n_piece]).flatten(1)
        by_length.append(torch.logsumexp(sums, 1) - np.log(sums.shape[1]))
    return torch.logsumexp(torch.stack(by_length), 0) - np.log(len(by_length))
