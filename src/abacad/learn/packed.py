"""Represented cadences packed into one file: read once, then every epoch of every fold takes them from there.

A cadence of the competition is 838 kB on disk and a few milliseconds to represent; the same one as the panel network
sees it is 360 kB of float16 in the page cache.
"""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from abacad.config import Recipe
from abacad.files import replacing, reserve
from abacad.learn.dataset import worker_count

log = logging.getLogger(__name__)

_COMPARED = 5  # cadences
_ROUNDING = 1e-2
"""Of float16, and of sums in another order where cadences are represented in batches of another size."""


class Packed(Dataset):
    """The cadences of one packed file, float32 again: `packed[i]` is (plane, row, freq)."""

    def __init__(self, path: Path) -> None:
        """Map the file; nothing is read yet."""
        self.path = path
        self.values = np.load(path, mmap_mode="r", allow_pickle=False)

    def __len__(self) -> int:
        """Number of cadences."""
        return len(self.values)

    def __getitem__(self, index: int) -> Tensor:
        """One represented cadence."""
        return torch.from_numpy(self.values[index].astype(np.float32))


def worth_packing(source: Dataset, n_cadences: int, folder: Path) -> bool:
    """Whether the packed file takes at most 24 GB and a third of the free disk."""
    size = n_cadences * source[0].numel() * np.dtype(np.float16).itemsize
    return size <= min(24e9, shutil.disk_usage(folder).free / 3)


def pack(source: Dataset, n_cadences: int, path: Path, *, workers: int = 0, progress: bool = False) -> Packed:
    """Write `source[0 … n_cadences − 1]` into one float16 file, unless it is there already.

    A file that is there is compared with the source in a few places: one of zeros or of another recipe is made anew.

    Args:
        source: Gives represented cadences, (plane, row, freq).
        n_cadences: How many.
        path: The `.npy` file.
        workers: Processes that read and represent.
        progress: Show a progress bar.

    Raises:
        AbacadError: the disk has no room for it.
    """
    if path.is_file():
        if _is_of(path, source, n_cadences):
            return Packed(path)
        log.warning("%s does not hold these cadences; packing them anew", path)
    order: Sequence[int] = range(n_cadences)
    batches = DataLoader(source, batch_size=16, sampler=order, num_workers=workers)
    with replacing(path) as temporary:
        values = None
        done = 0
        for batch in track(batches, "Packing cadences", disable=not progress, transient=True):
            if values is None:
                values = _new(temporary, (n_cadences, *batch.shape[1:]))
            values[done : done + len(batch)] = batch.numpy()
            done += len(batch)
        if values is not None:
            values.flush()
    return Packed(path)


def _new(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """A mapped file with its place on the disk."""
    np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape).flush()
    reserve(path)
    return np.lib.format.open_memmap(path, mode="r+")


def _is_of(path: Path, source: Dataset, n_cadences: int) -> bool:
    """Whether a packed file has the source's cadences, by five of them, the first and the last among these."""
    try:
        packed = Packed(path)
    except (OSError, ValueError, EOFError):
        return False
    first = source[0]
    if packed.values.shape != (n_cadences, *first.shape) or packed.values.dtype != np.float16:
        return False
    places = np.unique(np.linspace(0, n_cadences - 1, _COMPARED).round().astype(int)).tolist()
    return all(torch.allclose(packed[place], source[place], rtol=_ROUNDING, atol=_ROUNDING) for place in places)


def packed_if_wanted(source: Dataset, n_cadences: int, path: Path, recipe: Recipe) -> Dataset:
    """The cadences packed into `path` where the recipe says so, and as they are where not."""
    wanted = recipe.data.pack
    if wanted == "never" or (wanted == "auto" and not worth_packing(source, n_cadences, path.parent)):
        return source
    workers = worker_count(recipe.data.workers)
    return pack(source, n_cadences, path, workers=workers, progress=recipe.trainer.progress)
