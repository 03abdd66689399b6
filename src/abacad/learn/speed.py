"""Two ways to take the same training steps in less time: channels-last memory, and `torch.compile`.

In channels-last order the planes of one pixel lie beside each other, as convolutions of GPUs read them. Neither changes
a result by more than rounding.
"""

import logging

import torch

from abacad.config import Recipe
from abacad.errors import AbacadError, brief
from abacad.model.detector import Detector
from abacad.model.device import pick_device
from abacad.types import Planes

log = logging.getLogger(__name__)


def require_speed(recipe: Recipe) -> None:
    """Refuse, before any data are read, what the recipe asks for and this machine or network cannot do.

    Raises:
        AbacadError: `trainer.channels_last` is asked for the panel network, or `trainer.compile` without a compiler.
    """
    if recipe.trainer.channels_last and recipe.model.name == "panel":
        raise AbacadError("trainer.channels_last is for timm backbones.\nLeave it out: --trainer.channels_last false.")
    if recipe.trainer.compile:
        _require_compiler(recipe.trainer.accelerator)
        if recipe.model.name == "panel":
            # 1.6 times the time of a step on a CPU (docs/benchmarks.md); on a GPU nobody has measured it.
            log.warning(
                "trainer.compile makes the panel network slower: torch's compiler has no code for its complex numbers"
            )


def make_quick(detector: Detector, recipe: Recipe) -> None:
    """Lay out and compile a detector as the recipe says; its weights and their names stay as they are."""
    if recipe.trainer.channels_last:
        detector.to(memory_format=torch.channels_last)
    if recipe.trainer.compile:
        # In place: `torch.compile(detector)` would give a wrapper that calls every weight `_orig_mod.…`, and a detector
        # that was trained with it could not be read without it.
        detector.compile()


def laid_out(planes: Planes, recipe: Recipe) -> Planes:
    """The planes in the memory order of the network's weights."""
    return planes.contiguous(memory_format=torch.channels_last) if recipe.trainer.channels_last else planes


def _require_compiler(accelerator: str) -> None:
    # torch looks for a compiler when a compiled function is first called: without this, after all cadences were read
    device = pick_device(accelerator)
    try:
        torch.compile(_one_more)(torch.ones(2, device=device))
    except Exception as error:  # each compiler and platform has errors of its own
        raise AbacadError(
            f"trainer.compile finds no compiler that works here: {brief(str(error), 100)}\n"
            "Install one (g++; for CUDA Triton, too), or leave it out: --trainer.compile false."
        ) from error


def _one_more(values: torch.Tensor) -> torch.Tensor:
    return values + 1
