"""The recipe: one whole run, from the folder of cadences to the scores, as plain data.

Light on purpose (no torch, no numpy), so that the command line can build its help from it at once.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from abacad.errors import AbacadError

Flip = Literal["identity", "horizontal", "vertical", "both"]
Kind = Literal["difference", "on", "panels", "tall", "tall_on", "binned"]
View = Literal["shared", "clean", "track", "residual"]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AbacadError(message)


@dataclass(frozen=True)
class Data:
    """Which cadences are used, and how they are split.

    Args:
        folds: Number of cross-validation folds.
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
        pseudo: Scores of test cadences (a CSV file with the columns id and score, such as test.csv of another run).
            They join each training fold, the score for a target; none of them judges.
    """

    folds: int = 5
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

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        _require(self.folds >= 2, f"data.folds is {self.folds}; cross-validation needs at least 2.")
        _require(self.simulated >= 0, f"data.simulated is {self.simulated}; it must be 0 or more.")
        _require(self.labelled or self.simulated > 0, "Without labelled cadences data.simulated must be above 0.")
        _require(self.workers is None or self.workers >= 0, "data.workers must be 0 or more, or null.")


@dataclass(frozen=True)
class Represent:
    """How a cadence of six panels becomes the channels that a detector sees.

    Args:
        kind: `difference` (ON1−OFF1, ON2−OFF2, ON3−OFF3), `on` (three ON panels), `panels` (six channels), `tall`
            (six panels stacked in time into one image), `tall_on` (three ON panels stacked so), or `binned` (six
            robustly normalised panels with rows averaged, for the panel network).
        contrast: `log1p` compresses bright pixels, symmetrically for negative values; `none` leaves them.
        rows: Rows that `binned` sums into one.
        views: Views of `binned`: panels less their common spectrum (`shared`), also less the other class's spectra
            (`clean`), and the evidence that a narrow-band path runs through each pixel (`track`). With `residual`,
            which needs the table of `abacad overlaps`, `clean` and `track` show of the channels that stand in another
            cadence, too, only what differs, and the view itself shows which channels these are.
    """

    kind: Kind = "difference"
    contrast: Literal["log1p", "none"] = "log1p"
    rows: int = 7
    views: tuple[View, ...] = ("shared", "clean", "track")

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        _require(self.rows >= 1, f"represent.rows is {self.rows}; it must be 1 or more.")
        _require(len(self.views) > 0, "represent.views is empty; `binned` needs at least one view.")


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
        for name in ("horizontal_flip", "vertical_flip", "shift", "time_shift", "freq_shift", "mixup_off"):
            value = getattr(self, name)
            _require(0 <= value <= 1, f"augment.{name} is {value}; it must lie between 0 and 1.")
        _require(self.mixup >= 0, f"augment.mixup is {self.mixup}; it must be 0 or more.")


@dataclass(frozen=True)
class Model:
    """The detector.

    Args:
        name: Any timm backbone, or `panel` for the compact panel network.
        pretrained: Start a timm backbone from its ImageNet weights (from the hub, or its local cache), and the panel
            network from the weights that come with abacad, trained on simulated cadences; those of a view that they
            were trained without start at zero.
        weights: Start from this local file instead: weights of the backbone, or a detector that abacad saved.
        size: Resize the image to size × size pixels; null keeps the native one.
        drop: Dropout before the last layer of a timm backbone.
        drop_path: Stochastic depth of a timm backbone.
        width: Channels of the panel network's first layer.
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
        _require(self.size is None or self.size >= 32, f"model.size is {self.size}; the smallest is 32.")
        _require(0 <= self.drop < 1, f"model.drop is {self.drop}; it must lie in [0, 1).")


@dataclass(frozen=True)
class Optim:
    """AdamW with a linear warm-up and a cosine decay.

    Args:
        lr: Peak learning rate.
        weight_decay: Decoupled weight decay.
        batch_size: Cadences in a training step, on each device.
        warmup: Share of all steps over which the learning rate rises.
        final_lr: Learning rate of the last step, as a share of the peak.
        clip: Largest norm of the gradient.
        ema: Decay of the exponential moving average of the weights that is validated and kept; 0 keeps the last.
        smoothing: Share by which targets are drawn from 0 and 1 towards ½: 0.02 trains on 0.01 and 0.99.
    """

    lr: float = 1e-3
    weight_decay: float = 1e-2
    batch_size: int = 64
    warmup: float = 0.1
    final_lr: float = 0.01
    clip: float = 1.0
    ema: float = 0.0
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        _require(self.lr > 0, f"optim.lr is {self.lr}; it must be above 0.")
        _require(self.batch_size >= 1, f"optim.batch_size is {self.batch_size}; it must be 1 or more.")
        _require(0 <= self.warmup <= 1, f"optim.warmup is {self.warmup}; it must lie between 0 and 1.")
        _require(0 <= self.ema < 1, f"optim.ema is {self.ema}; it must lie in [0, 1).")
        _require(0 <= self.smoothing < 1, f"optim.smoothing is {self.smoothing}; it must lie in [0, 1).")


@dataclass(frozen=True)
class Trainer:
    """What Lightning's Trainer is told.

    Args:
        max_epochs: Largest number of epochs of a fold.
        patience: Epochs without a better validation AUC after which a fold stops.
        accelerator: `auto` takes CUDA, else MPS, else the CPU.
        devices: Devices on each node.
        num_nodes: Nodes.
        strategy: `auto` is `ddp` where there are several devices.
        precision: `auto` is bf16 where the device computes in it, else fp16 on CUDA, else 32 bits.
        loggers: Where the training curves go, beside metrics.csv: tensorboard, mlflow, wandb.
        progress: Show progress bars.
    """

    max_epochs: int = 8
    patience: int = 3
    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "auto"
    loggers: tuple[Literal["tensorboard", "mlflow", "wandb"], ...] = ("tensorboard",)
    progress: bool = True

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        for name in ("max_epochs", "patience", "devices", "num_nodes"):
            value = getattr(self, name)
            _require(value >= 1, f"trainer.{name} is {value}; it must be 1 or more.")


@dataclass(frozen=True)
class Inference:
    """How a trained detector scores a cadence.

    Args:
        tta: Views of the cadence whose scores are averaged.
        batch_size: Cadences scored at once.
    """

    tta: tuple[Flip, ...] = ("identity", "horizontal", "vertical", "both")
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Refuse what no run can mean."""
        _require(len(self.tta) > 0, "inference.tta is empty; it needs at least `identity`.")
        _require(self.batch_size >= 1, f"inference.batch_size is {self.batch_size}; it must be 1 or more.")


@dataclass(frozen=True)
class Recipe:
    """One whole run.

    Args:
        seed: Seed of the folds, the weights, the order of the cadences and their augmentation.
        data: Which cadences are used, and how they are split.
        represent: How a cadence becomes channels.
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

    def as_dict(self) -> dict[str, Any]:
        """The recipe as nested dictionaries, ready for YAML or JSON."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value
