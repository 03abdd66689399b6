"""All the small faults that cosmic-ray can put into a source file, and one of them made."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).parents[1]
LEFT_OUT = ("NoOp", "RemoveDecorator", "VariableInserter", "VariableReplacer", "ExceptionReplacer")
COLUMNS = ("file", "line", "operator", "outcome", "before", "after", "place", "occurrence")


@dataclass(frozen=True)
class Mutant:
    """A fault.

    Attributes:
        name: Of the source file, below src/abacad, without its suffix.
        operator: Of cosmic-ray.
        occurrence: Which of the places where the operator fits.
        line: First line that differs.
        before: That line.
        after: What takes its place.
        source: The whole file with the fault.
    """

    name: str
    operator: str
    occurrence: int
    line: int
    before: str
    after: str
    source: str

    def row(self, outcome: str) -> dict[str, object]:
        """A row of the table."""
        words = (self.name, self.line, self.operator.rpartition("/")[2], outcome, self.before, self.after)
        return dict(zip(COLUMNS, (*words, self.operator, self.occurrence), strict=True))


def path_of(name: str) -> Path:
    """The source file of that name."""
    return ROOT / "src" / "abacad" / f"{name}.py"


def places(name: str) -> list[tuple[str, int]]:
    """Every place of a file where an operator fits and which runs: the operator and the number of the place."""
    source = path_of(name).read_text()
    nodes, unread = list(ast_nodes(get_ast(source))), list(_that_do_not_run(ast.parse(source)))
    found = []
    for operator in cosmic_ray.plugins.operator_names():
        if operator.rpartition("/")[2] in LEFT_OUT:
            continue
        try:
            fits = cosmic_ray.plugins.get_operator(operator)().mutation_positions
        except TypeError:  # one with arguments
            continue
        starts = [start for node in nodes for start, _ in fits(node)]
        found += [
            (operator, number)
            for number, start in enumerate(starts)
            if not any(begin <= start < end for begin, end in unread)
        ]
    return found


def _that_do_not_run(tree: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Begin and end of annotations, docstrings, decorators and texts of messages."""
    for node in ast.walk(tree):
        parts: list[Any] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            parts = [node.returns, *node.decorator_list]
        elif isinstance(node, ast.ClassDef):
            parts = node.decorator_list
        elif isinstance(node, ast.Raise | ast.JoinedStr) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            parts = [node]
        for part in parts:
            if part is not None:
                yield (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)


def mutant(name: str, operator: str, occurrence: int) -> Mutant | None:
    """The fault of an operator at a place; None where nothing that runs is changed, or nothing runs any more."""
    source = path_of(name).read_text()
    mutated = mutate_code(source, cosmic_ray.plugins.get_operator(operator)(), occurrence)
    try:
        if mutated is None or ast.dump(ast.parse(mutated)) == ast.dump(ast.parse(source)):
            return None
    except SyntaxError:
        return None
    pairs = zip(source.splitlines(), mutated.splitlines(), strict=False)
    line, (before, after) = next((n, pair) for n, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    return Mutant(name, operator, occurrence, line, before.strip(), after.strip(), mutated)
