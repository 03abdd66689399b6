"""Random changes of a training cadence that leave its label true. The only file that knows albumentations.

All panels are flipped and shifted together, so that interference keeps its frequency from panel to panel. Nothing is
rotated: a row is one moment, and the rotated line of a carrier would look like a drift.
"""

import os
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer release on import

import albumentations as A
import cv2
import numpy as np
import torch
from torch import Tensor

from abacad.config import Augment
from abacad.model.evidence import reversed_freq, reversed_time
from abacad.represent.representation import Representation
from abacad.types import Planes

cv2.setNumThreads(0)  # several processes read at once; threads within each would compete for the same cores

NO_LINES = torch.empty(0, dtype=torch.int8)
"""Of a cadence whose lines nobody kept."""


class TimeReversal(A.ImageOnlyTransform):
    """A vertical flip of a whole cadence: rows are reversed, and the order of its panels too."""

    def __init__(self, seen: Representation, p: float) -> None:
        """Reverse time with probability `p`; `seen` knows which planes change places."""
        super().__init__(p=p)
        self.seen = seen

    def apply_to_images(self, images: np.ndarray, *args: Any, **params: Any) -> np.ndarray:
        """Reverse the rows of planes (plane, row, freq), and their order."""
        return images[self.seen.time_reversed(len(images)), ::-1]


_TURNED = {A.HorizontalFlip.__name__: reversed_freq, TimeReversal.__name__: reversed_time}
"""What each change does to lines."""


class Augmentation:
    """The random changes of `Augment` in a recipe, as a function of one represented cadence."""

    def __init__(self, recipe: Augment, seen: Representation, seed: int = 0) -> None:
        """Compose the changes for planes of that representation."""
        self.seen = seen
        self.compose = A.Compose(
            [
                # Frequency alone: a drift changes its sign, and a needle keeps its place in time.
                A.HorizontalFlip(p=recipe.horizontal_flip),
                # Not A.VerticalFlip: it reverses the rows of each panel, which tears apart a needle that drifts from
                # one ON panel into the next (docs/adr/0001-representation.md).
                TimeReversal(seen, p=recipe.vertical_flip),
                A.Affine(
                    translate_percent={
                        "x": (-recipe.freq_shift, recipe.freq_shift),
                        "y": (-recipe.time_shift, recipe.time_shift),
                    },
                    interpolation=cv2.INTER_NEAREST,  # whole rows and channels: an interpolation would blur a needle
                    border_mode=cv2.BORDER_REFLECT_101,  # noise of the cadence itself; zeros would be an edge
                    p=recipe.shift,
                ),
            ],
            seed=seed,
            save_applied_params=True,
        )

    def reseed(self, *key: int) -> None:
        """Start the random changes anew, from whole numbers ≥ 0 such as (seed, epoch, place of the cadence).

        Each change draws from a stream of its own. `Compose.set_random_seed` would give all of them the same seed, and
        so the same first number: a flip, the other flip and the shift would come together or not at all.
        """
        streams = np.random.SeedSequence(key).generate_state(len(self.compose.transforms))
        for change, stream in zip(self.compose.transforms, streams, strict=True):
            change.set_random_seed(int(stream))

    def __call__(self, planes: Planes) -> Planes:
        """A changed copy of one cadence, (plane, row, freq)."""
        return self.with_lines(planes, NO_LINES)[0]

    def with_lines(self, planes: Planes, lines: Tensor) -> tuple[Planes, Tensor]:
        """Changed copies of a cadence and of its lines.

        Args:
            planes: (plane, row, freq).
            lines: (map, drift2, freq2) as `abacad.learn.kept_lines` keeps them, or none, an empty tensor. They are
                turned round with the cadence; a shift leaves them as they are, so nobody keeps lines where cadences
                are shifted.
        """
        # `images` are changed alike. As one image with many channels they would have to be turned round and back, which
        # took two thirds of the time.
        changed = self.compose(images=self.seen.unstacked(planes).numpy())
        # torch refuses the negative strides of a flip, and what was not changed is still the caller's: hence a copy
        planes = self.seen.stacked(torch.from_numpy(np.array(changed["images"], order="C")))
        if lines.numel():
            for name, _ in changed["applied_transforms"]:
                lines = _TURNED[name](lines)
        return planes, lines
