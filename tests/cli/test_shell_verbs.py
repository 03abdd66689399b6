"""What there is to choose from, and what teaches a shell: complete, short, and from the package alone."""

import pytest
from jsonargparse import Namespace

from abacad.cli import main, parser_of
from abacad.cli.shell_verbs import _first_comment, completion
from abacad.cli.verbs import VERBS
from abacad.recipes import packaged_recipes, recipe_path
from abacad.simulator.presets import PRESETS
from tests.cli.calls import refused, told


@pytest.mark.parametrize("name", packaged_recipes())
def test_a_recipe_is_told_by_the_first_sentence_of_its_file(name):
    said = _first_comment(name)
    text = " ".join(line.removeprefix("#").strip() for line in recipe_path(name).read_text().splitlines())
    assert text.startswith(said.removesuffix("."))
    assert said.endswith(".")
    assert "\n" not in said
    assert ". " not in said


def test_recipes_come_with_two_commands(capsys):
    said = told(capsys, "recipes")
    assert [row["recipe"] for row in said if "table" in row] == packaged_recipes()
    assert all(row["next"].startswith("abacad train") for row in said if "next" in row)
    assert sum("next" in row for row in said) == 2


def test_presets_are_told_with_their_axes(capsys):
    rows = {row["preset"]: row for row in told(capsys, "presets") if "table" in row}
    assert list(rows) == list(PRESETS)
    for name, row in rows.items():
        axes = PRESETS[name].axes
        assert row["rows × channels"] == f"{axes.n_time} × {axes.n_freq}"
        assert (row["dt s"], row["df Hz"], row["needles"]) == (axes.dt_s, axes.df_hz, PRESETS[name].positives)


def test_a_shell_that_is_not_known_is_told_with_those_that_are(capsys):
    assert "There is one for bash, zsh, tcsh" in refused(capsys, "completion", "fish")


def test_completion_knows_a_verb_that_was_added_after_it(capsys):
    """It is made before all verbs are there, and reads them when it runs."""
    verbs = {}
    made = completion(verbs)
    verbs["recipes"] = VERBS["recipes"]
    made.call(parser_of("recipes"), Namespace(shell="bash"))
    script = capsys.readouterr().out
    assert "recipes" in script
    assert "pretrain" not in script


def test_completion_of_bash_offers_each_verbs_own_options(capsys):
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    for name, option in (("score", "--page"), ("search", "--max_drift"), ("simulate", "--telescope")):
        (line,) = [line for line in script.splitlines() if line.startswith(f"_shtab_abacad_{name}_option_strings=")]
        assert option in line
        assert "--trainer.max_epochs" not in line
