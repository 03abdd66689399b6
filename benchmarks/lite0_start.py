"""Makes the in-domain start of `tf_efficientnet_lite0` on differences: from ImageNet weights, on simulated cadences.

    OMP_NUM_THREADS=1 python benchmarks/lite0_start.py start.safetensors --cadences 9000

It is `abacad pretrain --bright_first true` with one loss more. A training cadence tells one bit; the simulator also
knows in which channels of which ON panel its needle stands. A 1 × 1 convolution on the last features says this for
eight columns of 32 channels, is trained along with weight 2, and is thrown away. Needles begin with the preset `easy`,
then go from 1.2–6 σ a pixel to the presets' own ranges; no cadence comes twice. Weights are averaged.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from abacad.config import Model, Represent
from abacad.metric import auc_interval
from abacad.model.detector import build_detector
from abacad.model.start import quantised
from abacad.represent.representation import represent
from abacad.signal.cadence import ON
from abacad.simulator.presets import PRESETS
from abacad.simulator.scene import Batch, generate, numbers_for
from abacad.simulator.settings import Simulation

SEEN = Represent("difference", rows=7)
COLUMNS, WIDTH = 8, 32
PRESETS_USED = ("demo", "kaggle", "hard", "demo")
BATCH, LR, SIDE = 32, 1e-3, 2.0


def stage(progress: float) -> list[Simulation]:
    """What is simulated when a share of the training is done."""
    if progress < 0.12:
        return [PRESETS["easy"]]
    share = min(1.0, (progress - 0.12) / 0.5)
    made = []
    for preset in (PRESETS[name] for name in PRESETS_USED):
        ends = zip((1.2, 6.0), preset.needles.pixel_snr, strict=True)
        low, high = (math.exp((1 - share) * math.log(start) + share * math.log(end)) for start, end in ends)
        made.append(replace(preset, positives=0.5, needles=replace(preset.needles, pixel_snr=(low, high))))
    return made


def columns(batch: Batch) -> Tensor:
    """(batch, ON panel, column) 1 where the needle's straight path stands in a column."""
    targets = torch.zeros(len(batch.targets), len(ON), COLUMNS)
    truth = batch.truth
    for place in np.flatnonzero(truth["target"] == 1):
        lit = [int(panel) for panel in truth["panels_lit"][place].split()]
        first, drift = float(truth["channel"][place]), float(np.nan_to_num(truth["drift_bins_per_panel"][place]))
        for row, panel in enumerate(ON):
            ends = sorted(first + drift * (panel - lit[0] + passed) for passed in (0.0, 0.95)) if panel in lit else ()
            if ends and ends[0] - 3 < COLUMNS * WIDTH and ends[1] + 3 >= 0:
                begin, end = (int(min(max(at, 0), COLUMNS * WIDTH - 1)) // WIDTH for at in (ends[0] - 3, ends[1] + 3))
                targets[place, row, begin : end + 1] = 1
    return targets


def rate(step: int, total: int) -> float:
    """Learning rate: a short warm-up, level, then half a cosine."""
    phase = max(step / total, 0.3)
    return 1.25 * LR * min(1, (step + 1) / 20) * (0.01 + 0.99 * (1 + math.cos(math.pi * phase)) / 2)


def train(n: int, seed: int) -> nn.Module:
    """The backbone with averaged weights."""
    torch.manual_seed(seed)
    backbone = build_detector(Model("tf_efficientnet_lite0"), SEEN).backbone.to(memory_format=torch.channels_last)
    side = nn.Conv2d(backbone.num_features, len(ON), 1)
    nn.init.normal_(side.weight, std=0.005)
    nn.init.constant_(side.bias, -2.5)
    weights = [*backbone.parameters(), *side.parameters()]
    groups = [([p for p in weights if p.ndim > 1], 0.02), ([p for p in weights if p.ndim <= 1], 0.0)]
    optimizer = torch.optim.AdamW([{"params": part, "weight_decay": decay} for part, decay in groups], lr=LR)
    mean = {name: value.clone() for name, value in backbone.state_dict().items()}
    total = n // BATCH
    for step in range(total):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, total)
        made = stage(step / total)
        parts = np.split(numbers_for("pretrain", np.arange(step * BATCH, (step + 1) * BATCH)), len(made))
        batches = [generate(one, numbers, seed) for one, numbers in zip(made, parts, strict=True)]
        planes = represent(torch.cat([batch.panels for batch in batches]).float(), SEEN)
        features = backbone.forward_features(planes.to(memory_format=torch.channels_last))
        logits, where = backbone.forward_head(features).flatten(), side(features.mean(2, keepdim=True)).squeeze(2)
        loss = F.binary_cross_entropy_with_logits(logits, torch.cat([batch.targets for batch in batches]).float())
        aside = F.binary_cross_entropy_with_logits(where, torch.cat([columns(batch) for batch in batches]))
        optimizer.zero_grad()
        (loss + SIDE * aside).backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        decay = min(0.99, (2 + step) / (11 + step))
        for name, value in backbone.state_dict().items():
            mean[name] = torch.lerp(value, mean[name], decay) if value.is_floating_point() else value.clone()
        if step % 20 == 19:
            print(f"step {step + 1} of {total}: loss {loss.item():.3f}, columns {aside.item():.3f}", flush=True)
    backbone.load_state_dict(mean)
    return backbone.eval()


@torch.inference_mode()
def judged(backbone: nn.Module, preset: str, n: int = 600) -> str:
    """AUC on cadences of a preset that no training draws, half of them with a needle."""
    simulation, scores, targets = replace(PRESETS[preset], positives=0.5), [], []
    for start in range(0, n, 50):
        batch = generate(simulation, numbers_for("validation", np.arange(start, start + 50)), 0)
        scores.append(backbone(represent(batch.panels.float(), SEEN)).flatten())
        targets.append(batch.targets)
    return str(auc_interval(torch.cat(targets).numpy(), torch.cat(scores).numpy()))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("out", type=Path)
    options.add_argument("--cadences", type=int, default=9000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--judge", action="store_true", help="only judge the file, with 600 cadences a preset")
    chosen = options.parse_args()
    if chosen.judge:
        backbone = build_detector(Model("tf_efficientnet_lite0", weights=str(chosen.out)), SEEN).backbone.eval()
    else:
        backbone = train(chosen.cadences, chosen.seed)
        save_file(quantised(backbone.state_dict()), chosen.out)
    for preset in ("demo", "kaggle"):
        print(preset, judged(backbone, preset))


if __name__ == "__main__":
    main()
