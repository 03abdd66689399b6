"""The results of verbs print as one line, and in a notebook as a small table."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from html import escape

_LONGEST = 160  # characters: two lines of a terminal


class Summary(ABC):
    """A result with a title and facts; a dataclass that inherits it is declared with `repr=False`."""

    @abstractmethod
    def title(self) -> str:
        """What the result is, in a few words."""

    @abstractmethod
    def told(self) -> Sequence[tuple[str, str]]:
        """Facts as (name, value), in the order in which they are shown."""

    def __repr__(self) -> str:
        """One line."""
        line = f"<{self.title()}: {', '.join(f'{name} {value}' for name, value in self.told())}>"
        return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 2]}…>"

    def _repr_html_(self) -> str:
        # escaped: a fact may be the name of a file, which somebody else has chosen
        rows = "".join(
            f"<tr><td>{escape(str(name))}</td><td>{escape(str(value))}</td></tr>" for name, value in self.told()
        )
        return f"<table><caption>{escape(self.title())}</caption>{rows}</table>"
