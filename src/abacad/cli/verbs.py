"""All verbs by name, in the order in which a person uses them, which is that of the help."""

from abacad.cli import compare_verb, data_verbs, judge_verbs, review_verbs, run_verbs, search_verbs, shell_verbs

_ORDER = (
    "audit",
    "overlaps",
    "simulate",
    "train",
    "predict",
    "submit",
    "report",
    "compare",
    "pretrain",
    "score",
    "search",
    "review",
    "sensitivity",
    "bound",
    "demo",
    "export",
    "recipes",
    "presets",
    "completion",
)
_ALL = (
    data_verbs.VERBS
    | run_verbs.VERBS
    | compare_verb.VERBS
    | judge_verbs.VERBS
    | search_verbs.VERBS
    | review_verbs.VERBS
    | shell_verbs.VERBS
)
# It needs the table that it stands in: it gets the table now and reads it when it runs, when all verbs are there.
_ALL["completion"] = shell_verbs.completion(_ALL)
VERBS = {name: _ALL[name] for name in _ORDER}
