"""All verbs, in the order of the work."""

from abacad.cli import data_verbs, judge_verbs, review_verbs, run_verbs

_ORDER = (
    "audit",
    "overlaps",
    "simulate",
    "train",
    "predict",
    "submit",
    "report",
    "pretrain",
    "score",
    "review",
    "sensitivity",
    "bound",
    "demo",
)
_ALL = data_verbs.VERBS | run_verbs.VERBS | judge_verbs.VERBS | review_verbs.VERBS
VERBS = {name: _ALL[name] for name in _ORDER}
