"""Makes the in-domain start of `tf_efficientnet_lite0` on differences: from ImageNet weights, on simulated cadences.

    OMP_NUM_THREADS=1 python benchmarks/lite0_start.py start.safetensors --cadences 90000

It is `abacad pretrain --bright_first true` with one loss more. A training cadence tells one bit; the simulator also
knows in which channels of which ON panel its needle stands. A 1 × 1 convolution on the last features says this for
16 columns of 16 channels, is trained along with weight 2, and is thrown away. Needles begin with the preset `easy`,
then go from 1.2–6 σ a pixel to the presets' own ranges; no cadence comes twice. Weights are averaged. An interrupted
run goes on with the same command, from the file OUT.part that is written every 100 steps.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

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

SEEN = Represent("difference", rows=21, cleaned=True)
NETWORK = Model("tf_efficientnet_lite0", stem_stride=1)
COLUMNS, WIDTH = 16, 16
PRESETS_USED = ("demo", "kaggle", "hard", "demo")
BATCH, LR, SIDE = 32, 1.25e-3, 2.0
EASY = 0.05


def stage(progress: float) -> list[Simulation]:
    """What is simulated when a share of the training is done."""
    if progress < EASY:
        return [PRESETS["easy"]]
    share = min(1.0, (progress - EASY) / (0.6 - EASY))
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
    return LR * min(1, (step + 1) / 20) * (0.01 + 0.99 * (1 + math.cos(math.pi * phase)) / 2)


class Student:
    """The backbone, the convolution beside its head, their optimiser, and the backbone's averaged weights."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        # a model of timm's, which torch's own type of a module does not describe
        self.backbone = cast(Any, build_detector(NETWORK, SEEN).backbone.to(memory_format=torch.channels_last))
        self.side = nn.Conv2d(self.backbone.num_features, len(ON), 1)
        nn.init.normal_(self.side.weight, std=0.005)
        nn.init.constant_(self.side.get_parameter("bias"), -2.5)
        self.weights = [*self.backbone.parameters(), *self.side.parameters()]
        groups = [([p for p in self.weights if p.ndim > 1], 0.02), ([p for p in self.weights if p.ndim <= 1], 0.0)]
        self.optimizer = torch.optim.AdamW([{"params": part, "weight_decay": decay} for part, decay in groups], lr=LR)
        self.mean = {name: value.clone() for name, value in self.backbone.state_dict().items()}

    def learn(self, batches: list[Batch], lr: float) -> tuple[float, float]:
        """One step; the loss of the labels, and that of the columns."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        planes = represent(torch.cat([batch.panels for batch in batches]).float(), SEEN)
        features = self.backbone.forward_features(planes.to(memory_format=torch.channels_last))
        logits, where = self.backbone.forward_head(features).flatten(), self.side(features.mean(2, keepdim=True))
        loss = F.binary_cross_entropy_with_logits(logits, torch.cat([batch.targets for batch in batches]).float())
        columns_true = torch.cat([columns(batch) for batch in batches])
        aside = F.binary_cross_entropy_with_logits(where.squeeze(2), columns_true)
        self.optimizer.zero_grad()
        (loss + SIDE * aside).backward()
        nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimizer.step()
        return loss.item(), aside.item()

    def average(self, step: int) -> None:
        """Take the weights of this step into the mean of the last 500 or so."""
        decay = min(0.998, (2 + step) / (11 + step))
        for name, value in self.backbone.state_dict().items():
            self.mean[name] = torch.lerp(value, self.mean[name], decay) if value.is_floating_point() else value.clone()

    def state(self) -> dict[str, Any]:
        """All that a later run needs to go on."""
        parts: dict[str, Any] = {"backbone": self.backbone, "side": self.side, "optimizer": self.optimizer}
        return {"mean": self.mean, **{name: part.state_dict() for name, part in parts.items()}}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.backbone.load_state_dict(state["backbone"])
        self.side.load_state_dict(state["side"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.mean = state["mean"]


def train(n: int, seed: int, part: Path) -> nn.Module:
    """The backbone with averaged weights."""
    student, total, first = Student(seed), n // BATCH, 0
    if part.is_file():
        saved = torch.load(part, weights_only=True)
        student.resume(saved["student"])
        first = saved["step"]
    for step in range(first, total):
        made = stage(step / total)
        parts = np.array_split(numbers_for("pretrain", np.arange(step * BATCH, (step + 1) * BATCH)), len(made))
        batches = [generate(one, numbers, seed) for one, numbers in zip(made, parts, strict=True)]
        loss, aside = student.learn(batches, rate(step, total))
        student.average(step)
        if step % 20 == 19:
            print(f"step {step + 1} of {total}: loss {loss:.3f}, columns {aside:.3f}", flush=True)
        if step % 100 == 99:
            torch.save({"student": student.state(), "step": step + 1}, part)
    student.backbone.load_state_dict(student.mean)
    return student.backbone.eval()


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
        backbone = build_detector(replace(NETWORK, weights=str(chosen.out)), SEEN).backbone.eval()
    else:
        part = chosen.out.with_suffix(".part")
        backbone = train(chosen.cadences, chosen.seed, part)
        save_file(quantised(backbone.state_dict()), chosen.out)
        part.unlink(missing_ok=True)
    for preset in ("demo", "kaggle"):
        print(preset, judged(backbone, preset))


if __name__ == "__main__":
    main()
