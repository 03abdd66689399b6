"""Parsers of the verbs: near names, defaults of a recipe, and what is refused before anything heavy is imported."""

import re
from pathlib import Path

import pytest
import yaml
from jsonargparse import Namespace

from abacad.cli import parser_of
from abacad.cli.parser import (
    Verb,
    add_folder,
    add_progress,
    check,
    existing,
    flat,
    known_preset,
    make_parser,
    near,
    recipe_named,
    value_of,
    values_as_yaml,
)
from abacad.cli.screen import Outcome
from abacad.cli.verbs import VERBS
from abacad.errors import AbacadError
from abacad.outputs import PAGE
from abacad.recipes import add_recipe_arguments


def arguments(parser, words) -> None:
    parser.add_argument("files", nargs="*", type=Path, help="Files.")
    parser.add_argument("--out", type=Path | None, default=None, help="A page.")
    add_progress(parser)


def verb(**more) -> Verb:
    usual = {"summary": "Looks.", "usage": "FILE…", "examples": ("abacad look a",), "arguments": arguments}
    return Verb(**(usual | {"call": lambda parser, parsed: Outcome()} | more))


def parsed(*words: str, **more) -> Namespace:
    return make_parser("look", verb(**more), words).parse_args(list(words))


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("trian", " Did you mean train?"), ("re", ""), ("trai", " Did you mean train?"), ("nonsense", ""),
        ("", ""), ("predict", " Did you mean predict?"), ("report-page", " Did you mean report?"),
    ],
)  # fmt: skip
def test_the_nearest_name_is_asked_for_and_none_where_none_is_near(given, hint):
    assert near(given, ["train", "predict", "report"]) == hint


def test_a_hint_names_what_comes_before_it():
    assert near("trian", iter(["train"]), "abacad ") == " Did you mean abacad train?"


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--recipe", "compact"], "compact"),
        (["--recipe=compact"], "compact"),
        (["DATA", "--config", "own.yaml"], "own.yaml"),
        (["--recipe", "compact", "--config=medal"], "medal"),  # the last one counts, as for any option
        (["--recipe"], "baseline"),
        ([], "baseline"),
        (["--recipes", "compact"], "baseline"),
    ],
)
def test_the_recipe_that_the_words_ask_for(words, value):
    assert recipe_named(words, "baseline") == value
    assert value_of(words, ("--recipe", "--config"), "baseline") == value


def test_nested_values_have_the_names_of_their_options():
    nested = {"axes": {"n_time": 16, "dt_s": 1.0}, "needles": {"families": {"line": 1.0}}, "positives": 0.1}
    assert flat(nested, set()) == {
        "axes.n_time": 16, "axes.dt_s": 1.0, "needles.families.line": 1.0, "positives": 0.1,
    }  # fmt: skip
    assert flat(nested, {"needles.families"})["needles.families"] == {"line": 1.0}
    assert flat({}, set()) == {}


def test_an_option_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(AbacadError, match=r"no option --ouy\. Did you mean --out\?\n`abacad look --help`"):
        parsed("a", "--ouy", "b")
    with pytest.raises(AbacadError, match="Did you mean --progress"):
        parsed("--prog=false")
    assert parsed("--", "--ouy").files == [Path("--ouy")]


def test_every_verb_can_be_quiet_and_tell_programs():
    found = parsed("a", "b", "-q", "--json")
    assert (found.quiet, found.json, found.files) == (True, True, [Path("a"), Path("b")])
    assert (parsed().quiet, parsed().json, parsed().progress) == (False, False, True)


def test_help_shows_the_summary_the_examples_and_no_file_of_the_package():
    told = make_parser("look", verb(recipe="compact", arguments=lambda p, w: add_recipe_arguments(p))).format_help()
    assert "Looks." in told
    assert "  abacad look a" in told
    assert "config file locations" not in told
    assert "usage: abacad look FILE… [--option VALUE …]" in told
    plain = make_parser("look", verb()).format_help()
    assert "class 'Path'" not in plain
    assert "path | null" in plain


def test_a_verb_with_a_recipe_has_its_defaults():
    made = verb(recipe="compact", arguments=lambda p, w: add_recipe_arguments(p))
    assert make_parser("look", made, ["--recipe", "baseline"]).parse_args([]).model.name != "panel"
    assert make_parser("look", made).parse_args([]).model.name == "panel"


def test_what_a_verb_reads_has_to_be_there(tmp_path):
    looked = []
    made = verb(reads={"files": looked.append, "folder": looked.append, "absent": looked.append})
    parser = make_parser("look", made)
    check(made, parser, parser.parse_args(["a"]))
    assert looked == [[Path("a")], None]  # a folder that is left out has usual places; another option is left out
    made = verb(reads={"files": existing})
    with pytest.raises(AbacadError, match=r"There is no file or folder .*gone"):
        check(made, parser, parser.parse_args([str(tmp_path), str(tmp_path / "gone")]))


def test_what_a_verb_writes_is_looked_at_before(tmp_path):
    made = verb(reads={"files": existing}, writes={"out": PAGE})
    parser = make_parser("look", made)
    (tmp_path / "mine.html").write_text("<html>mine</html>")
    with pytest.raises(AbacadError, match="it is left as it is"):
        check(made, parser, parser.parse_args([str(tmp_path), "--out", str(tmp_path / "mine.html")]))
    with pytest.raises(AbacadError, match="is read by this command"):
        check(made, parser, parser.parse_args([str(tmp_path / "mine.html"), "--out", str(tmp_path / "mine.html")]))
    check(made, parser, parser.parse_args([str(tmp_path), "--out", str(tmp_path / "new.html")]))
    check(made, parser, parser.parse_args([str(tmp_path)]))


def test_a_mistake_in_a_recipe_is_told_before_anything_is_read():
    made = verb(recipe="compact", arguments=lambda p, w: add_recipe_arguments(p), reads={"folder": lambda _: 1 / 0})
    parser = make_parser("train", made)
    with pytest.raises(AbacadError, match=r"optim\.lr"):
        check(made, parser, parser.parse_args(["--optim.lr", "-1"]))


def test_presets_are_known_alone_or_in_a_list():
    known_preset("kaggle")
    known_preset(["kaggle", "demo"])
    with pytest.raises(AbacadError, match="kagle"):
        known_preset(["demo", "kagle"])


def test_printed_values_are_options_without_those_of_every_verb():
    made = verb()
    parser = make_parser("look", made)
    shown = yaml.safe_load(values_as_yaml(made, parser, parser.parse_args(["a", "--quiet"])))
    assert (shown["files"], shown["progress"]) == (["a"], True)
    assert not {"quiet", "json", "print_config"} & set(shown)


def test_a_folder_may_be_left_out():
    made = verb(arguments=lambda p, w: add_folder(p))
    parser = make_parser("look", made)
    assert parser.parse_args([]).folder is None
    assert parser.parse_args(["DATA"]).folder == Path("DATA")


@pytest.mark.parametrize("name", VERBS)
def test_help_names_no_class_of_python_wherever_its_lines_break(name):
    told = parser_of(name).format_help().replace("\n", " ")
    assert not re.search(r"<class|\bPath\b[ ,|]+(null|default|required)|Literal\[|Union\[|NoneType", told)
