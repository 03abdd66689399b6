"""The command line: light to start, every verb with help, every error told in three lines."""

import subprocess
import sys

import pytest

from abacad.cli import VERBS, main, overview, parser_of

HEAVY = ("torch", "numpy", "pandas", "lightning", "timm", "sklearn", "matplotlib")


@pytest.mark.parametrize("words", [["--help"], [], ["--version"], ["train", "--help"], ["simulate", "--help"]])
def test_help_imports_nothing_heavy(words):
    code = (
        "import sys; from abacad.cli import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]"), done.stdout[-200:]


def test_overview_names_every_verb(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert said.strip() == overview().strip()
    assert all(f"  {name} " in said and verb.summary in said for name, verb in VERBS.items())


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_explains_itself(name):
    told = parser_of(name).format_help()
    assert VERBS[name].summary in told
    assert all(example in told for example in VERBS[name].examples)
    assert "default" in told or name == "report"
    undocumented = [action.dest for action in parser_of(name)._actions if not action.help]
    assert undocumented == []


def test_examples_can_be_parsed():
    for verb in VERBS.values():
        for example in verb.examples:
            _, name, *words = example.split()
            parser_of(name, words).parse_args(words)


def test_a_recipe_sets_the_defaults_and_options_override_it_in_any_order():
    words = ["--optim.lr", "0.5", "DATA", "--recipe", "compact"]
    parsed = parser_of("train", words).parse_args(words)
    assert (parsed.model.name, parsed.optim.lr, str(parsed.run)) == ("panel", 0.5, "runs/compact")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "Did you mean `abacad train`?"),
        (["train", "--recipe", "compcat"], "Did you mean compact?"),
        (["train", "--model.nonsense", "1"], "model.nonsense"),
        (["train", "--optim.lr", "fast"], "optim.lr"),
        (["train", "--optim.lr", "-1"], "above 0"),
        (["train", "--recipe", "absent.yaml"], "no recipe file"),
        (["simulate", "x", "--preset", "moon"], "kaggle"),
        (["predict"], "run"),
    ],
)
def test_a_wrong_command_is_told_in_three_lines(words, said, capsys):
    assert main(words) == 2
    told = capsys.readouterr().err.strip()
    assert said in told
    assert "Traceback" not in told
    assert len(told.splitlines()) <= 3


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(Exception, match="There is no folder"):
        main(["audit", str(tmp_path / "absent"), "--debug"])


def test_the_python_interface_has_the_same_verbs():
    import abacad

    for name in VERBS:
        assert callable(getattr(abacad, name))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = abacad.nonsense
