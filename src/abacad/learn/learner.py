"""Lightning's module of a training: loss, optimiser, learning-rate schedule, and the AUC of the validation fold.

    loss = mean of −[ w·y·log p + (1 − y)·log(1 − p) ]        w = negatives / positives of the training fold

A stopped fold goes on as if it had never been stopped: every random number is drawn from a seed and the number of the
epoch, and the schedule counts the steps of earlier starts.
"""

import math
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from timm.optim import param_groups_layer_decay
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from abacad.config import Optim, Recipe
from abacad.errors import AbacadError
from abacad.learn.dataset import Sample
from abacad.learn.mixup import mixup
from abacad.learn.order import mixed
from abacad.learn.speed import laid_out
from abacad.learn.state import FoldState
from abacad.metric import auc
from abacad.model.detector import Detector
from abacad.model.evidence import from_bytes
from abacad.types import Planes


class Learner(pl.LightningModule):
    """Weighted cross-entropy, AdamW, a linear warm-up and a cosine decay of the learning rate.

    Attributes:
        detector: The network that is trained.
        recipe: The whole run.
        state: Where the fold stood when this process took it up.
        seen: Places, logits and targets of the validation batches of the epoch, until its end.
    """

    pos_weight: Tensor

    def __init__(
        self,
        detector: Detector,
        recipe: Recipe,
        pos_weight: float,
        steps_per_epoch: int,
        *,
        seed: int = 0,
        state: FoldState | None = None,
        name: Callable[[int], str] = str,
    ) -> None:
        """Take the detector, and the weights of a continued fold.

        Args:
            detector: The network; it gets the weights of `state` when the fold is continued.
            recipe: The whole run.
            pos_weight: Weight of a positive: negatives / positives of the training fold.
            steps_per_epoch: Steps of the optimiser in an epoch.
            seed: Seed of dropout and mixup.
            state: Where a continued fold stands; none begins one.
            name: Gives the id of the cadence at a place, for messages.
        """
        super().__init__()
        self.detector, self.recipe, self.seed, self.name_of = detector, recipe, seed, name
        self.steps_per_epoch, self.state = steps_per_epoch, state or FoldState()
        if self.state.weights:
            detector.load_state_dict(self.state.weights)
        # Not persistent: it belongs to the training fold and must not be stored with the detector.
        self.register_buffer("pos_weight", torch.tensor(float(pos_weight)), persistent=False)
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []

    @property
    def epoch(self) -> int:
        """The epoch of the fold, from 0; Lightning counts those since the fold was last continued."""
        return self.state.epochs + self.current_epoch

    def on_train_epoch_start(self) -> None:
        """Seed dropout by fold, epoch and process, so that a continued fold draws what it would have drawn.

        With `optim.frozen_norms`, set the batch norms of a detector that starts from trained weights to what they are
        in evaluation.
        """
        torch.manual_seed(mixed(self.seed, self.epoch, self.global_rank))
        model = self.recipe.model
        if self.recipe.optim.frozen_norms and (model.pretrained or model.weights is not None):
            freeze_norms(self.detector)

    def training_step(self, batch: Sample, batch_index: int) -> Tensor:
        """Loss of one batch, mixed with itself while mixup is on.

        Raises:
            AbacadError: the loss is no finite number.
        """
        # in the memory layout of the weights: a convolution would otherwise turn its input round at every step
        planes, targets = laid_out(batch.planes, self.recipe), batch.target
        if self._mixes():
            # A generator of its own, so that dropout does not depend on whether mixup is on.
            generator = torch.Generator().manual_seed(mixed(self.seed, self.epoch, self.global_rank, batch_index))
            planes, targets = mixup(planes, targets, self.recipe.augment.mixup, generator)
        # In 32 bits: a loss in half precision has three digits, and small ones would become 0.
        loss = loss_of(self._logits(planes, batch.lines), targets, self.pos_weight, self.recipe.optim.focal)
        if not loss.isfinite():
            raise AbacadError(self._diverged(f"the loss is {loss.item()}", batch.place, f", step {batch_index + 1}"))
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(targets), sync_dist=True)
        return loss

    def _logits(self, planes: Planes, lines: Tensor) -> Tensor:
        """The detector's log-odds, from lines that were kept where they were."""
        evidence = from_bytes(lines) if lines.numel() else None
        return self.detector(planes, evidence=evidence).float()

    def _diverged(self, what: str, places: Any, step: str = "") -> str:
        ids = ", ".join(self.name_of(int(place)) for place in places[:3])
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        return (
            f"Training diverged in epoch {self.epoch + 1}{step}: {what} for {ids}{' …' if len(places) > 3 else ''}.\n"
            f"The learning rate was {rate:.3g}. Lower it (--optim.lr), warm up for longer (--optim.warmup), or limit\n"
            "the gradient (--optim.clip 1), in another run folder."
        )

    def validation_step(self, batch: Sample, batch_index: int) -> None:
        """Keep places, logits and targets of one batch; the AUC needs all of the fold at once."""
        assert isinstance(batch.place, Tensor)  # a whole number in a sample, and a tensor of them in a batch
        logits = self._logits(laid_out(batch.planes, self.recipe), batch.lines)
        self.seen.append((batch.place, logits, batch.target))

    def on_validation_epoch_end(self) -> None:
        """Log `val_auc` and `val_loss` over the validation fold, each cadence once.

        Raises:
            AbacadError: a logit is no finite number.
        """
        index, logits, targets = (torch.cat(parts) for parts in zip(*self.seen, strict=True))
        self.seen.clear()
        if self.trainer.world_size > 1:
            index, logits, targets = (self._gathered(values) for values in (index, logits, targets))
        # Processes get equal shares, filled up with cadences that another has, too; each cadence counts once.
        _, first = np.unique(index.cpu().numpy(), return_index=True)
        logits, targets = logits[first].cpu(), targets[first].cpu().float()
        wrong = ~logits.isfinite()
        if wrong.any():
            places = index.cpu()[first][wrong]
            raise AbacadError(self._diverged(f"{len(places)} of {len(logits)} validation logits are no number", places))
        loss = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=self.pos_weight.cpu())
        # Not `sync_dist`: every process has computed the same figures from the gathered logits. The mean of the shares'
        # AUC, which Lightning would take, is not the AUC of the fold.
        self.log("val_auc", auc(targets.numpy(), logits.numpy()), prog_bar=True, sync_dist=False)
        self.log("val_loss", loss, sync_dist=False)

    def _gathered(self, values: Tensor) -> Tensor:
        """The values of all processes, joined.

        Only tensors of one length can be gathered, so shorter ones are padded with copies of their first value;
        the caller keeps each cadence once and so drops the copies.
        """
        longest = int(self.trainer.strategy.reduce(torch.tensor(len(values), device=self.device), reduce_op="max"))
        padded = torch.cat([values, values[:1].expand(longest - len(values))])
        gathered = self.all_gather(padded.to(self.device))
        assert isinstance(gathered, Tensor)
        return gathered.flatten()

    def _mixes(self) -> bool:
        augment, epochs = self.recipe.augment, self.recipe.trainer.max_epochs
        return augment.mixup > 0 and self.epoch < math.ceil(epochs * (1 - augment.mixup_off))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW, and a schedule that moves on after every step of the optimiser."""
        optim = self.recipe.optim
        optimizer = torch.optim.AdamW(parameter_groups(self.detector, optim), lr=optim.lr)
        if self.state.optimizer:
            # Moments come from the file; learning rates and decays from the recipe, which may have changed since.
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": self.state.optimizer, "param_groups": groups})
        total, done = (self.steps_per_epoch * epochs for epochs in (self.recipe.trainer.max_epochs, self.state.epochs))
        warmup = max(1, round(total * optim.warmup))  # at least one step, by which the factor divides

        def factor(since: int) -> float:
            step = done + since  # steps of the whole fold: torch counts those of this process alone
            if step < warmup:
                return (step + 1) / warmup
            phase = min(1.0, (step - warmup) / max(1, total - warmup))
            return optim.final_lr + (1 - optim.final_lr) * (1 + math.cos(math.pi * phase)) / 2

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def freeze_norms(detector: nn.Module) -> None:
    """Let batch norms go on with the means and spreads that they have, until `train()` is called again."""
    for layer in detector.modules():
        if isinstance(layer, _BatchNorm):
            layer.eval()


def loss_of(logits: Tensor, targets: Tensor, pos_weight: Tensor, focal: float = 0.0) -> Tensor:
    """Mean cross-entropy of a batch, in which positives are weighed.

    Args:
        logits: (batch,) of the detector.
        targets: (batch,) 0 or 1, or between for pseudo labels.
        pos_weight: Weight of a positive.
        focal: γ of the focal loss (Lin et al. 2017): each cadence is weighed by (1 − p)^γ, where p is the probability
            that the detector gives to its label, so that cadences that are classified with confidence count less.
            0 weighs all alike.
    """
    each = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=pos_weight, reduction="none")
    if focal:
        given = logits.sigmoid()
        each = each * (targets * (1 - given) + (1 - targets) * given) ** focal
    return each.mean()


def parameter_groups(detector: Detector, optim: Optim) -> list[dict[str, Any]]:
    """Groups of parameters for AdamW, each with its weight decay and, with `layer_decay`, its learning rate.

    Biases and the scales of normalisation layers are not decayed; they are the parameters of one dimension.

    Raises:
        AbacadError: layers of this detector cannot be told apart.
    """
    # Decay pulls weights to 0. The scale of a normalisation at 0 switches a feature off, and a bias costs no capacity.
    if optim.layer_decay == 1:
        decayed = [p for p in detector.parameters() if p.ndim > 1]
        free = [p for p in detector.parameters() if p.ndim <= 1]
        return [{"params": decayed, "weight_decay": optim.weight_decay}, {"params": free, "weight_decay": 0.0}]
    if not hasattr(detector.backbone, "group_matcher"):
        raise AbacadError("optim.layer_decay is for timm backbones.\nLeave it out: --optim.layer_decay 1.")
    groups = param_groups_layer_decay(detector.backbone, optim.weight_decay, layer_decay=optim.layer_decay)
    return [
        {"params": group["params"], "weight_decay": group["weight_decay"], "lr": optim.lr * group["lr_scale"]}
        for group in groups
    ]
