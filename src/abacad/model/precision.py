"""The precision that a network computes in: 32 bits, or 16 where the device is quicker with them."""

from contextlib import AbstractContextManager, nullcontext

import torch

_HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def precision_of(asked: str, accelerator: str) -> str:
    """Lightning's name of the precision to compute in.

    Args:
        asked: `trainer.precision` or `inference.precision` of the recipe. `auto` takes bf16 where the device computes
            in it, fp16 on other CUDA cards, and 32 bits elsewhere.
        accelerator: `trainer.accelerator` of the recipe, or the type of a device.
    """
    if asked != "auto":
        return asked
    if accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        # Emulated bf16, which older cards report as well, is slower than 32 bits.
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    if accelerator in ("auto", "cpu") and not torch.backends.mps.is_available() and _cpu_has_bf16():
        return "bf16-mixed"
    return "32-true"


def computing_in(asked: str, device: torch.device) -> AbstractContextManager:
    """A context in which matrix products and convolutions on a device are computed in that precision."""
    # autocast, not half weights: it leaves sums and losses, in which rounding adds up, in 32 bits
    half = _HALF.get(precision_of(asked, device.type))
    return nullcontext() if half is None else torch.autocast(device.type, half)


def current_precision(device: torch.device) -> str:
    """The precision that a device computes in here, inside of `computing_in` or not: `16-mixed`, …, or `32-true`."""
    if not torch.is_autocast_enabled(device.type):
        return "32-true"
    computed = torch.get_autocast_dtype(device.type)
    return next((name for name, dtype in _HALF.items() if dtype == computed), str(computed))


def _cpu_has_bf16() -> bool:
    # A private function of torch, which may be renamed: then the CPU computes in 32 bits.
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
