"""Represented cadences in one file, so that they are read and represented once for all epochs and folds.

A cadence of the competition has 838 kB on disk and takes a few milliseconds to represent. Its planes for the panel
network have 360 kB as float16, and the system keeps the pages of a file that is read often in memory.
"""

import logging
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import DTypeLike
from rich.progress import track
from torch import Tensor
from torch.utils.data import Dataset

from abacad.config import Recipe
from abacad.files import replacing, reserve
from abacad.learn.dataset import worker_count
from abacad.learn.readers import Loader

log = logging.getLogger(__name__)

_COMPARED = 5  # cadences that are compared with the source before a packed file is used
_TOGETHER = 16  # cadences that are represented and packed at once
_ROUNDING = {np.dtype(np.float16): (1e-2, 1e-2), np.dtype(np.int8): (0.0, 1.0)}
"""Allowed difference, as a share of the value and in itself: rounding, and sums in another order in other batches."""


class Packed(Dataset):
    """The cadences of a packed file; `packed[i]` is what was packed, floats as float32."""

    def __init__(self, path: Path) -> None:
        """Look at the head of the file; a cadence is read when it is asked for."""
        self.path = path
        self.values = np.load(path, mmap_mode="r", allow_pickle=False)

    def __len__(self) -> int:
        """Number of cadences."""
        return len(self.values)

    def __getitem__(self, index: int) -> Tensor:
        """One cadence."""
        number = range(len(self))[index]  # an IndexError beyond the last, which ends a loop
        shape, dtype = self.values.shape[1:], self.values.dtype
        size = math.prod(shape)
        # Read and not mapped: where the file is larger than the page cache, a map reads ahead at each place, seven
        # times as much as is asked for (docs/lab-notebook.md, section 28). Opened anew each time: readers that are
        # forked would share the place in an open file.
        start = self.values.offset + number * size * dtype.itemsize
        values = np.fromfile(self.path, dtype, size, offset=start).reshape(shape)
        return torch.from_numpy(values.astype(np.float32) if dtype == np.float16 else values)


def worth_packing(source: Dataset, n_cadences: int, folder: Path, dtype: DTypeLike = np.float16) -> bool:
    """Whether the packed file would take at most 24 GB and a third of the free disk.

    Args:
        source: Gives represented cadences; the first tells the size of all.
        n_cadences: How many are packed.
        folder: Where the file would be.
        dtype: Of the numbers in it.
    """
    # 24 GB: the competition's 54,000 cadences take 19 GB for the panel network, and making them anew in each epoch
    # would take five times as long. A third of the free disk: checkpoints and logs have to fit beside it.
    size = n_cadences * source[0].numel() * np.dtype(dtype).itemsize
    return size <= min(24e9, shutil.disk_usage(folder).free / 3)


def pack(
    source: Dataset,
    n_cadences: int,
    path: Path,
    *,
    dtype: DTypeLike = np.float16,
    workers: int = 0,
    progress: bool = False,
    told: str = "Packing cadences",
) -> Packed:
    """Write `source[0 … n_cadences − 1]` into one file, unless it is there already.

    An existing file is compared with the source at five cadences. One that a kill left unfinished (zeros at its end),
    or that another recipe made, is written again.

    Args:
        source: Gives represented cadences, (plane, row, freq), or other tensors of one shape.
        n_cadences: How many.
        path: The `.npy` file.
        dtype: Of the numbers in it: float16, or int8 of tensors that are int8 already.
        workers: Processes that read and represent.
        progress: Show a progress bar.
        told: What the bar says.

    Raises:
        AbacadError: the disk has no room for it.
    """
    if path.is_file():
        if _is_of(path, source, n_cadences, np.dtype(dtype)):
            return Packed(path)
        log.warning("%s does not hold these cadences; packing them anew", path)
    order: Sequence[int] = range(n_cadences)
    batches = Loader(source, batch_size=_TOGETHER, sampler=order, num_workers=workers)
    with replacing(path) as temporary:
        values = None
        done = 0
        for batch in track(batches, told, disable=not progress, transient=True):
            if values is None:
                values = _new(temporary, (n_cadences, *batch.shape[1:]), dtype)
            values[done : done + len(batch)] = batch.numpy()
            done += len(batch)
        if values is not None:
            values.flush()  # before the file is renamed, so that its name never stands for pages that are not written
    return Packed(path)


def _new(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> np.memmap:
    """An empty mapped file with its blocks reserved: writing to a map on a full disk would end the process."""
    np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape).flush()
    reserve(path)
    return np.lib.format.open_memmap(path, mode="r+")


def _is_of(path: Path, source: Dataset, n_cadences: int, dtype: np.dtype) -> bool:
    """Whether a packed file holds the source's cadences, judged by five of them, from the first to the last."""
    try:
        packed = Packed(path)
    except (OSError, ValueError, EOFError):
        return False
    first = source[0]
    # Another recipe gives other shapes or other values. A kill in the middle of writing leaves zeros, and always at the
    # end of the file: the last place is among those that are compared.
    if packed.values.shape != (n_cadences, *first.shape) or packed.values.dtype != dtype:
        return False
    places = np.unique(np.linspace(0, n_cadences - 1, _COMPARED).round().astype(int)).tolist()
    return all(torch.allclose(packed[at].float(), source[at].float(), *_ROUNDING[dtype]) for at in places)


def packed_if_wanted(source: Dataset, n_cadences: int, path: Path, recipe: Recipe) -> Dataset:
    """The cadences packed into the file `path` where `data.pack` of the recipe asks for it, else the source itself."""
    wanted = recipe.data.pack
    if wanted == "never" or (wanted == "auto" and not worth_packing(source, n_cadences, path.parent)):
        return source
    workers = worker_count(recipe.data.workers, _TOGETHER * source[0].nbytes)
    return pack(source, n_cadences, path, workers=workers, progress=recipe.trainer.progress)
