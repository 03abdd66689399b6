"""The scored cadences that a review page shows: those of a run, of a table of scores, or of a search."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from abacad.data.competition import Split, cadence_path, read_cadence
from abacad.data.observation import Observation, open_observation
from abacad.data.simulated_folder import read_card
from abacad.errors import AbacadError, brief
from abacad.files import read_table
from abacad.learn.record import read_record
from abacad.learn.run_folder import RunFolder
from abacad.show.events import EVENTS, Search, open_search
from abacad.show.guide import Guide
from abacad.show.words import log_odds
from abacad.signal.cadence import N_PANELS, ON, WIDTH, Axes
from abacad.simulator.presets import PRESETS
from abacad.simulator.settings import Simulation
from abacad.types import CadenceArray

# Columns and types that each table must have: somebody else's CSV file is refused by name of the missing column.
_TEST: dict[str, type] = {"id": str, "score": float}
_OOF: dict[str, type] = {"id": str, "target": int, "fold": int, "score": float}
_SCORES: dict[str, type] = {"file": str, "score": float}


@dataclass(frozen=True)
class Entry:
    """A scored cadence, which is read when its picture is drawn.

    Attributes:
        name: Its id.
        log_odds: Its score as log-odds; none where it has no score.
        read: Function that reads it, (6, time, freq).
        fold: The fold whose detector scored it; none: all of them.
        low_mhz: Frequency of its first channel, MHz; none where it is not known.
        label: 1 with a needle, 0 without, where the data say it; none where it is not known.
        family: What sort of line the event is; empty: the page says what its straight line looks like.
        df_hz: Width of its channels, Hz, where it differs from that of the other cadences.
        guide: Path that a search has measured; none: the page looks for its straight line.
    """

    name: str
    log_odds: float | None
    read: Callable[[], CadenceArray]
    fold: int | None = None
    low_mhz: float | None = None
    label: int | None = None
    family: str = ""
    df_hz: float | None = None
    guide: Guide | None = None


@dataclass(frozen=True)
class Source:
    """Scored cadences, the highest scores first, and where they come from.

    Attributes:
        about: Where they come from, for the page's first sentence.
        entries: The cadences.
        axes: Axes of the cadences; none: those of the competition.
        root: Data folder of the run; none where no run scored them.
        split: Part of the data folder that holds them.
        run: The run that scored them; none: a file of weights did.
        judged: Whether the detector scored these very arrays, so that its evidence can be drawn on them.
        search: The search that found them; none where cadences were scored.
    """

    about: str
    entries: Sequence[Entry]
    axes: Axes | None = None
    root: Path | None = None
    split: Split = "train"
    run: RunFolder | None = None
    judged: bool = True
    search: Search | None = None

    def simulation(self, axes: Axes) -> Simulation:
        """A simulation of such cadences: their own where they are simulated, else a preset with `axes`."""
        if self.root is not None and (self.root / "simulation.json").is_file():
            return read_card(self.root).simulation
        # Cadences with a frequency come from telescope files, whose channels and rows the preset `telescope` has.
        name = "kaggle" if self.entries[0].low_mhz is None else "telescope"
        return Simulation(
            axes, PRESETS[name].noise, PRESETS[name].rfi, PRESETS[name].needles, normalise=PRESETS[name].normalise
        )


def open_source(path: Path, of: str = "auto", data: Path | None = None, files: Sequence[Path] = ()) -> Source:
    """Open the scored cadences that `path` names.

    Args:
        path: A run folder, a CSV file of `abacad score`, or a folder of `abacad search`.
        of: `test` or `oof` scores of a run; `auto` takes those of the test set where there are some.
        data: The data folder; none: the one that the run was made with.
        files: The telescope files of a table of scores or of a search.

    Raises:
        AbacadError: it is neither, or what it names is not there.
    """
    # A folder of a search first: both have tables and a record, but only a search has events.
    if (path / EVENTS).is_file():
        return _of_search(open_search(path, files), path)
    if path.is_dir():
        return _of_run(RunFolder(path), of, data)
    if not path.is_file():
        raise AbacadError(
            f"There is no {path}.\nGive a run folder, or a table of scores: abacad score FILE… --out FILE."
        )
    return _of_table(path, files)


def _of_run(run: RunFolder, of: str, data: Path | None) -> Source:
    run.recipe()  # for its error, where the folder is no run's
    is_test = run.test.is_file() if of == "auto" else of == "test"
    table_path, split = (run.test, "test") if is_test else (run.oof, "train")
    maker = "abacad predict RUN DATA" if is_test else "The same `abacad train`"
    if not table_path.is_file():
        raise AbacadError(f"{run.path} has no {table_path.name}.\n{maker} writes it.")
    record = read_record(run.record)
    noted = str(record.get("test" if is_test else "data", {}).get("folder", "."))
    # The folder of that time may lie elsewhere now, or the run come from another machine.
    root = data if data is not None else Path(noted)
    table = read_table(table_path, _TEST if is_test else _OOF, f"{maker} writes it again.")
    if table.empty:
        raise AbacadError(f"{table_path} has no rows.\n{maker} writes it again.")
    table = table.sort_values("score", ascending=False, kind="stable")
    # One look at the data, so that a folder that has moved is told before the first picture is drawn.
    first = cadence_path(root, _split(split), str(table["id"].iloc[0]))
    if not first.is_file():
        raise AbacadError(f"There is no {first}: the data folder of {run.path} has moved.\nName it: --data FOLDER.")
    entries = [
        Entry(
            row["id"],
            log_odds(row["score"]),
            partial(read_cadence, cadence_path(root, _split(split), row["id"])),
            None if is_test else int(row["fold"]),
            label=None if is_test else int(row["target"]),
        )
        for row in table.to_dict("records")
    ]
    told = "test cadences, scored by all folds" if is_test else "held-back cadences, scored by the fold without them"
    card = root / "simulation.json"
    axes = read_card(root).simulation.axes if card.is_file() else None
    return Source(f"{len(table):,} {told}", entries, axes, root, _split(split), run)


def _split(name: str) -> Split:
    return "test" if name == "test" else "train"


def _of_search(search: Search, folder: Path) -> Source:
    if not search.events:
        raise AbacadError(f"{folder} found nothing: there is nothing to look at.")
    entries = [
        Entry(
            one.name, one.log_odds, partial(search.cut, one), low_mhz=one.low_mhz, family=one.family, df_hz=one.df_hz,
            guide=one.guide,
        )
        for one in search.events
    ]  # fmt: skip
    # Not judged: a picture spans all that an event crosses, and the detector scored it sheared along its drift.
    return Source(
        f"{len(entries):,} signals of the search in {folder.name}", entries, search.axes, judged=False, search=search
    )


def _of_table(path: Path, files: Sequence[Path]) -> Source:
    way_out = "A table of scores has the columns file and score, and rows: abacad score FILE… --out FILE."
    table = read_table(path, _SCORES, way_out)
    if table.empty:
        raise AbacadError(f"{path} has no rows.\n{way_out}")
    table = table.sort_values("score", ascending=False, kind="stable")
    if "channel" in table.columns:
        return _of_telescope(path, table, files)
    # As paths, of which `./a.npy` and `a.npy` are one; a file that is named twice keeps its highest score.
    scores: dict[Path, float] = {}
    for file, score in zip(map(Path, table["file"]), table["score"].tolist(), strict=True):
        scores.setdefault(file, score)
    entries = [
        Entry(name, log_odds(score), partial(read_cadence, _located(file, path)))
        for name, (file, score) in zip(_names(list(scores)), scores.items(), strict=True)
    ]
    return Source(f"{len(entries):,} cadences of {path.name}", entries)


def _names(files: Sequence[Path]) -> list[str]:
    """A name for each file: its stem, as ids of the competition are, and folders where they tell two of one stem apart.

    `a/0.npy`, `b/0.npy` and `b/1.npy` are named `a/0`, `b/0` and `1`.
    """
    names = [file.stem for file in files]
    for n_parts in range(2, max(len(file.parts) for file in files) + 1):
        names = _longer(names, files, partial(_tail, n_parts=n_parts))
    return _longer(names, files, str)  # a.npy and a.h5 of one folder


def _longer(names: Sequence[str], files: Sequence[Path], longer: Callable[[Path], str]) -> list[str]:
    """The names, of which those that stand more than once are made longer."""
    times = Counter(names)
    return [longer(file) if times[name] > 1 else name for name, file in zip(names, files, strict=True)]


def _tail(file: Path, n_parts: int) -> str:
    return str(Path(*(file.parent / file.stem).parts[-n_parts:]))


def _located(file: Path, table: Path) -> Path:
    """A file that a table names, relative to the current folder or to that of the table."""
    beside = table.parent / file
    return beside if not file.is_file() and beside.is_file() else file


def _observation(files: Sequence[Path]) -> Observation:
    """The files as one observation; where their headers do not say what is ON, that which `abacad score` takes."""
    try:
        return open_observation(list(files))
    except AbacadError:
        if len(files) != N_PANELS:
            raise
        return open_observation(list(files), pattern="ABACAD")


def _of_telescope(path: Path, table: pd.DataFrame, files: Sequence[Path]) -> Source:
    if not files:
        raise AbacadError(f"{path} scores windows of telescope files.\nName the six files: --files A1 B A2 C A3 D.")
    observation = _observation(files)
    # `abacad score` cuts windows for a network that reads ABACAD; others the page could not lay out either.
    if len(observation.files) != N_PANELS or observation.on != ON:
        raise AbacadError(f"{path} scores six panels, ABACAD; these files are {observation.pattern}.\nName others.")
    channels = pd.to_numeric(table["channel"], errors="coerce")
    strange = table["channel"][~channels.between(0, observation.n_freq - WIDTH) | (channels % 1 != 0)]
    if len(strange):
        raise AbacadError(
            f"{path} scores a window at channel {brief(str(strange.iloc[0]), 40)}; the files share "
            f"{observation.n_freq:,} channels.\nName those that it was made from: --files A1 B A2 C A3 D."
        )
    table = table.drop_duplicates("channel")
    entries = [
        Entry(
            f"{observation.freq_hz(channel) * 1e-6:.6f} MHz",
            log_odds(score),
            partial(observation.window, channel, WIDTH),
            low_mhz=observation.freq_hz(channel) * 1e-6,
        )
        for channel, score in zip(table["channel"].tolist(), table["score"].tolist(), strict=True)
    ]
    return Source(f"{len(table):,} windows of {files[0].name} and five more", entries, observation.axes(WIDTH))
