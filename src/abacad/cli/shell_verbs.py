"""The verbs recipes and presets, which list what comes with the package, and completion for a shell."""

import argparse
from collections.abc import Mapping, Sequence

from jsonargparse import ArgumentParser, Namespace

from abacad.cli.parser import Verb, make_parser
from abacad.cli.screen import Outcome, Table
from abacad.errors import AbacadError
from abacad.recipes import packaged_recipes, recipe_path

_SHELLS = ("bash", "zsh", "tcsh")


def _nothing(parser: ArgumentParser, words: Sequence[str]) -> None:
    """For verbs that take no arguments of their own."""


def _recipes(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    rows = [(name, _first_comment(name)) for name in packaged_recipes()]
    return Outcome(
        [Table("Recipes", ("recipe", "what"), rows)],
        then=["abacad train DATA --recipe compact", "abacad train --recipe compact --print_config"],
    )


def _first_comment(recipe: str) -> str:
    """The first sentence of a recipe's file."""
    # The comment at the top of the file is the one description of a recipe; a list beside it would grow old.
    lines = recipe_path(recipe).read_text(encoding="utf-8").splitlines()
    said = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    return " ".join(said).split(". ")[0].removesuffix(".") + "."


def _presets(parser: ArgumentParser, parsed: Namespace) -> Outcome:
    from abacad.simulator.presets import ABOUT, PRESETS

    rows = [
        (name, ABOUT[name], f"{one.axes.n_time} × {one.axes.n_freq}", one.axes.dt_s, one.axes.df_hz, one.positives,
         f"{one.needles.pixel_snr[0]:g} – {one.needles.pixel_snr[1]:g}")
        for name, one in PRESETS.items()
    ]  # fmt: skip
    columns = ("preset", "what", "rows × channels", "dt s", "df Hz", "needles", "pixel SNR")
    # What a preset is for says more than its steps in time and frequency, and 80 columns hold one of both.
    table = Table(
        "Presets of the simulator", columns, rows, {"needles": ".0%"}, unseen=("rows × channels", "dt s", "df Hz")
    )
    return Outcome([table], then=["abacad simulate OUT --preset demo", "abacad simulate OUT --print_config"])


def _completion_arguments(parser: ArgumentParser, words: Sequence[str]) -> None:
    parser.add_argument("shell", type=str, metavar="SHELL", help=f"{', '.join(_SHELLS)}.")


def _known_shell(shell: str) -> None:
    if shell not in _SHELLS:
        raise AbacadError(f"there is no completion for {shell}.\nThere is one for {', '.join(_SHELLS)}.")


def completion(verbs: Mapping[str, Verb]) -> Verb:
    """The verb that prints the completion of all verbs.

    Args:
        verbs: All verbs by name; read when the verb runs, so that the caller can add this verb itself afterwards.
    """

    def call(parser: ArgumentParser, parsed: Namespace) -> Outcome:
        import shtab  # here, since the other verbs do without it

        print(shtab.complete(_all_options(verbs), parsed.shell))
        return Outcome()

    return Verb(
        "Print a shell's completion of verbs and options.",
        "SHELL",
        ("abacad completion bash > ~/.local/share/bash-completion/completions/abacad",),
        _completion_arguments,
        call,
        reads={"shell": _known_shell},
        in_python=False,
    )


def _all_options(verbs: Mapping[str, Verb]) -> argparse.ArgumentParser:
    """All verbs and their options as one parser of the standard library, the only parser that shtab can read."""
    whole = argparse.ArgumentParser(prog="abacad", allow_abbrev=False)
    parsers = whole.add_subparsers()
    for name, verb in verbs.items():
        # Without defaults and types: completion asks for names alone, and a type may not be one of argparse's.
        plain = parsers.add_parser(name, help=verb.summary, allow_abbrev=False, add_help=False)
        for action in make_parser(name, verb)._actions:
            if action.option_strings:
                plain.add_argument(*action.option_strings, dest=action.dest, help=action.help or "")
    return whole


VERBS = {
    "recipes": Verb(
        "List the recipes that come with the package.",
        "",
        ("abacad recipes", "abacad recipes --json"),
        _nothing,
        _recipes,
        in_python=False,
    ),
    "presets": Verb("List the presets of the simulator.", "", ("abacad presets",), _nothing, _presets, in_python=False),
}
