"""Whether a run packs its cadences, and how."""

from pathlib import Path

from torch.utils.data import Dataset

from abacad.config import Recipe
from abacad.data.dataset import worker_count
from abacad.data.store import pack, worth_packing


def packed_if_wanted(source: Dataset, n_cadences: int, path: Path, recipe: Recipe) -> Dataset:
    """The cadences packed into `path` where the recipe says so, and as they are where not."""
    wanted = recipe.data.pack
    if wanted == "never" or (wanted == "auto" and not worth_packing(source, n_cadences, path.parent)):
        return source
    workers = worker_count(recipe.data.workers)
    return pack(source, n_cadences, path, workers=workers, progress=recipe.trainer.progress)
