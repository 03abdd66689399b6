"""The recipe: one whole run, from the folder of cadences to the scores, as plain data.

This package imports neither torch nor NumPy. The command line builds its help from it, which has to answer within half
a second, and torch alone takes longer to import.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from abacad.config.cadences import REPRESENTATIONS, Augment, Contrast, Data, Represent, View
from abacad.config.detector import Accelerator, Flip, Inference, Model, Optim, Precision, Strategy, Trainer
from abacad.limits import within

__all__ = [
    "REPRESENTATIONS",
    "Accelerator",
    "Augment",
    "Contrast",
    "Data",
    "Flip",
    "Inference",
    "Model",
    "Optim",
    "Precision",
    "Recipe",
    "Represent",
    "Strategy",
    "Trainer",
    "View",
]


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

    # Refused where the dataclass is made, and not where the value is used: a run of hours would end in its third fold.
    def __post_init__(self) -> None:
        """Refuse seeds that a library cannot take: NumPy's largest is 2³² − 1, and the number of a fold is added."""
        within(self, "", seed=(0, 2**31 - 1))

    def as_dict(self) -> dict[str, Any]:
        """The recipe as nested dictionaries, ready for YAML or JSON."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    # YAML writes a tuple as a Python object, which the reader of recipes refuses: it makes no objects but plain ones
    return list(value) if isinstance(value, tuple) else value
