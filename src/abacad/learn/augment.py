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

from abacad.config import Augment
from abacad.represent.representation import Representation
from abacad.types import Planes

cv2.setNumThreads(0)  # several processes read at once; threads within each would compete for the same cores


class TimeReversal(A.ImageOnlyTransform):
    """A vertical flip of a whole cadence: rows are reversed, and the order of its panels too."""

    def __init__(self, seen: Representation, p: float) -> None:
        """Reverse time with probability `p`; `seen` knows which planes change places."""
        super().__init__(p=p)
        self.seen = seen

    def apply(self, img: np.ndarray, **params: Any) -> np.ndarray:
        """Reverse the rows of an array (row, freq, plane), and the order of its planes."""
        # torch refuses arrays with a negative stride, which `[::-1]` gives: hence the copy
        return np.ascontiguousarray(img[::-1, :, self.seen.time_reversed(img.shape[2])])


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
        """A changed copy of one cadence.

        Args:
            planes: (plane, row, freq).
        """
        # albumentations takes images as OpenCV does: the planes last, and one block of memory
        image = self.seen.unstacked(planes).permute(1, 2, 0).numpy()
        changed = self.compose(image=np.ascontiguousarray(image))["image"]
        return self.seen.stacked(torch.from_numpy(changed).permute(2, 0, 1).contiguous())
