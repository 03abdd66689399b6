"""The files of a simulated data set: begun once, written whole, finished last."""

import dataclasses
import errno
import functools
import io
import json
import os
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

import abacad
from abacad.errors import AbacadError
from abacad.simulate.presets import Simulation

_TRAP = "id,target\nnot_a_cadence_1,1\nnot_a_cadence_2,0\n"


def begin(out: Path, simulation: Simulation, parameters: dict[str, Any]) -> bool:
    """Make the folder or check that the same call began it; say whether it is finished.

    Raises:
        AbacadError: the folder holds something else.
    """
    if out.exists() and not out.is_dir():
        raise AbacadError(f"{out} is a file.\nGive a folder that is new or empty.")
    card = out / "simulation.json"
    ours = _card(simulation, parameters)
    if card.exists():
        try:
            theirs = json.loads(card.read_text())
        except ValueError:
            raise AbacadError(f"{card} cannot be read.\nGive a folder that is new or empty.") from None
        other = sorted(key for key in ours if theirs.get(key) != ours[key])
        if other:
            raise AbacadError(
                f"{out} was begun with another {' and '.join(other)}.\n"
                "Repeat that call to finish it, or give a folder that is new or empty."
            )
        return (out / "train_labels.csv").exists()
    if out.exists() and any(out.iterdir()):
        raise AbacadError(f"{out} is not empty, and no simulation began it.\nGive a folder that is new or empty.")
    _whole(card, lambda path: path.write_text(json.dumps(ours, indent=2) + "\n"))
    return False


def finish(
    out: Path,
    labels: pd.DataFrame,
    submission: pd.DataFrame,
    truth: pd.DataFrame,
) -> None:
    """Write the tables, the labels last."""
    _whole(out / "old_leaky_data" / "train_labels_old.csv", lambda path: path.write_text(_TRAP))
    write_csv(out / "truth.csv", truth)
    write_csv(out / "sample_submission.csv", submission)
    write_csv(out / "train_labels.csv", labels)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table whole or not at all."""
    _whole(path, lambda beside: table.to_csv(beside, index=False, float_format="%.6g"))


def write_cadence(path: Path, cadence: Float[np.ndarray, "panel time freq"]) -> None:
    """Write a cadence as .npy, whole or not at all."""
    cadence = np.ascontiguousarray(cadence)
    head = _head(cadence.shape, cadence.dtype)

    def write(beside: Path) -> None:
        with open(beside, "wb", buffering=0) as file:
            written = os.writev(file.fileno(), [head, cadence.data])
        if written != len(head) + cadence.nbytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    _whole(path, write)


@functools.lru_cache(maxsize=8)
def _head(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """What a .npy file begins with: 128 bytes that say what the rest is."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(np.empty(shape, dtype)))
    return head.getvalue()


@dataclasses.dataclass(frozen=True)
class Card:
    """What made a simulated folder.

    Attributes:
        simulation: what was simulated.
        seed: of the data set.
        background: fingerprint of the file that the noise is from; none: the χ² model.
    """

    simulation: Simulation
    seed: int
    background: Any


def read_card(folder: Path) -> Card:
    """Read the simulation.json of a finished folder.

    Raises:
        AbacadError: no simulation wrote this folder, or it is not finished.
    """
    path = folder / "simulation.json"
    if not path.is_file():
        raise AbacadError(f"{folder} holds no simulation.json: no simulator wrote it.\nMake one: abacad simulate OUT.")
    try:
        card = json.loads(path.read_text())
        found = Card(_built(Simulation, card["simulation"]), int(card["seed"]), card["background"])
    except (ValueError, KeyError, TypeError):
        raise AbacadError(f"{path} cannot be read.\nMake the folder anew: abacad simulate OUT.") from None
    if not (folder / "train_labels.csv").is_file():
        raise AbacadError(f"{folder} is not finished.\nRepeat the call of abacad simulate that began it.")
    return found


def _built(kind: Any, values: dict[str, Any]) -> Any:
    """A dataclass from what JSON made of it: dictionaries to dataclasses, lists to tuples."""
    hints = typing.get_type_hints(kind)
    built = {}
    for name, value in values.items():
        inner = [one for one in (hints[name], *typing.get_args(hints[name])) if dataclasses.is_dataclass(one)]
        if isinstance(value, dict) and inner:
            built[name] = _built(inner[0], value)
        else:
            built[name] = tuple(value) if isinstance(value, list) else value
    return kind(**built)


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and rename it into it."""
    beside = path.with_name(f".{path.name}.part")
    try:
        try:
            write(beside)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(beside)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise AbacadError(f"The disk is full at {path}.\nMake room and repeat the call: it goes on.") from error
        raise AbacadError(f"{path} cannot be written: {error.strerror}.\nChoose another folder.") from error


def _card(simulation: Simulation, parameters: dict[str, Any]) -> dict[str, Any]:
    """What decides every byte of the folder, as JSON gives it back."""
    card = {**parameters, "version": abacad.__version__, "simulation": dataclasses.asdict(simulation)}
    return json.loads(json.dumps(card))
