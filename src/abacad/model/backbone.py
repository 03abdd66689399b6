"""Any timm backbone by its name, fitted to the planes, with one logit and the weights that the recipe asks for."""

import difflib
import logging
import warnings
from importlib.resources import files
from pathlib import Path
from typing import Any

import timm
from timm.models import split_model_name_tag
from torch import nn

from abacad.config import Model, Represent
from abacad.errors import AbacadError, brief
from abacad.model.head import start_head
from abacad.model.imagenet import ask_hub, hub_file, packaged_state, unavailable
from abacad.model.start import fit_start, load_start

log = logging.getLogger(__name__)

IN_DOMAIN = "in-domain"
"""`model.weights` that means the start in the package."""
STARTS = {"tf_efficientnet_lite0": Path(str(files("abacad").joinpath("weights", "lite0-difference.safetensors")))}
"""The start in the package by backbone: ImageNet weights trained further on simulated cadences alone."""
START_READS = Represent("difference", rows=21, cleaned=True)
"""What the start in the package was trained on; its stem_stride was 1."""
_HUB = "hf-hub:"


def timm_backbone(model: Model, n_planes: int) -> nn.Module:
    """The backbone of a recipe, with a last layer that starts at even odds or comes from `model.weights`.

    Args:
        model: Its name as timm takes it (with a tag, as an old alias, or as `timm/NAME`), and where weights come from.
        n_planes: Planes that its first convolution reads.

    Raises:
        AbacadError: the backbone is unknown or takes no such option, or its weights cannot be had.
    """
    name = timm_name(model.name)
    has_head = False
    if model.weights is not None:
        backbone = _created(name, model, n_planes)
        # a detector of abacad brings its last layer along; other files have one for a thousand classes
        has_head = load_start(backbone, model.name, weights_file(model))
    else:
        backbone = _pretrained(name, model, n_planes) if model.pretrained else _created(name, model, n_planes)
    if not has_head:
        start_head(backbone)
    # After the weights are loaded, which a stride does not touch: it says where the same filters are applied. A line of
    # one channel is lost to two strides of 2 before the first nonlinearity (docs/lab-notebook.md, section 20).
    if model.stem_stride is not None:
        _stem(backbone, model).stride = (model.stem_stride, model.stem_stride)
    return backbone


def _stem(backbone: nn.Module, model: Model) -> nn.Conv2d:
    """The convolution that reads the planes, by the name that timm gives it.

    Raises:
        AbacadError: the backbone has none whose stride may change: a transformer counts its patches beforehand.
    """
    name = getattr(backbone, "default_cfg", {}).get("first_conv")
    first = backbone.get_submodule(name) if isinstance(name, str) else None
    if not isinstance(first, nn.Conv2d) or fixed_size(timm_name(model.name)) is not None:
        raise AbacadError(
            f"model.stem_stride is {model.stem_stride}, but {model.name} has no first convolution whose stride could "
            "change.\nLeave it out: --model.stem_stride null."
        )
    return first


def timm_name(name: str) -> str:
    """What timm calls a backbone: without the hub's `timm/`, and an old alias by its present name.

    Raises:
        AbacadError: there is no such backbone.
    """
    plain = name.removeprefix(_HUB).removeprefix("timm/")
    if "/" in plain:
        return f"{_HUB}{plain}"  # somebody else's repository: timm asks the hub what it holds
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm warns of its old aliases
        known = timm.is_model(plain)
    if not known:
        bare = split_model_name_tag(plain)[0]
        near = difflib.get_close_matches(bare, timm.list_models(), n=3)
        raise AbacadError(
            f"model.name is '{brief(name, 60)}': timm knows no such backbone.\n"
            f"{'Near it: ' + ', '.join(near) + '. ' if near else ''}`panel` is the compact panel network."
        )
    return plain


def weights_file(model: Model) -> Path:
    """The path that `model.weights` names; `in-domain` stands for the start that comes with the package.

    Raises:
        AbacadError: there is none.
    """
    bare = split_model_name_tag(timm_name(model.name))[0] if model.name != "panel" else "panel"
    if model.weights == IN_DOMAIN:
        if bare not in STARTS:
            raise AbacadError(
                f"There is no in-domain start for {model.name}, only for {', '.join(STARTS)}.\n"
                "Make one: abacad pretrain --recipe lite0 --model.name NAME; then --model.weights FILE."
            )
        return STARTS[bare]
    path = Path(model.weights or "")
    if not path.is_file():
        raise AbacadError(f"There is no file {path} of weights for {model.name}.\nName one: --model.weights FILE.")
    return path


def fixed_size(name: str) -> tuple[int, int] | None:
    """Height and width of the only images that a backbone takes, such as a ViT or Swin; none where any will do."""
    if name.startswith(_HUB):
        return None
    config = timm.get_pretrained_cfg(name)  # none for a backbone of one's own that registered none
    return config.input_size[1:] if config is not None and config.fixed_input_size else None


def _created(name: str, model: Model, n_planes: int, **weights: Any) -> nn.Module:
    # One output: the log-odds. Options that some backbones do not take are passed only where the recipe sets them.
    options: dict[str, Any] = {"in_chans": n_planes, "num_classes": 1, "drop_rate": model.drop}
    if model.drop_path:
        options["drop_path_rate"] = model.drop_path
    fixed = fixed_size(name)
    if fixed is not None:
        if model.size is None:
            raise AbacadError(
                f"{model.name} sees images of one size only, {fixed[0]} × {fixed[1]} pixels as published.\n"
                f"Resize the planes: --model.size {fixed[0]}."
            )
        options["img_size"] = model.size
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old aliases
            return timm.create_model(name, **options, **weights)
    except TypeError as error:
        # Python's own message names the argument that a backbone's constructor lacks, and timm has no list of them.
        refused = [f"model.{key}" for key in ("drop_path", "drop", "size") if key in str(error)]
        if not refused and "img_size" not in str(error):
            raise
        raise AbacadError(
            f"{model.name} takes no {' or '.join(refused) or 'model.size'}: {brief(str(error), 100)}\n"
            f"Leave it out: {' '.join(f'--{key} 0' for key in refused) or '--model.size null'}."
        ) from error


def _pretrained(name: str, model: Model, n_planes: int) -> nn.Module:
    """From an installed package, else from the hub's cache, else from the hub, which is asked once."""
    packaged = packaged_state(split_model_name_tag(name)[0])
    if packaged is not None:
        backbone = _created(name, model, n_planes)
        fit_start(backbone, model.name, packaged, "The installed package")
        return backbone
    # A file in the cache is given by its path: of a name timm would ask the hub at each start whether it is new.
    cached = hub_file(name) if not name.startswith(_HUB) else None
    overlay = {"pretrained_cfg_overlay": {"file": str(cached)}} if cached is not None else {}
    if cached is None:
        ask_hub(model.name)
    try:
        return _created(name, model, n_planes, pretrained=True, **overlay)
    except AbacadError:
        raise
    except Exception as error:  # the hub's client, its HTTP library and the loader have errors of their own
        raise unavailable(model.name, brief(str(error), 120)) from error
