"""On which device a detector scores: as asked for, or the quickest that is there."""

import torch

from abacad.errors import AbacadError, brief

_DEVICES = ("auto", "cpu", "cuda", "gpu", "mps")


def pick_device(asked: str = "auto") -> torch.device:
    """The device to score on: as asked, else CUDA, else MPS, else the CPU.

    Raises:
        AbacadError: the device asked for is not there.
    """
    if asked.split(":")[0] not in _DEVICES:
        raise AbacadError(f"The device is '{brief(asked, 40)}'; it may be {', '.join(_DEVICES)}: --accelerator auto.")
    if asked in ("auto", "gpu"):
        if torch.cuda.is_available():
            return torch.device("cuda")
        if torch.backends.mps.is_available():
            return torch.device("mps")
        if asked == "auto":
            return torch.device("cpu")
    # A torch.device can be made of any name. Whether it is there, and its driver works, shows with a tensor on it.
    try:
        device = torch.device(asked)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise AbacadError(
            f"The device {asked} is not there.\nLeave it out, or ask for `auto`, to take the one that is."
        ) from error
    return device
