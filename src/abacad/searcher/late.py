"""A judge that is loaded when it is first asked.

torch and the detector take 0.6 GB, a coarse channel of the fine product 0.4 GB: all coarse channels are searched first,
and only then does the detector come.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abacad.config import Flip

if TYPE_CHECKING:
    from abacad.model.judge import Judge


@dataclass
class LateJudge:
    """Scores as `abacad.model.judge.Judge` does, which it holds from the first call on.

    Attributes:
        weights: a run folder or a file of weights; none takes those of the package.
        n_time: rows of the shortest panel, for which the package's weights are chosen.
        stamps: whether it scores stamps or windows, for which the package's weights are chosen, too.
        accelerator: that scores; see `abacad.model.device.pick_device`.
        flips: whose logits are averaged; one view, since the others cost four times the time.
    """

    weights: Path | None
    n_time: int
    accelerator: str = "auto"
    stamps: bool = True
    flips: Sequence[Flip] = ("identity",)

    @cached_property
    def judge(self) -> "Judge":
        """The judge itself.

        Raises:
            AbacadError: there are no weights, or no such accelerator.
        """
        # Imported here: a search without an event to score never loads torch.
        from abacad.learn.run_folder import judge_of
        from abacad.model.device import pick_device
        from abacad.model.judge import shipped

        judge = judge_of(self.weights or shipped(self.n_time, self.stamps), pick_device(self.accelerator))
        return replace(judge, flips=self.flips)

    def scores(self, panels: Any, axes: Any = None) -> Any:
        """Scores of cadences (batch, 6, time, freq) of torch with these axes, one each."""
        return self.judge.scores(panels, axes)
