"""The random changes of training cadences: the shares of the eight combinations of two flips and a shift.

python benchmarks/augmentation.py
"""

from collections import Counter

import torch

from abacad.config import Augment, Represent
from abacad.learn.augment import Augmentation
from abacad.represent.representation import representation

DRAWS = 2000


def law() -> None:
    """Flips and shift of planes in which two pixels tell where they went."""
    change = Augmentation(Augment(), representation(Represent("difference")))
    planes = torch.zeros(3, 273, 256)
    planes[1, 136, 128], planes[1, 141, 135] = 5.0, 10.0
    found: Counter[tuple[bool, bool, bool]] = Counter()
    for index in range(DRAWS):
        change.reseed(0, 0, index)
        middle = change(planes)[1]
        row, channel = divmod(int((middle - 5).abs().argmin()), 256)
        other_row, other_channel = divmod(int(middle.argmax()), 256)
        in_freq, in_time = other_channel < channel, other_row < row
        still = (272 - 136 if in_time else 136, 255 - 128 if in_freq else 128)
        found[in_freq, in_time, (row, channel) != still] += 1
    for (in_freq, in_time, shifted), count in sorted(found.items()):
        print(f"frequency flipped {in_freq!s:5} time flipped {in_time!s:5} shifted {shifted!s:5} {count / DRAWS:.3f}")


if __name__ == "__main__":
    law()
