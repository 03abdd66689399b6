"""Recipes: found by name or file, looked at before they are believed, changed key by key, the same when written out."""

from pathlib import Path

import pytest
import yaml

from abacad.config import Recipe
from abacad.errors import AbacadError
from abacad.recipes import _read, packaged_recipes, read_recipe, recipe_path, recipe_with


def written(folder: Path, text: str, name: str = "own.yaml") -> Path:
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("name", packaged_recipes())
def test_a_packaged_recipe_is_the_same_run_when_it_is_written_out(name, tmp_path):
    recipe = read_recipe(name)
    assert read_recipe(written(tmp_path, yaml.safe_dump(recipe.as_dict()))) == recipe
    assert recipe_path(name).name == f"{name}.yaml"


def test_what_a_file_leaves_out_has_its_default(tmp_path):
    recipe = read_recipe(written(tmp_path, "optim:\n  lr: 0.5\n"))
    assert recipe.optim.lr == 0.5
    assert recipe.model == Recipe().model
    assert recipe.optim.batch_size == Recipe().optim.batch_size


def test_a_recipe_knows_nothing_of_those_read_before(tmp_path):
    written(tmp_path, "seed: 5\noptim: {lr: 0.5}\n")
    plain = read_recipe(written(tmp_path, "seed: 0\n", "plain.yaml"))
    assert read_recipe(tmp_path / "own.yaml", ["--trainer.max_epochs", "3"]).trainer.max_epochs == 3
    _read.cache_clear()
    assert read_recipe(tmp_path / "plain.yaml") == plain == Recipe()


def test_overrides_count_more_than_the_file(tmp_path):
    path = written(tmp_path, "optim:\n  lr: 0.5\nseed: 3\n")
    recipe = read_recipe(path, ["--optim.lr", "0.25", "--trainer.loggers", "[]"])
    assert (recipe.optim.lr, recipe.seed, recipe.trainer.loggers) == (0.25, 3, ())


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_a_file_is_known_by_its_ending(suffix, tmp_path):
    assert read_recipe(written(tmp_path, "seed: 3\n", f"own{suffix}")).seed == 3
    with pytest.raises(AbacadError, match=r"There is no recipe file .*\nPackaged recipes: "):
        recipe_path(tmp_path / f"gone{suffix}")


@pytest.mark.parametrize(("name", "near"), [("compcat", " Did you mean compact?"), ("nonsense", "")])
def test_a_name_that_is_none_is_told_with_the_nearest_and_all(name, near):
    with pytest.raises(AbacadError) as told:
        recipe_path(name)
    assert f"There is no recipe '{name}'.{near}\n" in str(told.value)
    assert all(known in str(told.value) for known in packaged_recipes())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("- a\n", "it holds no keys with values"),
        ("seed: [", "is no YAML"),
        ("optim:\n  rl: 1\n", "there is no key optim.rl. Did you mean optim.lr?"),
        ("optm:\n  lr: 1\n", "there is no key optm. Did you mean optim?"),
        ("optim: 3\n", "optim must hold keys, such as optim.lr"),
        ("seed: 1\nseed: 2\n", "the key seed stands there twice, again in line 2"),
        ("a: &x [1]\nseed: *x\n", "there is no key a"),
        ("data:\n  only: &x [1]\n  workers: *x\n", "is referred to by `*`"),
        ("data:\n  groups: !!python/name:os.system\n", "has the tag"),
        ("data:\n  groups: !own x\n", "has the tag"),
    ],
)
def test_a_file_that_is_no_recipe_is_told_by_key_or_line(text, said, tmp_path):
    with pytest.raises(AbacadError) as told:
        recipe_path(written(tmp_path, text))
    assert said in str(told.value)
    assert "own.yaml" in str(told.value)
    assert len(str(told.value).splitlines()) <= 3


def test_a_file_that_is_too_large_or_too_deep_is_not_read(tmp_path):
    with pytest.raises(AbacadError, match=r"at most 65,536"):
        recipe_path(written(tmp_path, "# " + "x" * 70_000))
    with pytest.raises(AbacadError, match=r"nested too deeply|is no YAML"):
        recipe_path(written(tmp_path, "data: " + "[" * 1500))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--optim.lr", "-1"], "optim.lr"),
        (["--data.folds", "null"], "data.folds"),
        (["--optim.lr", "fast"], "optim.lr"),
    ],
)
def test_a_value_out_of_its_bounds_is_told_by_its_key(words, said):
    with pytest.raises(AbacadError, match=said) as told:
        read_recipe("compact", words)
    assert len(str(told.value).splitlines()) <= 3


def test_keys_are_changed_in_a_recipe_a_name_or_a_file(tmp_path):
    changes = {"seed": 5, "trainer.max_epochs": 2, "trainer.loggers": []}
    for recipe in ("compact", read_recipe("compact"), recipe_path("compact")):
        changed = recipe_with(recipe, changes)
        assert (changed.seed, changed.trainer.max_epochs, changed.trainer.loggers) == (5, 2, ())
        assert changed.model == read_recipe("compact").model
    assert recipe_with("compact", {}) == read_recipe("compact")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("optim.rl", "there is no key optim.rl. Did you mean optim.lr?"), ("sead", "Did you mean seed?"),
        ("optim.lr.x", "there is no key optim.lr.x"), ("seed.x", "there is no key seed.x"), ("", "there is no key"),
    ],
)  # fmt: skip
def test_a_key_that_is_none_is_told_with_the_nearest(key, said):
    with pytest.raises(AbacadError) as told:
        recipe_with("compact", {key: 1})
    assert said in str(told.value)


def test_a_changed_value_is_checked_and_the_recipe_before_stays(tmp_path):
    recipe = read_recipe("compact")
    before = recipe.as_dict()
    with pytest.raises(AbacadError, match=r"optim\.lr"):
        recipe_with(recipe, {"optim.lr": -1})
    with pytest.raises(AbacadError, match=r"optim\.lr is 'fast'"):
        recipe_with(recipe, {"optim.lr": "fast"})
    recipe_with(recipe, {"represent.views": ["clean"]})
    assert recipe.as_dict() == before
