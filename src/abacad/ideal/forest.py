"""A forest of decision trees as plain arrays, which no pickle has to be opened for."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from safetensors.numpy import load_file, save

from abacad.files import replacing


@dataclass(frozen=True)
class Forest:
    """Trees, each with as many nodes as the largest; a tree's node 0 is its root, and a leaf is its own child.

    Attributes:
        number: which number a node asks for.
        least: a value above this goes to the second child, others to the first.
        child: the two nodes that follow.
        share: share of the positives among the training cadences that came to a node.
    """

    number: Int[np.ndarray, "tree node"]
    least: Float[np.ndarray, "tree node"]
    child: Int[np.ndarray, "tree node 2"]
    share: Float[np.ndarray, "tree node"]

    def shares(self, numbers: Float[np.ndarray, "batch number"]) -> Float[np.ndarray, " batch"]:
        """Mean over the trees of the share in the leaf where a row ends.

        Example:
            >>> tree = Forest(
            ...     np.zeros((1, 3), int), np.full((1, 3), 0.5), np.array([[[1, 2], [1, 1], [2, 2]]]),
            ...     np.array([[0.5, 0.1, 0.9]])
            ... )
            >>> tree.shares(np.array([[0.2], [0.8]])).tolist()
            [0.1, 0.9]
        """
        tree, row = np.arange(len(self.number))[:, None], np.arange(len(numbers))
        before, node = None, np.zeros((len(self.number), len(numbers)), np.int64)
        while before is None or (node != before).any():
            above = numbers[row, self.number[tree, node]] > self.least[tree, node]
            before, node = node, self.child[tree, node, above.astype(np.int64)].astype(np.int64)
        return self.share[tree, node].mean(0)

    def write(self, path: Path) -> None:
        """Into a safetensors file, in one step."""
        with replacing(path) as temporary:
            temporary.write_bytes(save({name: np.ascontiguousarray(value) for name, value in vars(self).items()}))


def read_forest(path: Path) -> Forest:
    """The forest of a file that `Forest.write` wrote."""
    return Forest(**load_file(path))
