"""`python -m abacad.run.train_process DATA RUN RECIPE.yaml`: a training for a notebook, which reads its lines."""

import os
import sys
import warnings
from collections.abc import Sequence

from abacad.errors import AbacadError
from abacad.learn.notebook import tell_error, tell_levels
from abacad.run.train import train


def main(words: Sequence[str]) -> int:
    """Train; 0 when it went well, 2 when the input was at fault."""
    warnings.filterwarnings("ignore")  # other libraries' advice to programmers
    folder, run, recipe = words
    # Lightning starts this module again for each further device; one of them talks to the notebook.
    is_first = os.environ.get("LOCAL_RANK", "0") == "0"
    if is_first:
        tell_levels()
    try:
        train(folder, run, recipe)
    except AbacadError as error:
        if is_first:
            tell_error(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
