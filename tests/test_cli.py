"""The command line: light to start, help of every verb, errors in three lines, results for people and programs."""

import json
import shlex
import subprocess
import sys

import pytest

from abacad.cli import VERBS, main, overview, parser_of
from abacad.recipes import packaged_recipes, read_recipe
from abacad.simulator.presets import PRESETS

HEAVY = ("torch", "numpy", "pandas", "lightning", "timm", "sklearn", "matplotlib", "scipy", "h5py")


def python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"], [], ["--version"], ["-V"], ["help", "train"], ["train", "--help"], ["simulate", "--help"],
        ["recipes"], ["presets"], ["completion", "bash"], ["train", "--print_config"], ["trian"],
        ["report", "WRONG"], ["predict", "WRONG"], ["submit", "WRONG"], ["audit", "WRONG"], ["overlaps", "WRONG"],
        ["train", "WRONG"], ["score", "WRONG"], ["score", "--weights", "WRONG", "."], ["sensitivity", "WRONG"],
        ["sensitivity", "--preset", "moon"], ["bound", "WRONG"], ["pretrain", "--presets", "[moon]"],
        ["score", ".", "--out", "."], ["train", "--optim.lr", "-1"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_help_and_refusals_import_nothing_heavy(words):
    done = python(
        "import sys; from abacad.cli import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert done.stdout.strip().endswith("[]"), done.stdout[-200:]


def test_overview_names_every_verb_and_fits_a_terminal(capsys):
    assert main(["--help"]) == main(["help"]) == 0
    said = capsys.readouterr().out
    assert said.strip() == f"{overview()}\n{overview()}"
    assert all(f"  {name} " in said and verb.summary in said for name, verb in VERBS.items())
    assert max(map(len, overview().splitlines())) <= 79


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_explains_itself(name):
    told = parser_of(name).format_help()
    assert VERBS[name].summary in told
    assert all(example in told for example in VERBS[name].examples)
    undocumented = [action.dest for action in parser_of(name)._actions if not action.help]
    assert undocumented == []


@pytest.mark.parametrize("name", VERBS)
def test_help_of_a_verb_is_its_help(name, capsys):
    for words in (["help", name], [name, "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
    first, second = capsys.readouterr().out.split("usage:")[1:]
    assert first == second


def test_examples_can_be_parsed():
    for verb in VERBS.values():
        for example in verb.examples:
            _, name, *words = shlex.split(example.split(" > ")[0])
            parser_of(name, words).parse_args(words)


def test_a_recipe_sets_the_defaults_and_options_override_it_in_any_order():
    words = ["--optim.lr", "0.5", "DATA", "--recipe", "compact"]
    parsed = parser_of("train", words).parse_args(words)
    assert (parsed.model.name, parsed.optim.lr, str(parsed.run)) == ("panel", 0.5, "runs/compact")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "Did you mean abacad train?"),
        (["train", "--recipe", "compcat"], "Did you mean compact?"),
        (["train", "--model.nonsense", "1"], "model.nonsense"),
        (["train", "--optim.rl", "1"], "Did you mean --optim.lr?"),
        (["train", "--optim.lr", "fast"], "optim.lr"),
        (["train", "--optim.lr", "-1"], "above 0"),
        (["train", "--recipe", "absent.yaml"], "no recipe file"),
        (["simulate", "x", "--preset", "kagle"], "Did you mean kaggle?"),
        (["sensitivity", "--preset", "kagle"], "Did you mean kaggle?"),
        (["pretrain", "--presets", "[kagle]"], "Did you mean kaggle?"),
        (["predict"], "run"),
        (["completion", "fish"], "bash"),
        (["review", ".", "--of", "maybe"], "--of is auto, test, oof, not 'maybe'."),
        (["audit", ".", "--full", "x"], "x"),
        (["help", "trian"], "Did you mean abacad train?"),
    ],
)
def test_a_wrong_command_is_told_in_three_lines(words, said, capsys):
    assert main(words) == 2
    told = capsys.readouterr().err.strip()
    assert said in told
    assert "Traceback" not in told
    assert len(told.splitlines()) <= 3


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        (["simulate", "d", "--pres", "demo"], "--preset"),
        (["simulate", "d", "--pres=demo"], "--preset"),
        (["train", "d", "--rec", "demo"], "--recipe"),
        (["train", "d", "--conf", "demo.yaml"], "--config"),
        (["score", "f.npy", "--acc", "cpu"], "--accelerator"),
    ],
)
def test_an_abbreviated_option_is_refused_with_the_whole_name(words, whole, capsys):
    """`simulate d --pres demo` used to build the preset kaggle."""
    assert main(words) == 2
    assert f"Did you mean {whole}?" in capsys.readouterr().err


def test_an_error_is_broken_between_words_on_a_terminal_and_not_in_a_file(capsys, monkeypatch):
    main(["trian"])
    whole = capsys.readouterr().err
    assert max(map(len, whole.splitlines())) > 80
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    main(["trian"])
    broken = capsys.readouterr().err
    assert max(map(len, broken.splitlines())) <= 80
    assert broken.split() == whole.split()


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(Exception, match="There is no folder"):
        main(["audit", str(tmp_path / "absent"), "--debug"])


def test_the_python_interface_has_the_same_verbs():
    import abacad

    for name, verb in VERBS.items():
        assert not verb.in_python or callable(getattr(abacad, name))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = abacad.nonsense


def test_recipes_and_presets_are_listed(capsys):
    assert main(["recipes", "--json"]) == main(["presets", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["recipe"] for entry in told if "recipe" in entry] == packaged_recipes()
    assert [entry["preset"] for entry in told if "preset" in entry] == list(PRESETS)
    assert all(len(entry["what"]) > 20 for entry in told if "what" in entry)


def test_a_printed_recipe_is_the_same_run(tmp_path, capsys):
    assert main(["train", "--recipe", "compact", "--optim.lr", "0.5", "--print_config"]) == 0
    printed = tmp_path / "own.yaml"
    printed.write_text(capsys.readouterr().out)
    assert read_recipe(printed) == read_recipe("compact", ["--optim.lr", "0.5"])


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_prints_its_options(name, capsys):
    words = {
        "simulate": ["x"],
        "compare": ["x"],
        "predict": ["x"],
        "submit": ["x"],
        "report": ["x"],
        "review": ["x"],
        "score": ["x"],
        "search": ["x"],
        "bound": ["x"],
        "export": ["x"],
    }
    assert main([name, *words.get(name, ["bash"] if name == "completion" else []), "--print_config"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_verbs_and_options(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in VERBS)
    assert "optim.lr" in script
