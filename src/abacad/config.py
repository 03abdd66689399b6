"""The recipe: one whole run, from the folder of cadences to the scores, as plain data.

Light on purpose (no torch, no numpy), so that the command line can build its help from it at once.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from abacad.errors import AbacadError
from abacad.plain import refuse_unlisted

Flip = Literal["identity", "horizontal", "vertical", "both"]
REPRESENTATIONS = {
    "difference": "abacad.represent.images:Difference",
    "on": "abacad.represent.images:OnPanels",
    "panels": "abacad.represent.images:AllPanels",
    "tall": "abacad.represent.images:Tall",
    "tall_on": "abacad.represent.images:TallOn",
    "binned": "abacad.represent.binned:Binned",
}
"""Kinds of representation, each with the class that makes it, as module:class. A new kind is one more entry.

The classes are named, not imported, so that this module stays light.
"""
Contrast = Literal["log1p", "none"]
View = Literal["shared", "clean", "track", "residual"]


Accelerator = Literal["auto", "cpu", "cuda", "gpu", "mps"]
Strategy = Literal["auto", "ddp", "ddp_find_unused_parameters_true"]
Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed"]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AbacadError(message)


def _within(part: object, section: str, **bounds: tuple[float, float]) -> None:
    """Refuse values of a part of the recipe that are outside their bounds, both allowed; NaN is outside of all."""
    for name, (low, high) in bounds.items():
        value = getattr(part, name)
        told = f"{section}.{name}" if section else name
        _require(low <= value <= high, f"{told} is {value}; it must lie between {low:g} and {high:g}.")


@dataclass(frozen=True)
class Data:
    """Which cadences are used, and how they are split.

    Args:
        folds: Number of cross-validation folds.
        only: Train this fold alone, as `0`, or these, as `[0, 2]`; others are added later with the same command.
        groups: `auto` takes groups.csv of the data folder when there is one and else the id up to its first
            underscore; `none` always takes the id; or a CSV file with the columns id and group.
        partners: Which cadences the view `residual` subtracts from train and test cadences: those of `train`, or of
            `train+test`.
        bad: What to do with a cadence that cannot be used: stop (`fail`) or leave it out (`skip`, listed in run.json).
        check: Read every cadence before training (`full`), or only the files' headers (`headers`).
        pack: Keep the represented cadences in one file in the run folder while training (float16), so that every
            epoch and fold reads them from there: `always`, `never`, or `auto`, when the file takes at most 24 GB and
            a third of the free disk.
        workers: Processes that read cadences; chosen by itself when null.
        simulated: Number of simulated cadences, new ones every epoch, that are added to each training fold.
        labelled: Train on labelled cadences; with `false` on simulated ones alone, and the labelled ones only judge.
        simulated_preset: Preset of `abacad simulate` that they are drawn from.
        pseudo: test.csv of a run with the same folds. Its cadences join each training fold k with the scores of that
            run's fold k for targets; none of them judges.
        verdicts: What a page of `abacad review` exported (a CSV file with the columns id and verdict). A candidate is a
            needle, rfi and noise are none, unsure is left out. Verdicts on labelled cadences replace their labels;
            test cadences with one join each training fold and judge nothing.
    """

    folds: int = 5
    only: int | tuple[int, ...] | None = None
    groups: str = "auto"
    partners: Literal["train", "train+test"] = "train"
    bad: Literal["fail", "skip"] = "fail"
    check: Literal["full", "headers"] = "full"
    pack: Literal["auto", "always", "never"] = "never"
    workers: int | None = None
    simulated: int = 0
    labelled: bool = True
    simulated_preset: str = "kaggle"
    pseudo: str | None = None
    verdicts: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        refuse_unlisted(self, "data")
        _within(self, "data", folds=(2, 100), simulated=(0, 10_000_000))
        _require(self.labelled or self.simulated > 0, "Without labelled cadences data.simulated must be above 0.")
        if self.workers is not None:
            _within(self, "data", workers=(0, 256))
        for fold in self.wanted():
            _require(0 <= fold < self.folds, f"data.only names fold {fold}; the folds are 0 to {self.folds - 1}.")

    def wanted(self) -> list[int]:
        """Numbers of the folds that are trained."""
        only = range(self.folds) if self.only is None else self.only
        return [only] if isinstance(only, int) else sorted(set(only))


@dataclass(frozen=True)
class Represent:
    """How a cadence of six panels becomes the planes that a detector reads.

    Args:
        kind: `difference` (ON1−OFF1, ON2−OFF2, ON3−OFF3), `on` (three ON panels), `panels` (six planes), `tall`
            (six panels stacked in time into one image), `tall_on` (three ON panels stacked so), or `binned` (six
            robustly normalised panels with rows averaged, for the panel network).
        contrast: `log1p` compresses bright pixels, symmetrically for negative values; `none` leaves them.
        rows: Rows that are summed into one, before the contrast is compressed; null is 7 for `binned` and 1 for the
            other kinds. 7 turns the 273 × 256 pixels of the competition's panels into 39 × 256.
        views: Views of `binned`: panels less their common spectrum (`shared`), also less the other class's spectra
            (`clean`), and the evidence that a narrow-band path runs through each pixel (`track`). With `residual`,
            which needs the table of `abacad overlaps`, `clean` and `track` show of the channels that stand in another
            cadence, too, only what differs, and the view itself shows which channels these are.
    """

    kind: str = "difference"
    contrast: Contrast = "log1p"
    rows: int | None = None
    views: tuple[View, ...] = ("shared", "clean", "track")

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        refuse_unlisted(self, "represent")
        _require(
            self.kind in REPRESENTATIONS,
            f"represent.kind is '{self.kind}'; it must be one of {', '.join(REPRESENTATIONS)}.",
        )
        _require(1 <= self.summed_rows <= 10_000, f"represent.rows is {self.rows}; it must lie between 1 and 10,000.")
        _require(len(self.views) > 0, "represent.views is empty; `binned` needs at least one view.")
        _require(len(self.views) == len(set(self.views)), "represent.views names a view twice.")

    @property
    def summed_rows(self) -> int:
        """Rows that become one: as asked, else what is usual for the kind."""
        if self.rows is not None:
            return self.rows
        return 7 if self.kind == "binned" else 1


@dataclass(frozen=True)
class Augment:
    """Random changes of a training cadence that leave its label true; what moves frequency moves all panels alike.

    Args:
        horizontal_flip: Probability of reversing frequency.
        vertical_flip: Probability of reversing time (the rows of each panel, and the order of the panels).
        shift: Probability of a small shift in time and frequency.
        time_shift: Largest shift in time, as a share of the panel's rows.
        freq_shift: Largest shift in frequency, as a share of the channels.
        mixup: α of the Beta distribution that two cadences are mixed with; 0 switches mixup off.
        mixup_off: Share of the epochs, at the end, that are trained without mixup.
    """

    horizontal_flip: float = 0.5
    vertical_flip: float = 0.5
    shift: float = 0.5
    time_shift: float = 0.05
    freq_shift: float = 0.1
    mixup: float = 0.0
    mixup_off: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        shares = ("horizontal_flip", "vertical_flip", "shift", "time_shift", "freq_shift", "mixup_off")
        _within(self, "augment", **dict.fromkeys(shares, (0.0, 1.0)), mixup=(0, 100))


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
            `in-domain` is the start that comes with abacad for `tf_efficientnet_lite0` on differences with 7 rows in
            one: ImageNet weights trained further on simulated cadences alone.
        size: Resize the image to size × size pixels; null keeps the native one.
        drop: Dropout before the last layer of a timm backbone.
        drop_path: Stochastic depth of a timm backbone.
        width: Features of the panel network's first layer.
    """

    name: str = "efficientnet_b0"
    pretrained: bool = True
    weights: str | None = None
    size: int | None = None
    drop: float = 0.0
    drop_path: float = 0.0
    width: int = 12

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        if self.size is not None:
            _within(self, "model", size=(32, 4096))
        _within(self, "model", drop=(0, 0.99), drop_path=(0, 0.99), width=(1, 512))


@dataclass(frozen=True)
class Optim:
    """AdamW with a linear warm-up and a cosine decay.

    Args:
        lr: Peak learning rate.
        weight_decay: Decoupled weight decay.
        batch_size: Cadences in a training step, on each device.
        warmup: Share of all steps over which the learning rate rises.
        final_lr: Learning rate of the last step, as a share of the peak.
        clip: Largest norm of the gradient; 0 does not limit it.
        ema: Decay of the exponential moving average of the weights that is validated and kept; 0 keeps the last.
        pos_weight: How much more a positive counts in the loss; null takes negatives / positives of the training fold.
        focal: γ of the focal loss, which weighs a cadence by (1 − p)^γ, p the probability given to its label; 0 is
            plain cross-entropy.
        layer_decay: Factor on the learning rate of each layer before the last of a timm backbone; 1 trains all alike.
    """

    lr: float = 1e-3
    weight_decay: float = 1e-2
    batch_size: int = 64
    warmup: float = 0.1
    final_lr: float = 0.01
    clip: float = 1.0
    ema: float = 0.0
    pos_weight: float | None = None
    focal: float = 0.0
    layer_decay: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        _require(0 < self.lr <= 10, f"optim.lr is {self.lr}; it must be above 0 and at most 10.")
        _within(self, "optim", weight_decay=(0, 10), batch_size=(1, 65536), warmup=(0, 1), final_lr=(0, 1))
        _within(self, "optim", clip=(0, 1e6), ema=(0, 0.99999), focal=(0, 10), layer_decay=(0.01, 1))
        if self.pos_weight is not None:
            _within(self, "optim", pos_weight=(1e-3, 1e6))


@dataclass(frozen=True)
class Trainer:
    """What Lightning's Trainer is told.

    Args:
        max_epochs: Largest number of epochs of a fold.
        patience: Epochs without a better validation AUC after which a fold stops.
        stop_below: Stop the run after its first fold when that has an AUC below this, such as 0.73; null goes on.
        accelerator: `auto` takes CUDA, else MPS, else the CPU.
        accumulate: Batches whose gradients make one step: 2 with half the batch size is the same step in less memory.
        devices: Devices on each node.
        num_nodes: Nodes.
        strategy: `auto` is `ddp` where there are several devices.
        precision: `auto` is bf16 where the device computes in it, else fp16 on CUDA, else 32 bits (`32-true`).
        loggers: Where the training curves go, beside metrics.csv: tensorboard, mlflow, wandb.
        progress: Show progress bars.
    """

    max_epochs: int = 8
    patience: int = 3
    stop_below: float | None = None
    accelerator: Accelerator = "auto"
    accumulate: int = 1
    devices: int = 1
    num_nodes: int = 1
    strategy: Strategy = "auto"
    precision: Precision = "auto"
    loggers: tuple[Literal["tensorboard", "mlflow", "wandb"], ...] = ("tensorboard",)
    progress: bool = True

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        refuse_unlisted(self, "trainer")
        _within(self, "trainer", accumulate=(1, 1024))
        _require(
            self.stop_below is None or 0 <= self.stop_below <= 1,
            f"trainer.stop_below is {self.stop_below}; it must lie in [0, 1], or be null.",
        )
        _within(self, "trainer", max_epochs=(1, 10_000), patience=(1, 10_000), devices=(1, 1024), num_nodes=(1, 1024))


@dataclass(frozen=True)
class Inference:
    """How a trained detector scores a cadence.

    Args:
        tta: Flips of the cadence whose logits are averaged.
        batch_size: Cadences scored at once.
    """

    tta: tuple[Flip, ...] = ("identity", "horizontal", "vertical", "both")
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        refuse_unlisted(self, "inference")
        _require(len(self.tta) > 0, "inference.tta is empty; it needs at least `identity`.")
        _within(self, "inference", batch_size=(1, 65536))


@dataclass(frozen=True)
class Recipe:
    """One whole run.

    Args:
        seed: Seed of the folds, the weights, the order of the cadences and their augmentation.
        data: Which cadences are used, and how they are split.
        represent: How a cadence becomes planes.
        augment: Random changes of a training cadence.
        model: The detector.
        optim: The optimiser.
        trainer: What Lightning's Trainer is told.
        inference: How a trained detector scores a cadence.
    """

    seed: int = 0
    data: Data = field(default_factory=Data)
    represent: Represent = field(default_factory=Represent)
    augment: Augment = field(default_factory=Augment)
    model: Model = field(default_factory=Model)
    optim: Optim = field(default_factory=Optim)
    trainer: Trainer = field(default_factory=Trainer)
    inference: Inference = field(default_factory=Inference)

    def __post_init__(self) -> None:
        """Refuse seeds that a library cannot take: NumPy's largest is 2³² − 1, and folds and epochs add to it."""
        _within(self, "", seed=(0, 2**31 - 1))

    def as_dict(self) -> dict[str, Any]:
        """The recipe as nested dictionaries, ready for YAML or JSON."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value
