"""Which folder is which, told from the names of its files alone: a competition, a run, or neither.

Light on purpose (no numpy, no pandas), so that the command line refuses a wrong folder before anything is loaded.
"""

from collections.abc import Sequence
from pathlib import Path

from abacad.errors import AbacadError, plain_name

LABELS = "train_labels.csv"
SAMPLE = "sample_submission.csv"
NEVER_OPENED = "old_leaky_data"
CONFIG = "config.yaml"
# Where a Kaggle notebook mounts the competition's data, and what unzipping its download makes.
USUAL_PLACES = (
    Path("/kaggle/input/seti-breakthrough-listen"),
    Path("/kaggle/input/competitions/seti-breakthrough-listen"),
    Path("/kaggle/input/seti-breakthrough-listen/public"),
    Path("seti-breakthrough-listen"),
    Path("public"),
    Path("data/seti-breakthrough-listen"),
)

_OF_COMPETITION = (LABELS, SAMPLE, "train", "test", NEVER_OPENED, "truth.csv", "simulation.json", "overlaps.csv",
                   "groups.csv")  # fmt: skip
_OF_RUN = (CONFIG, "folds.csv", "oof.csv", "test.csv", "run.json", "checked.json", "log.txt", "packed-train.npy",
           "packed-pseudo.npy", "lines-train.npy", "lines-pseudo.npy", "run.lock", "weights.safetensors")  # fmt: skip
_DEEPEST = 4  # folders between a competition's own and the deepest of its files


def paths_of(given: str | Path | Sequence[str | Path]) -> list[Path]:
    """One path or several, as a list: a string is a path, not a list of letters.

    Example:
        >>> paths_of("runs/a") == paths_of(["runs/a"])
        True
    """
    return [Path(given)] if isinstance(given, str | Path) else [Path(path) for path in given]


def is_competition(folder: Path) -> bool:
    """Whether labels or a sample submission lie in that folder."""
    return (folder / LABELS).is_file() or (folder / SAMPLE).is_file()


def is_run(folder: Path) -> bool:
    """Whether a training wrote its recipe into that folder."""
    return (folder / CONFIG).is_file()


def find_competition(folder: str | Path | None = None) -> Path:
    """The competition folder: the one given (or its `public/` or `prepared/public/`), or the first usual place.

    Raises:
        AbacadError: there is none.
    """
    if folder is None:
        usual = [place for place in USUAL_PLACES if (place / LABELS).is_file()]
        if not usual:
            raise AbacadError(
                "No competition folder was named, and none is at its usual places.\n"
                f"Name the folder that holds {LABELS}, or make one: abacad simulate OUT."
            )
        return usual[0]
    folder = Path(folder)
    _refuse_zipped(folder)
    if not folder.is_dir():
        raise AbacadError(f"There is no folder {plain_name(folder)}.\nName the folder that holds {LABELS}.")
    # MLE-bench keeps the data in prepared/public, beside private answers
    for place in (folder, folder / "public", folder / "prepared" / "public"):
        if is_competition(place):
            return place
    if is_run(folder):
        raise AbacadError(
            f"{plain_name(folder)} is a run folder.\nThe data folder, which holds {LABELS}, is named after it."
        )
    raise AbacadError(f"{plain_name(folder)} holds no {LABELS} and no {SAMPLE}.\nName the folder that holds them.")


def _refuse_zipped(folder: Path) -> None:
    """Tell a competition as it was downloaded, as one zip file or several, with how to unpack it."""
    packed = [folder] if folder.is_file() else sorted(folder.glob("*.zip")) if folder.is_dir() else []
    unpacked = any(is_competition(place) for place in (folder, folder / "public", folder / "prepared" / "public"))
    if packed and packed[0].suffix == ".zip" and not unpacked:
        zipped, out = plain_name(packed[0]), plain_name(packed[0].with_suffix(""))
        raise AbacadError(
            f"{zipped} is not unpacked yet.\nUnpack it, then name the new folder: unzip {zipped} -d {out}"
        )


def find_run(folder: str | Path) -> Path:
    """The run folder.

    Raises:
        AbacadError: no training wrote into that folder, or it is a competition's.
    """
    folder = Path(folder)
    if is_run(folder):
        return folder
    if not folder.exists():
        raise AbacadError(
            f"There is no run folder {plain_name(folder)}.\nMake one: abacad train DATA --run {plain_name(folder)}."
        )
    if is_competition(folder):
        raise AbacadError(
            f"{plain_name(folder)} is no run folder but a competition's.\n"
            f"The run folder is named first, the data folder after it."
        )
    raise AbacadError(
        f"{plain_name(folder)} is no run folder: it has no {CONFIG}.\nMake one: abacad train DATA --run runs/NAME."
    )


def find_scorer(path: str | Path) -> Path:
    """A run folder, or a file of weights.

    Raises:
        AbacadError: it is neither.
    """
    path = Path(path)
    # A name with an ending was meant as a file: a training could not make it.
    if path.suffix and not path.exists():
        beside = sorted(other.name for other in path.parent.glob(f"*{path.suffix}"))
        there = f"{plain_name(path.parent)} has {beside[0]}." if beside else "Is the name right, and the disk there?"
        raise AbacadError(f"There is no file {plain_name(path)}.\n{there}")
    return path if path.is_file() else find_run(path)


def owner_of(path: Path) -> tuple[Path, str] | None:
    """The competition or run folder whose own files a path would be one of, and which of the two; none for others."""
    # Upwards from the file: the nearest folder owns it, as a run folder inside a data folder owns its own files.
    for folder in list(path.parents)[:_DEEPEST]:
        first = path.relative_to(folder).parts[0]
        if is_competition(folder) and first in _OF_COMPETITION:
            return folder, "competition"
        if is_run(folder) and (first in _OF_RUN or _is_fold(first)):
            return folder, "run"
    return None


def _is_fold(name: str) -> bool:
    return name.startswith("fold") and name[4:].isdigit()
