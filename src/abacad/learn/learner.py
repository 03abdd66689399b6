"""How a detector learns, told to Lightning: loss, optimiser, schedule, and the validation AUC."""

import math

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F

from abacad.config import Recipe
from abacad.learn.dataset import Sample
from abacad.learn.mixup import mixup
from abacad.metric import auc
from abacad.model.detector import Detector


class Learner(pl.LightningModule):
    """BCE with `pos_weight`, AdamW, a linear warm-up and a cosine decay."""

    pos_weight: Tensor

    def __init__(self, detector: Detector, recipe: Recipe, pos_weight: float) -> None:
        """Take the detector and the weight of a positive: negatives / positives of the training fold."""
        super().__init__()
        self.detector, self.recipe = detector, recipe
        self.register_buffer("pos_weight", torch.tensor(float(pos_weight)), persistent=False)
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def on_train_epoch_start(self) -> None:
        """Tell the training samples which epoch it is, so that their random changes are new."""
        samples = self.trainer.train_dataloader.dataset  # type: ignore[union-attr]
        if hasattr(samples, "set_epoch"):
            samples.set_epoch(self.current_epoch)

    def training_step(self, batch: Sample, batch_index: int) -> Tensor:
        """Loss of one batch, mixed with itself while mixup is on."""
        planes, targets = batch.planes, batch.target
        if self._mixes():
            seed = hash((self.recipe.seed, self.current_epoch, batch_index, self.global_rank)) % 2**63
            generator = torch.Generator().manual_seed(seed)
            planes, targets = mixup(planes, targets, self.recipe.augment.mixup, generator)
        targets = torch.lerp(targets, torch.full_like(targets, 0.5), self.recipe.optim.smoothing)
        loss = F.binary_cross_entropy_with_logits(self.detector(planes), targets, pos_weight=self.pos_weight)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(targets), sync_dist=True)
        return loss

    def validation_step(self, batch: Sample, batch_index: int) -> None:
        """Keep the logits of one batch."""
        assert isinstance(batch.place, Tensor)
        self.seen.append((batch.place, self.detector(batch.planes).float(), batch.target))

    def on_validation_epoch_end(self) -> None:
        """AUC and loss over the whole validation fold, each cadence once, also where several processes share it."""
        index, logits, targets = (torch.cat(parts) for parts in zip(*self.seen, strict=True))
        self.seen.clear()
        if self.trainer.world_size > 1:
            index, logits, targets = (self._gathered(values) for values in (index, logits, targets))
        _, first = np.unique(index.cpu().numpy(), return_index=True)
        logits, targets = logits[first].cpu(), targets[first].cpu().float()
        if not logits.isfinite().all():
            logits = logits.nan_to_num(0.0)
        loss = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=self.pos_weight.cpu())
        self.log("val_auc", auc(targets.numpy(), logits.numpy()), prog_bar=True, sync_dist=False)
        self.log("val_loss", loss, sync_dist=False)

    def _gathered(self, values: Tensor) -> Tensor:
        """The values of all processes; shorter shares are padded with copies of their first value for the trip."""
        longest = int(self.trainer.strategy.reduce(torch.tensor(len(values), device=self.device), reduce_op="max"))
        padded = torch.cat([values, values[:1].expand(longest - len(values))])
        gathered = self.all_gather(padded.to(self.device))
        assert isinstance(gathered, Tensor)
        return gathered.flatten()

    def _mixes(self) -> bool:
        augment, epochs = self.recipe.augment, self.recipe.trainer.max_epochs
        return augment.mixup > 0 and self.current_epoch < math.ceil(epochs * (1 - augment.mixup_off))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW, with the schedule stepped after every batch. Norms and biases are not decayed."""
        optim = self.recipe.optim
        decayed = [p for p in self.detector.parameters() if p.ndim > 1]
        free = [p for p in self.detector.parameters() if p.ndim <= 1]
        optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": optim.weight_decay}, {"params": free, "weight_decay": 0.0}],
            lr=optim.lr,
        )
        total = max(1, int(self.trainer.estimated_stepping_batches))
        warmup = max(1, round(total * optim.warmup))

        def factor(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            phase = min(1.0, (step - warmup) / max(1, total - warmup))
            return optim.final_lr + (1 - optim.final_lr) * (1 + math.cos(math.pi * phase)) / 2

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
