"""docs/extending.md: each block runs as it stands, and what it adds goes through the whole package."""

import re
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from abacad.cli import main
from abacad.config import REPRESENTATIONS, Model, Represent
from abacad.data.filterbank import FORMATS, open_filterbank
from abacad.errors import AbacadError
from abacad.ideal.observer import Observer
from abacad.model.checkpoint import load_detector
from abacad.model.detector import build_detector
from abacad.model.explain import evidence_map
from abacad.represent.representation import represent, representation
from abacad.signal.cadence import Axes
from abacad.simulator.scene import generate
from abacad.simulator.settings import Families, Needles, Simulation
from abacad.simulator.shape import SHAPES
from tests.conftest import QUICK

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"


def block(heading: str) -> str:
    """The Python block below a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]


@pytest.fixture
def run_block(monkeypatch):
    """Run the block below a heading as a module of its own; registries are restored afterwards."""
    for registry in (REPRESENTATIONS, SHAPES, FORMATS):
        for key in registry:
            monkeypatch.setitem(registry, key, registry[key])
    before = [dict(registry) for registry in (REPRESENTATIONS, SHAPES, FORMATS)]

    def run(heading: str) -> types.ModuleType:
        module = types.ModuleType(f"extending_{heading.split()[-1]}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(block(heading), str(PAGE), "exec"), module.__dict__)
        return module

    yield run
    for registry, kept in zip((REPRESENTATIONS, SHAPES, FORMATS), before, strict=True):
        for key in set(registry) - set(kept):
            del registry[key]


def trained(root: Path, run: Path, *words: str) -> pd.DataFrame:
    """Held-back scores of a run with these options."""
    quick = [word for word in QUICK if word not in ("--model.width", "4")]
    more = ["--represent.kind", "panels", "--represent.rows", "1", "--trainer.max_epochs", "1", *words]
    assert main(["train", str(root), "--run", str(run), *quick, *more]) == 0
    return pd.read_csv(run / "oof.csv")


def test_a_backbone_of_ones_own_is_trained_saved_and_loaded(run_block, shared_competition, tmp_path):
    run_block("A backbone")
    oof = trained(shared_competition, tmp_path / "r", "--model.name", "tiny")
    assert oof["score"].between(0, 1).all()
    detector, recipe = load_detector(tmp_path / "r" / "fold0" / "best.safetensors")
    planes = represent(torch.randn(2, 6, 28, 64), recipe)
    assert detector(planes).shape == (2,)


def test_a_toy_representation_is_trained_with_flipped_and_explained(run_block, shared_competition, tmp_path):
    """No file of the package knows it; a stranger writes less than thirty lines."""
    run_block("A representation")
    words = ("--represent.kind", "contrast", "--model.name", "mobilenetv3_small_050", "--model.size", "32")
    oof = trained(shared_competition, tmp_path / "r", *words)
    assert oof["score"].between(0, 1).all()
    seen = representation(Represent("contrast"))
    panels = torch.randn(2, 6, 28, 64)
    planes = seen.make(panels)
    assert planes.shape == (2, 1, 28, 64)
    assert torch.equal(seen.reverse_time(seen.reverse_time(planes)), planes)
    detector = build_detector(Model("mobilenetv3_small_050", pretrained=False, size=32), Represent("contrast")).eval()
    assert evidence_map([detector], planes, seen, 28).shape == (2, 6, 28, 64)
    code = [line for line in block("A representation").splitlines() if line.strip()]
    assert len(code) < 30


def test_a_family_of_ones_own_is_drawn_and_the_bound_says_that_it_knows_none(run_block):
    run_block("A needle family")
    needles = Needles(families=Families.only(bouncing=1.0), pixel_snr=(20.0, 30.0), partial=0.0, cut=0.0)
    axes = Axes.evenly(40.0, n_time=36, n_freq=64)
    simulation = Simulation(axes=axes, needles=needles, positives=1.0)
    batch = generate(simulation, np.arange(6), seed=3)
    assert set(batch.truth["family"]) == {"bouncing"}
    with pytest.raises(AbacadError, match="knows no needle family bouncing"):
        Observer(simulation)
    some = Families(others={"bouncing": 0.5})
    assert some.weights()["bouncing"] == 0.5


def test_a_family_that_nobody_registered_is_refused_by_name():
    simulation = Simulation(needles=Needles(families=Families(others={"spiral": 0.5})))
    with pytest.raises(AbacadError, match="no needle family spiral"):
        generate(simulation, np.arange(4), seed=0)


def test_a_format_of_ones_own_is_opened_by_its_first_bytes(run_block, tmp_path):
    module = run_block("A telescope format")
    ramp = np.arange(12, dtype=np.float32).reshape(3, 4)
    path = tmp_path / "own.bank"
    with open(path, "wb") as file:
        file.write(module.MAGIC + np.array([8421.0, -3e-6, 18.25, 57650.5]).tobytes())
        np.save(file, ramp)
    opened = open_filterbank(path)
    assert (opened.n_rows, opened.n_channels, opened.dt_s) == (3, 4, 18.25)
    np.testing.assert_array_equal(opened.read(0, 3, 0, 4), ramp[:, ::-1])
