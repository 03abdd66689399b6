"""Loads weights from a file into a timm backbone, whatever program wrote the file, or refuses the file.

A file may come from timm, from a trainer that put the backbone into a module of its own, so that each name begins with
`module.`, `model.` or `backbone.`, or from one of abacad's folds. PyTorch's `strict=False` would skip every name that
it does not know, and the training would start from random weights without a word. So the tensors that fit are counted.
"""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from timm.models import adapt_input_conv
from torch import Tensor, nn

from abacad.errors import AbacadError, brief
from abacad.model.head import head_layers

log = logging.getLogger(__name__)

_PREFIXES = ("module.", "model.", "backbone.", "detector.", "network.", "encoder.", "_orig_mod.")
_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model", "weights")
_LEAST = 0.9
"""Share of the backbone's tensors that a file has to fill: the right file fills all, a wrong one some by chance."""
_SCALE = ".scale"
"""Ending of the name of an 8-bit tensor's scales, one a filter."""
_FEW = 27
"""Values of a filter below which it stays in 32 bits: a filter of one plane has 5 × 5 = 25 at most."""


def load_start(backbone: nn.Module, name: str, path: Path) -> bool:
    """Load a file of weights into a backbone, in place.

    Args:
        backbone: The network, with the number of planes that the representation has and one logit.
        name: Its name, for messages.
        path: A .safetensors file, or a .pth file that holds tensors and nothing else.

    Returns:
        Whether the file also had a last layer for one logit, as a detector's has; else the caller draws one.

    Raises:
        AbacadError: the file cannot be read, or less than nine tenths of the backbone's tensors fit.
    """
    return fit_start(backbone, name, read_state(path, name), str(path))


def fit_start(backbone: nn.Module, name: str, state: Mapping[str, Tensor], source: str) -> bool:
    """Load tensors by name into a backbone; `source` names them in messages. See `load_start`."""
    own, head = backbone.state_dict(), _head_names(backbone)
    # Not counted: the last layer, which a file for other classes cannot have, and counters that older files lack.
    body = [key for key in own if key not in head and not key.endswith("num_batches_tracked")]
    fitting = _best_fit(state, backbone, own, body)
    n_fit = sum(key in fitting for key in body)
    if n_fit < _LEAST * len(body):
        raise AbacadError(
            f"{source} does not hold weights of {name}: {n_fit} of its {len(body)} tensors fit.\n"
            "It takes the file that timm publishes for that very backbone, or a detector of the same backbone.\n"
            "Start from random weights: --model.pretrained false."
        )
    backbone.load_state_dict(fitting, strict=False)
    log.info("%s: %d of the %d tensors of %s fit", source, n_fit, len(body), name)
    return all(key in fitting for key in head)


def read_state(path: Path, name: str = "a backbone") -> dict[str, Tensor]:
    """The tensors of a file by their names, 8-bit ones multiplied by their scales.

    Raises:
        AbacadError: it is no file of tensors; a file with anything but tensors in it is not opened.
    """
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                return _dequantised({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118 — no mapping
        return _unwrapped(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # unpickling raises whatever it meets
        raise AbacadError(
            f"{path} does not hold weights of {name}: {brief(str(error) or 'it ends too early', 120)}\n"
            "It takes a .safetensors or .pth file of tensors alone."
        ) from error


def quantised(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of matrices and convolutions rounded to 8 bits, with one scale a filter: a quarter of the bytes.

    A weight is off by at most 1/254 of the largest weight of its filter. Filters that read a single plane stay in 32
    bits: there are few of them, and each of their 9 or 25 weights matters more.
    """
    small: dict[str, Tensor] = {}
    for key, value in state.items():
        if value.ndim < 2 or value[0].numel() < _FEW or not value.is_floating_point():
            small[key] = value.contiguous()
            continue
        scale = value.flatten(1).abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny) / 127
        small[key] = (value / _along(scale, value)).round().to(torch.int8).contiguous()
        small[key + _SCALE] = scale
    return small


def _dequantised(state: dict[str, Tensor]) -> dict[str, Tensor]:
    whole = {}
    for key, value in state.items():
        if value.dtype == torch.int8:
            whole[key] = value.float() * _along(state[key + _SCALE], value)
        elif not (key.endswith(_SCALE) and key.removesuffix(_SCALE) in state):
            whole[key] = value
    return whole


def _along(scale: Tensor, value: Tensor) -> Tensor:
    return scale.view(-1, *[1] * (value.ndim - 1))


def _unwrapped(content: Any) -> dict[str, Tensor]:
    """The tensors of a checkpoint, which many trainers keep under a key beside epoch and optimiser."""
    # the averaged weights first, where there are both: they are the better ones
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    tensors = {key: value for key, value in dict(content).items() if isinstance(value, Tensor)}
    if not tensors:
        raise ValueError("there is no tensor in it")
    return tensors


def _best_fit(
    state: Mapping[str, Tensor], backbone: nn.Module, own: Mapping[str, Tensor], body: list[str]
) -> dict[str, Tensor]:
    """The tensors that fit: by name as it is, without a trainer's prefix, or as timm renames a publisher's."""
    # Prefixes nest, as in `module.model.backbone.`: each one that is taken off gives one more set of names to try.
    tried = []
    candidates = [dict(state)]
    while candidates:
        names = candidates.pop()
        tried.append(_fitting(names, own))
        candidates += _stripped(names)
    best = max(tried, key=lambda fitting: sum(key in fitting for key in body))
    mapped = getattr(sys.modules[type(backbone).__module__], "checkpoint_filter_fn", None)
    if mapped is None or sum(key in best for key in body) >= _LEAST * len(body):
        return best
    try:
        return max(best, _fitting(mapped(dict(state), backbone), own), key=len)
    except Exception:  # names that the publisher's own converter does not know
        return best


def _stripped(names: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """For each usual prefix, the tensors whose names begin with it, named without it."""
    parts = []
    for prefix in _PREFIXES:
        below = {key.removeprefix(prefix): value for key, value in names.items() if key.startswith(prefix)}
        if below:
            parts.append(below)
    return parts


def _fitting(names: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors with the name and the shape of the backbone's own; a first convolution is fitted to the planes."""
    fitting = {}
    for key, wanted in own.items():
        value = names.get(key)
        if value is not None and value.ndim == 4 and value.shape[1] == 3 != wanted.shape[1]:  # red, green and blue
            value = adapt_input_conv(wanted.shape[1], value)
        if value is not None and value.shape == wanted.shape:
            fitting[key] = value
    return fitting


def _head_names(backbone: nn.Module) -> set[str]:
    """Names of the tensors of the last layer."""
    last = {id(tensor) for layer in head_layers(backbone) for tensor in layer.parameters()}
    return {name for name, tensor in backbone.named_parameters() if id(tensor) in last}
