"""The bar of a search fits into a terminal of 80 columns and tells that the search is alive."""

import io

import pytest
from rich.console import Console

from abacad.run.search_bar import search_bar


@pytest.mark.parametrize("total", [1, 64, 5120])
def test_a_bar_has_its_parts_in_80_columns(total):
    bar = search_bar(True)
    bar.live.console = Console(file=io.StringIO(), width=80, force_terminal=True)
    task = bar.add_task("Coarse channels", total=total, completed=total // 2)
    text = io.StringIO()
    Console(file=text, width=80).print(bar.get_renderable())
    lines = text.getvalue().rstrip("\n").splitlines()
    assert len(lines) == 1
    assert f"{total // 2}/{total}" in lines[0].replace(" ", "")
    assert "0:00:00 so far, -:--:-- left" in lines[0]
    bar.remove_task(task)


def test_a_bar_that_is_not_wanted_is_none():
    assert search_bar(False).disable
