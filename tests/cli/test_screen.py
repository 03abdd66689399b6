"""Results for people and for programs: the same facts, nothing torn, nothing taken for markup."""

import io
import json
import logging
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import rich

from abacad.cli.screen import Outcome, Table, is_watched, json_lines, log_to_screen, show


@pytest.fixture
def screen():
    """rich's console and Python's warnings as they were before."""
    console = rich.get_console()
    before = vars(console).copy()
    with warnings.catch_warnings():
        yield
    vars(console).clear()
    vars(console).update(before)


def people(capsys, outcome: Outcome) -> str:
    show(outcome)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True), (float("nan"), None), (float("inf"), None),
        (np.nan, None), (None, None), ("a", "a"), (Path("a/b"), "a/b"), (True, True),
    ],
)  # fmt: skip
def test_programs_are_told_plain_values_and_null_for_what_is_no_number(value, plain):
    (line,) = json_lines(Outcome([Table("T", ["x"], [(value,)])]))
    assert json.loads(line) == {"table": "T", "x": plain}
    assert type(json.loads(line)["x"]) is type(plain)


def test_nothing_found_is_nothing_told(capsys):
    assert json_lines(Outcome()) == []
    assert people(capsys, Outcome()) == ""
    assert json_lines(Outcome([Table("T", ["x"], [])])) == []


def test_what_looks_like_markup_stays_as_it_is(capsys):
    name = "[red]a[/red] [b].npy"
    outcome = Outcome([Table("T", ["file"], [(name,)])], [name], {"page": name}, [f"abacad score '{name}'"])
    assert people(capsys, outcome).count(name) == 4


def test_long_paths_and_commands_can_be_copied_from_one_line(capsys):
    long = "/".join(["folder"] * 40)
    told = people(capsys, Outcome(wrote={"scores": long}, then=[f"abacad score {long}"]))
    assert f"Scores: {long}\n" in told
    assert f"Next: abacad score {long}\n" in told


def test_the_second_command_is_another_way(capsys):
    assert people(capsys, Outcome(then=["first", "second", "third"])) == "Next: first\nOr: second\nOr: third\n"


def test_numbers_stand_at_the_right_and_have_the_digits_that_were_asked_for(capsys):
    table = Table("T", ["name", "AUC"], [("a", 0.98765), ("long name", 0.5), ("-", 1)], {"AUC": ".2f", "name": ".2f"})
    rows = [line.rstrip() for line in people(capsys, Outcome([table])).splitlines()]
    assert [row.split()[-1] for row in rows if re.search(r"\d\.\d\d$", row)] == ["0.99", "0.50", "1.00"]
    assert len({len(row) for row in rows if re.search(r"\d\.\d\d$", row)}) == 1


def test_letters_of_any_language_are_told_to_programs_as_they_are():
    assert json_lines(Outcome(notes=["Nançay ±"])) == ['{"note": "Nançay ±"}']


def test_results_of_programs_leave_standard_output_to_a_file(capsys):
    show(Outcome(notes=["One."], wrote={"scores": "-"}), as_json=True)
    said = capsys.readouterr()
    assert said.out == ""
    assert json.loads(said.err) == {"note": "One."}


@pytest.mark.parametrize(("quiet", "told"), [(False, ["step", "careful"]), (True, ["careful"])])
def test_the_log_is_shown_once_on_standard_error(quiet, told, capsys, screen):
    log_to_screen(quiet=quiet)
    log_to_screen(quiet=quiet)
    logger = logging.getLogger("abacad.learn")
    logger.info("step [1] of 2")
    logger.warning("careful")
    logger.debug("never")
    said = capsys.readouterr()
    assert said.out == ""
    assert [word for word in ("step", "careful", "never") if word in said.err] == told
    assert said.err.count("careful") == 1


def test_only_the_first_of_several_processes_tells_anything(monkeypatch, capsys, screen):
    monkeypatch.setenv("LOCAL_RANK", "1")
    log_to_screen()
    logging.getLogger("abacad").warning("careful")
    assert capsys.readouterr().err == ""
    assert not is_watched()


def test_a_file_is_not_watched_and_a_terminal_is(monkeypatch, screen):
    rich.reconfigure(file=io.StringIO())
    assert not is_watched()
    rich.reconfigure(force_terminal=True)
    assert is_watched()


def test_an_outcome_is_told_to_people_and_to_programs(capsys):
    table = Table("Found", ("file", "score"), [("a b.npy", 0.98765), ("[c]", float("nan"))], {"score": ".2f"})
    outcome = Outcome([table], ["Two."], {"scores": "out.csv"}, ["abacad score x"])
    show(outcome)
    people = capsys.readouterr().out
    assert re.search(r"a b\.npy +0\.99", people)
    assert "[c]" in people
    assert "Scores: out.csv\nNext: abacad score x" in people
    assert [json.loads(line) for line in json_lines(outcome)] == [
        {"table": "Found", "file": "a b.npy", "score": 0.98765},
        {"table": "Found", "file": "[c]", "score": None},
        {"note": "Two."},
        {"wrote": "scores", "path": "out.csv"},
        {"next": "abacad score x"},
    ]


def test_a_result_on_standard_output_has_it_alone(capsys):
    show(Outcome(notes=["One."], wrote={"scores": "-", "page": "p.html"}))
    said = capsys.readouterr()
    assert said.out == ""
    assert "One." in said.err
    assert "Page: p.html" in said.err


def test_a_column_for_programs_alone_is_not_drawn(capsys):
    outcome = Outcome([Table("T", ("a", "b", "c"), [(1, 2, float("nan"))], {"c": ".1f"}, unseen=("a",))])
    assert people(capsys, outcome).splitlines()[-2].split() == ["2", "–"]
    assert json.loads(json_lines(outcome)[0]) == {"table": "T", "a": 1, "b": 2, "c": None}


def test_a_number_that_is_not_known_leaves_its_column_one_of_numbers(capsys):
    rows = people(capsys, Outcome([Table("T", ["x"], [(100.0,), (float("nan"),)])])).splitlines()
    assert rows[-2].rstrip().endswith("–")
    assert len(rows[-2].rstrip()) == len(rows[-3].rstrip())
