"""Reads weights from a safetensors file, and checks them before anything is computed with them.

A file that somebody else wrote may lack a tensor, hold one of another shape, or numbers that are none; each would give
a ranking that looks like any other. Its metadata are plain JSON, and nothing in it is executed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from abacad.errors import AbacadError, brief, plain_name
from abacad.plain import open_plain

_LARGEST = 1 << 33
"""8 GB: the largest backbone of timm has 4."""
_LONGEST_HEADER = 1 << 24
_ABOUT = "abacad"


def read_weights(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a file's metadata, empty where it has none of abacad's, and its tensors.

    Raises:
        AbacadError: it cannot be read, is no safetensors file, or holds NaN or infinite values.
    """
    try:
        # safetensors itself would parse a header of up to 100 MB as JSON
        with open_plain(path, _LARGEST) as file:
            if int.from_bytes(file.read(8), "little") > _LONGEST_HEADER:
                raise ValueError("its header is too long")
        with safe_open(path, "pt") as opened:
            about = json.loads((opened.metadata() or {}).get(_ABOUT, "{}"))
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 — no mapping
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AbacadError(f"{plain_name(path)} holds no weights: {brief(reason, 120)}.") from error
    if not isinstance(about, dict):
        raise AbacadError(
            f"{plain_name(path)} holds no weights that abacad saved: its metadata are no keys with values."
        )
    _refuse_strange_numbers(path, weights)
    return about, weights


def _refuse_strange_numbers(path: Path, weights: Mapping[str, Tensor]) -> None:
    for name, tensor in weights.items():
        if tensor.is_complex() or (tensor.is_floating_point() and not tensor.isfinite().all()):
            raise AbacadError(
                f"{plain_name(path)}: {brief(name, 60)} holds values that are NaN, infinite or complex.\n"
                "Take other weights: its training diverged, or the file is damaged."
            )


def compare(path: Path, weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Refuse weights that are not those of the network.

    Args:
        path: Where they are from.
        weights: Tensors by name.
        wanted: The network's, of which only shape and type of number count.

    Raises:
        AbacadError: a tensor is missing, is one too many, or has another shape or type of number.
    """
    for name in [*wanted, *weights]:
        if name not in weights:
            raise AbacadError(f"{plain_name(path)} lacks {brief(name, 60)}, which this network has.")
        if name not in wanted:
            raise AbacadError(f"{plain_name(path)} holds {brief(name, 60)}, which this network has not.")
        # whether it is a floating-point number, and not of how many bits: half precision is widened when it is loaded
        given, needed = weights[name], wanted[name]
        if given.shape != needed.shape or given.is_floating_point() != needed.is_floating_point():
            raise AbacadError(
                f"{plain_name(path)}: {brief(name, 60)} is {_form(given)}; this network takes {_form(needed)}."
            )


def _form(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} of {str(tensor.dtype).removeprefix('torch.')}"


def about_text(about: dict[str, Any]) -> dict[str, str]:
    """Metadata as a file of weights holds them."""
    return {_ABOUT: json.dumps(about)}


def on_no_device(build: Any, *arguments: Any) -> Any:
    """What `build` makes, on torch's device `meta`: its tensors have shapes and take no memory."""
    with torch.device("meta"):
        return build(*arguments)
