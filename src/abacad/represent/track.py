"""The evidence that a narrow-band path runs through each pixel, by a hidden Markov model with one state a channel.

The path moves at most one channel a row and may begin and end anywhere; the forward–backward product is the evidence.
"""

import math

import torch
from torch import Tensor

from abacad.types import Panels


def track_evidence(
    clean: Panels, amplitude: float = 0.9, stay: float = 0.8, begin: float = 1e-3, ceiling: float = 25.0
) -> Panels:
    """Log-evidence that a narrow-band path runs through each pixel, about 0 where there is none; same shape.

    In a row a path stays in its channel (`stay`) or moves to either neighbour; it begins or ends with probability
    `begin`. With Lₜ(f) = exp(a·x − a²/2), the likelihood ratio of amplitude a (in σ) against noise alone, and K the
    step of the walk,

        αₜ₊₁ = K max(Lₜ αₜ, begin),

    the same backwards for β, and the evidence is log(α L β / begin²). What is carried on is held below
    exp(`ceiling`), beyond which a path is certain and would only throw a longer shadow.
    """
    *batch, n_time, n_freq = clean.shape
    # The step's kernel is (hop, stay, hop) = hop · (1, stay/hop, 1). The factor hop is multiplied into the ratio once,
    # so that a step is two additions, a product and a clamp.
    hop = (1 - stay) / 2
    shift = math.log(hop) - 0.5 * amplitude**2
    ratio = (amplitude * clean.reshape(-1, n_time, n_freq).transpose(0, 1) + shift).exp_().contiguous()
    top = math.exp(ceiling)

    def swept(order: range) -> Tensor:
        out = torch.empty_like(ratio)
        # one channel more at either side, which stays at `begin`: a path may come in from there
        state = ratio.new_full((ratio.shape[1], n_freq + 2), begin)
        left, here, right = state[:, :-2], state[:, 1:-1], state[:, 2:]
        for row in order:
            now = torch.add(left, right, out=out[row]).add_(here, alpha=stay / hop)
            torch.mul(now, ratio[row], out=here).clamp_(begin, top)
        return out

    forward, backward = swept(range(n_time)), swept(range(n_time - 1, -1, -1))
    evidence = forward.mul_(backward).mul_(ratio).log_().add_(math.log(hop) - 2 * math.log(begin))
    return evidence.transpose(0, 1).reshape(*batch, n_time, n_freq)
