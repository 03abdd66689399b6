"""Test cadences that join a training, by pseudo labels or by a person's verdict: checked as the labelled ones are.

`abacad predict --bad skip` writes a score for a file that it cannot read, too: a row of test.csv is no sign of a
cadence that can be trained on.
"""

from collections.abc import Iterable
from pathlib import Path

from abacad.config import Recipe
from abacad.data.check import Checked, check_cadences
from abacad.data.competition import listed_files
from abacad.learn.pseudo import read_pseudo
from abacad.learn.verdicts import read_verdicts


def check_joining(root: Path, recipe: Recipe, labelled: Iterable[str], shape: tuple[int, ...]) -> Checked:
    """Look at the test cadences that join a training, as closely as the recipe looks at the labelled ones.

    Args:
        root: The competition folder.
        recipe: Names the files of pseudo labels and verdicts.
        labelled: Ids of the labelled cadences, whose verdicts replace labels.
        shape: Of the labelled cadences, which those that join must have.

    Raises:
        AbacadError: a file of pseudo labels or verdicts cannot be used.
    """
    ids = _joining(root, recipe, set(labelled))
    full, progress = recipe.data.check == "full", recipe.trainer.progress
    return check_cadences(root, "test", ids, shape=shape, full=full, progress=progress) if ids else Checked(shape, {})


def _joining(root: Path, recipe: Recipe, labelled: set[str]) -> list[str]:
    present = listed_files(root, "test")
    pseudo = [] if recipe.data.pseudo is None else list(read_pseudo(recipe)["id"])
    # Where a few of them are missing they are bad cadences; where all are, the scores are those of another folder, of
    # which `with_pseudo` tells.
    pseudo = pseudo if any(name in present for name in pseudo) else []
    said = [] if recipe.data.verdicts is None else list(read_verdicts(Path(recipe.data.verdicts)).index)
    return list(dict.fromkeys([*pseudo, *(name for name in said if name in present and name not in labelled)]))
