"""Names for the shapes of the arrays and tensors that functions hand to each other.

panel    6, in the order A B A C A D (ON target at 0, 2, 4; OFF at 1, 3, 5)
time     rows of one panel, `dt_s` apart
freq     channels, `df_hz` apart, ascending
plane    an image that a detector reads: a panel, a difference of panels, or a view derived from one

Shapes of tensors are made when they are first asked for: torch takes half a second and 0.5 GB, and a search for lines
does without it.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

# jaxtyping takes a name such as `time` for one number within a call: arrays of different lengths are then an error.
CadenceArray = Float[np.ndarray, "panel time freq"]
"""One cadence as read from a file; float16 or float32."""

if TYPE_CHECKING:
    from torch import Tensor

    Panels = Float[Tensor, "*batch panel time freq"]
    """Cadences, one or a batch of them."""

    Planes = Float[Tensor, "*batch plane row freq"]
    """Cadences after `represent`."""

    Logits = Float[Tensor, " batch"]
    """A detector's answer: the log-odds that a needle stands in the ON panels alone."""

_TENSORS = {"Panels": "*batch panel time freq", "Planes": "*batch plane row freq", "Logits": " batch"}


def __getattr__(name: str) -> Any:
    """The shapes of tensors."""
    if name not in _TENSORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from torch import Tensor

    globals()[name] = Float[Tensor, _TENSORS[name]]
    return globals()[name]
