"""The order of the files in time, and which panels are ON: from start times and source names in the headers."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from abacad.data.filterbank import Filterbank
from abacad.errors import AbacadError

log = logging.getLogger(__name__)

_LONGEST_GAP_S = 86_400.0  # a day: the Earth's rotation alone changes a drift rate within hours
_LONG_GAP_S = 3_600.0  # a cadence of six five-minute panels takes half an hour
_ONE_CADENCE = "Give the files of one cadence."


def in_time_order(files: Sequence[Filterbank]) -> list[Filterbank]:
    """The files by the start of their first row; as given, where the headers do not say."""
    if not _timed(files):
        return list(files)
    ordered = sorted(files, key=lambda file: file.header.tstart_mjd)
    if ordered != list(files):
        log.info("Put into the order of their start times: %s", " ".join(file.path.name for file in ordered))
    return ordered


def _timed(files: Sequence[Filterbank]) -> bool:
    """Whether the headers tell the files' order."""
    # Some writers leave the same start in all files of a session, which gives no order.
    starts = np.array([file.header.tstart_mjd for file in files])
    return len(files) == 1 or not (np.isnan(starts).any() or (starts == starts[0]).all())


def start_times(files: Sequence[Filterbank]) -> tuple[float, ...]:
    """Seconds from the first file's start to the start of each; without pauses, where the headers do not say.

    Raises:
        AbacadError: files overlap in time, or lie more than a day apart.
    """
    if len(files) == 1:
        return (0.0,)
    if not _timed(files):
        log.warning(
            "The headers do not say when each panel began (tstart): taken in the order given, one right after the other"
        )
        return tuple(np.cumsum([0.0, *(file.n_rows * file.dt_s for file in files[:-1])]).tolist())
    seconds = tuple((file.header.tstart_mjd - files[0].header.tstart_mjd) * 86_400 for file in files)
    for (one, start), (other, following) in pairwise(zip(files, seconds, strict=True)):
        _check_gap(one, other, following - start)
    return seconds


def _check_gap(one: Filterbank, other: Filterbank, period_s: float) -> None:
    length = one.n_rows * one.dt_s
    gap = period_s - length
    # by a row, or a second: starts are rounded when they are written
    if gap < -max(one.dt_s, 1.0):
        raise AbacadError(
            f"{other.path.name} begins {period_s:.1f} s after {one.path.name}, which lasts {length:.1f} s: "
            f"they overlap.\nOne telescope cannot have taken both. {_ONE_CADENCE}"
        )
    if gap > _LONGEST_GAP_S:
        raise AbacadError(
            f"{other.path.name} begins {gap / 86_400:.1f} days after the end of {one.path.name}: over such a time "
            f"no drift stays the same.\n{_ONE_CADENCE}"
        )
    if gap > _LONG_GAP_S:
        log.warning("%.1f hours lie between %s and %s", gap / 3_600, one.path.name, other.path.name)


def pattern_of(files: Sequence[Filterbank]) -> str:
    """One letter a panel: A for the source that stands in most of them, the first of these; B, C, … as others come.

    Raises:
        AbacadError: the sources do not tell ON from OFF.
    """
    sources = [file.header.source_name for file in files]
    way_out = "Say which panels are ON, in the order of time: --pattern ABACAD."
    nameless = [file.path.name for file in files if not file.header.source_name]
    if nameless:
        raise AbacadError(f"{nameless[0]} does not say what it looked at (source_name).\n{way_out}")
    if len(files) == 1:
        return "A"
    counts = Counter(sources)
    if len(counts) == 1:
        raise AbacadError(f"All {len(files)} files looked at {sources[0]}: none of them is OFF.\n{way_out}")
    # Of several sources that stand as often, `most_common` gives the first: a cadence begins on its target.
    target, most = counts.most_common(1)[0]
    if most == 1:
        raise AbacadError(f"No source was looked at twice: {', '.join(sources)}.\n{way_out}")
    letters = {target: "A"}
    for source in sources:
        # the 26th source and later ones are all Z: which OFF target a panel saw decides nothing
        letters.setdefault(source, chr(min(ord("A") + len(letters), ord("Z"))))
    pattern = "".join(letters[source] for source in sources)
    log.info("%s: %s is ON", pattern, target)
    return pattern


def checked_pattern(pattern: str, files: Sequence[Filterbank]) -> str:
    """A pattern that was asked for, in capitals, held against the sources.

    Raises:
        AbacadError: it is no pattern of so many panels, or the sources contradict it.
    """
    pattern = pattern.upper()
    if not re.fullmatch("[A-Z]+", pattern) or "A" not in pattern:
        raise AbacadError(f"The pattern '{pattern}' has to be of letters, A for ON: ABACAD.")
    if len(pattern) != len(files):
        raise AbacadError(f"The pattern {pattern} has {len(pattern)} panels, and there are {len(files)} files.")
    sources = [file.header.source_name for file in files]
    on = {source for letter, source in zip(pattern, sources, strict=True) if letter == "A"}
    off = {source for letter, source in zip(pattern, sources, strict=True) if letter != "A"}
    if len(files) > 1 and ("" in sources or len(set(sources)) == 1):
        log.warning("The headers name no different sources; which panels are ON is taken from the pattern alone")
    elif len(on) > 1 or on & off:
        raise AbacadError(
            f"The pattern {pattern} does not fit the sources, in the order of time: {', '.join(sources)}.\n"
            "A stands for one source, which no other letter has. Leave the pattern out, or mend it."
        )
    return pattern
