"""abacad finds technosignatures in radio-telescope ON–OFF cadences.

The verbs of the command line are functions of the same names: `abacad.simulate("data", "demo")`,
`abacad.train("data", recipe="compact")`, `abacad.score("data/test")`; `dir(abacad)` lists all there is.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "audit": "abacad.run.audit",
    "overlaps": "abacad.run.overlaps",
    "simulate": "abacad.run.simulate",
    "simulate_telescope": "abacad.run.simulate_telescope",
    "train": "abacad.run.train",
    "quick_check": "abacad.run.quick_check",
    "predict": "abacad.run.predict",
    "submit": "abacad.run.submit",
    "report": "abacad.run.report",
    "compare": "abacad.run.compare",
    "pretrain": "abacad.run.pretrain",
    "score": "abacad.run.score",
    "search": "abacad.run.search",
    "search_catalogue": "abacad.run.search_catalogue",
    "review": "abacad.run.review",
    "sensitivity": "abacad.run.sensitivity",
    "bound": "abacad.run.bound",
    "demo": "abacad.run.demo",
    "export": "abacad.run.export",
    "Cadence": "abacad.cadence",
    "read_recipe": "abacad.recipes",
    "PRESETS": "abacad.simulator.presets",
    "AbacadError": "abacad.errors",
}
__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a verb when it is first asked for, so that importing abacad itself is instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'abacad' has no attribute '{name}'")
    # A module's own `__getattr__` (PEP 562): torch and pandas take seconds to import, and `--help` needs neither.
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
