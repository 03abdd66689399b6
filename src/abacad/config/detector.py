"""The parts of a recipe on the detector: what it is, how it is trained, how it scores."""

from dataclasses import dataclass
from typing import Literal

from abacad.limits import require, within
from abacad.plain import refuse_unlisted

Flip = Literal["identity", "horizontal", "vertical", "both"]
Accelerator = Literal["auto", "cpu", "cuda", "gpu", "mps"]
Strategy = Literal["auto", "ddp", "ddp_find_unused_parameters_true", "ddp_notebook"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True)
class Model:
    """The detector.

    Args:
        name: Any timm backbone, or `panel` for the compact panel network.
        pretrained: Start a timm backbone from its ImageNet weights (from the package of `abacad[imagenet]` for
            `tf_efficientnet_lite0`, else from the hub or its local cache), and the panel network from the weights that
            come with abacad, trained on simulated cadences; those of a view that they were trained without start at
            zero.
        weights: Start from this local file instead: weights of the backbone, or a detector that abacad saved; or from
            a run folder with the same folds: fold k from its fold k, which held back the same cadences.
            `in-domain` is the start that comes with abacad for `tf_efficientnet_lite0` on differences of cleaned panels
            with 21 rows in one and a stem_stride of 1: ImageNet weights trained further on simulated cadences alone.
        size: Resize the image to size × size pixels; null keeps the native one.
        stem_stride: Stride of a timm backbone's first convolution; null keeps the published one, 1 keeps every pixel.
            Lines of one channel are lost to the published strides of 2 and 4; weights stay valid.
        drop: Dropout: share of the features before the last layer of a timm backbone that a training step leaves out.
        drop_path: Stochastic depth: share of the blocks of a timm backbone that a training step skips.
        width: Number of features of the panel network's first layer.
    """

    name: str = "efficientnet_b0"
    # From random weights image networks learn nothing of some thousand cadences: AUC 0.48 to 0.55, on the easiest
    # preset, too (docs/lab-notebook.md, sections 5 and 15).
    pretrained: bool = True
    weights: str | None = None
    size: int | None = None
    # null, as a stride of 1 takes four times the memory and time of a published 2
    stem_stride: int | None = None
    drop: float = 0.0
    drop_path: float = 0.0
    # 12 instead of 8: +0.006 to +0.010 together with three times the cadences (docs/lab-notebook.md, section 12)
    width: int = 12

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        if self.size is not None:
            within(self, "model", size=(32, 4096))
        if self.stem_stride is not None:
            within(self, "model", stem_stride=(1, 8))
        within(self, "model", drop=(0, 0.99), drop_path=(0, 0.99), width=(1, 512))


@dataclass(frozen=True)
class Optim:
    """AdamW with a linear warm-up and a cosine decay.

    Args:
        lr: Peak learning rate.
        weight_decay: AdamW's weight decay: each step makes weights smaller by this share times the learning rate.
        batch_size: Cadences in a training step, on each device.
        warmup: Share of all steps over which the learning rate rises.
        final_lr: Learning rate of the last step, as a share of the peak.
        clip: Largest norm of the gradient; 0 does not limit it.
        ema: Decay of the exponential moving average of the weights that is validated and kept; 0 keeps the last.
        pos_weight: How much more a positive counts in the loss; null takes negatives / positives of the training fold.
        focal: γ of the focal loss, which weighs a cadence by (1 − p)^γ, p the probability given to its label; 0 is
            plain cross-entropy.
        layer_decay: Factor on the learning rate of each layer before the last of a timm backbone; 1 trains all alike.
        frozen_norms: Batch norms go on with the means and spreads that the starting weights came with, instead of those
            of each batch. Without starting weights it does nothing.
    """

    lr: float = 1e-3
    weight_decay: float = 1e-2
    batch_size: int = 64
    warmup: float = 0.1
    final_lr: float = 0.01
    clip: float = 1.0
    # off: it costs a copy of the weights and gained nothing (docs/lab-notebook.md, section 13)
    ema: float = 0.0
    pos_weight: float | None = None
    focal: float = 0.0
    layer_decay: float = 1.0
    frozen_norms: bool = False

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        require(0 < self.lr <= 10, f"optim.lr is {self.lr}; it must be above 0 and at most 10.")
        within(self, "optim", weight_decay=(0, 10), batch_size=(1, 65536), warmup=(0, 1), final_lr=(0, 1))
        # With a decay above 0.99999 an average would hold the random first weights for 100,000 steps and more.
        within(self, "optim", clip=(0, 1e6), ema=(0, 0.99999), focal=(0, 10), layer_decay=(0.01, 1))
        if self.pos_weight is not None:
            within(self, "optim", pos_weight=(1e-3, 1e6))


@dataclass(frozen=True)
class Trainer:
    """What Lightning's Trainer is told.

    Args:
        max_epochs: Largest number of epochs of a fold.
        patience: Epochs without a better validation AUC after which a fold stops.
        stop_below: Stop the run after its first fold when that has an AUC below this, such as 0.73; null goes on.
        accelerator: `auto` takes CUDA, else MPS, else the CPU.
        accumulate: Batches whose gradients make one step: 2 with half the batch size is the same step in less memory.
        averaged: Epochs with the best validation AUC whose weights are averaged into the detector of a fold; 1 keeps
            the best alone.
        max_time: Hours that one start of the command may train, such as 8.5. It stops before an epoch that would end
            later, and uses the folds that are trained; the same command goes on. Null: any.
        channels_last: Keep the planes of a pixel beside each other in memory: quicker convolutions of image networks
            on a GPU with mixed precision, and on some CPUs.
        compile: Compile the network with torch.compile: quicker steps after some minutes, where there is a compiler.
        devices: Number of devices (GPUs, or processes on a CPU) on each machine.
        num_nodes: Number of machines.
        strategy: `auto` is `ddp` where there are several devices, and `ddp_notebook` in a notebook with several: the
            training then runs in processes of its own, as a notebook's kernel cannot be one of several.
        precision: `auto` is bf16 where the device computes in it, else fp16 on CUDA, else 32 bits (`32-true`).
        loggers: Where the training curves go, beside metrics.csv: tensorboard, mlflow, wandb.
        progress: Show progress bars.
    """

    max_epochs: int = 8
    patience: int = 3
    stop_below: float | None = None
    max_time: float | None = None
    averaged: int = 1
    channels_last: bool = False
    compile: bool = False
    accelerator: Accelerator = "auto"
    accumulate: int = 1
    devices: int = 1
    num_nodes: int = 1
    strategy: Strategy = "auto"
    precision: Precision = "auto"
    # TensorBoard alone: it writes files and needs no server
    loggers: tuple[Literal["tensorboard", "mlflow", "wandb"], ...] = ("tensorboard",)
    progress: bool = True

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        refuse_unlisted(self, "trainer")
        within(self, "trainer", accumulate=(1, 1024))
        require(
            self.stop_below is None or 0 <= self.stop_below <= 1,
            f"trainer.stop_below is {self.stop_below}; it must lie in [0, 1], or be null.",
        )
        within(self, "trainer", max_epochs=(1, 10_000), patience=(1, 10_000), devices=(1, 1024), num_nodes=(1, 1024))
        within(self, "trainer", averaged=(1, 100))
        require(
            self.max_time is None or 0 < self.max_time <= 10_000,
            f"trainer.max_time is {self.max_time}; it must be above 0 and at most 10000 hours, or null.",
        )


@dataclass(frozen=True)
class Inference:
    """How a trained detector scores a cadence.

    Args:
        tta: Flips of the cadence whose logits are averaged.
        batch_size: Cadences scored at once.
        precision: Precision that held-back and test cadences are scored in; `auto` as in trainer.precision. Half
            precision moves logits by some thousandths and is quicker on a GPU.
    """

    # All four, since an image network gains 0.02 to 0.03 of AUC by them (docs/lab-notebook.md, section 20). None of
    # them changes a label: a needle that is reversed in time or frequency is a needle.
    tta: tuple[Flip, ...] = ("identity", "horizontal", "vertical", "both")
    batch_size: int = 64
    # 32 bits by default: scores near 0 or 1 lie closer than half precision resolves, and a ranking needs their order
    precision: Precision = "32-true"

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        refuse_unlisted(self, "inference")
        require(len(self.tta) > 0, "inference.tta is empty; it needs at least `identity`.")
        within(self, "inference", batch_size=(1, 65536))
