"""The files of a simulated data set: a card that says what is simulated comes first, the labels come last."""

import dataclasses
import functools
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

import abacad
from abacad.errors import AbacadError, brief
from abacad.files import holds_something, read_json, read_table, write_bytes, write_json, write_table, write_text
from abacad.plain import build
from abacad.simulator.settings import Simulation

CARD = "simulation.json"
"""Says what was simulated, and from which seed."""
# What lies in old_leaky_data/, which the competition forbids to read: ids that exist nowhere, so that a program that
# uses the folder stumbles over them.
_TRAP = "id,target\nnot_a_cadence_1,1\nnot_a_cadence_2,0\n"


def begin(out: Path, simulation: Any, parameters: dict[str, Any], last: str = "train_labels.csv") -> bool:
    """Make the folder, or check that the same call began it, and say whether it is finished.

    Args:
        out: The folder.
        simulation: A dataclass that says what is simulated.
        parameters: What else decides its files.
        last: The file that is written last.

    Raises:
        AbacadError: the folder holds something else.
    """
    if out.exists() and not out.is_dir():
        raise AbacadError(f"{out} is a file.\nGive a folder that is new or empty.")
    card = out / CARD
    ours = _card(simulation, parameters)
    # A call that was stopped is repeated to finish its folder; another call would mix two data sets in it.
    if card.exists():
        theirs = read_json(card, "Give a folder that is new or empty.")
        other = sorted(key for key in ours if theirs.get(key) != ours[key])
        if other:
            raise AbacadError(
                f"{out} was begun with another {' and '.join(other)}.\n"
                "Repeat that call to finish it, or give a folder that is new or empty."
            )
        return (out / last).exists()
    if holds_something(out):
        raise AbacadError(f"{out} is not empty, and no simulation began it.\nGive a folder that is new or empty.")
    write_json(card, ours)  # before any cadence: from here on the folder belongs to this call
    return False


def finish(
    out: Path,
    labels: pd.DataFrame,
    submission: pd.DataFrame,
    truth: pd.DataFrame,
) -> None:
    """Write the tables; train_labels.csv is the last, and its presence means that the folder is finished."""
    write_text(out / "old_leaky_data" / "train_labels_old.csv", _TRAP)
    for name, table in (("truth", truth), ("sample_submission", submission), ("train_labels", labels)):
        write_table(out / f"{name}.csv", table, digits=6)


def write_cadence(path: Path, cadence: Float[np.ndarray, "panel time freq"]) -> None:
    """Write a cadence as .npy, whole or not at all."""
    # Head and values are written one after the other, so that no copy of the cadence is made in memory.
    cadence = np.ascontiguousarray(cadence)
    write_bytes(path, _head(cadence.shape, cadence.dtype), cadence.data)


@functools.lru_cache(maxsize=8)
def _head(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """What a .npy file begins with: 128 bytes that say what the rest is."""
    # `np.save` would make it anew for each cadence, though only shape and type decide it
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(np.empty(shape, dtype)))
    return head.getvalue()


@dataclasses.dataclass(frozen=True)
class Card:
    """What simulation.json says of a folder: how its cadences were simulated.

    Attributes:
        simulation: what was simulated.
        seed: of the data set.
        background: fingerprint of the file that the noise is from; none: the χ² model.
    """

    simulation: Simulation
    seed: int
    background: Any


def is_simulated(folder: Path) -> bool:
    """Whether a simulator wrote the folder, so that scores on it say nothing of the competition's own cadences."""
    return (folder / CARD).is_file()


def read_card(folder: Path) -> Card:
    """Read the simulation.json of a finished folder.

    Raises:
        AbacadError: no simulation wrote this folder, or it is not finished.
    """
    path, way_out = folder / CARD, "Make the folder anew: abacad simulate OUT."
    if not path.is_file():
        raise AbacadError(f"{folder} holds no simulation.json: no simulator wrote it.\nMake one: abacad simulate OUT.")
    try:
        card = read_json(path, way_out)
        if not isinstance(card["seed"], int):
            raise AbacadError("its seed is no whole number.")
        read = Card(build(Simulation, card["simulation"], "simulation"), card["seed"], card["background"])
    except KeyError as error:
        raise AbacadError(f"{path} cannot be read: it has no key {error}.\n{way_out}") from error
    except AbacadError as error:
        raise AbacadError(f"{path} cannot be read: {brief(str(error), 120)}\n{way_out}") from error
    if not (folder / "train_labels.csv").is_file():
        raise AbacadError(f"{folder} is not finished.\nRepeat the call of abacad simulate that began it.")
    return read


def read_truth(folder: Path, simulation: Simulation) -> pd.DataFrame:
    """The table truth.csv of a simulated folder, held against what was simulated.

    Args:
        folder: A finished folder, whose card has been read.
        simulation: What its card says.

    Raises:
        AbacadError: the table is absent or damaged, or tells of windows that the simulation does not have.
    """
    path, way_out = folder / "truth.csv", "Make the folder anew: abacad simulate OUT."
    checked = read_table(path, {"id": str, "split": str, "target": int, "scene": int, "offset": int}, way_out)
    last = simulation.scenes.n_freq - simulation.axes.n_freq
    sound = checked["split"].isin(["train", "test"]) & checked["target"].isin([0, 1])
    sound &= checked["offset"].between(0, last) & (checked["scene"] >= 0) & ~checked["id"].duplicated()
    if not sound.all():
        row = int(np.flatnonzero(~sound)[0]) + 2
        raise AbacadError(f"{path}, row {row}, is no window that {folder} was made of.\n{way_out}")
    missing = {"family", "pixel_snr", "panel_snr"} - set(checked.columns)
    if missing:
        raise AbacadError(f"{path} has no column {', '.join(sorted(missing))}.\n{way_out}")
    # Read again, since a negative has no SNR: an empty place is a missing number here, and not a text.
    return pd.read_csv(path, dtype={"id": str})


def _card(simulation: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """All that decides the content of the folder, in the form in which JSON is read back."""
    # The version, too: another one may draw other cadences from the same seed. Through JSON and back, so that tuples
    # are lists, as in the file it is compared with.
    card = {**parameters, "version": abacad.__version__, "simulation": dataclasses.asdict(simulation)}
    return json.loads(json.dumps(card))
