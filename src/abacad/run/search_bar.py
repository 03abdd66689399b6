"""The progress bar of a search."""

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def search_bar(progress: bool) -> Progress:
    """A bar with the parts that are done, the time since the start, and the time left, in a terminal of 80 columns.

    Args:
        progress: Whether it is shown.
    """
    # A file of one coarse channel is one step: only what moves by itself shows that the search is alive.
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(16), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("so far,"), TimeRemainingColumn(), TextColumn("left"), disable=not progress, transient=True,
    )  # fmt: skip
