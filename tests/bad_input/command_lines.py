"""Malformed command lines: verbs, options and numbers that make no sense."""

import atexit
import functools
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from abacad.cli import main
from tests.bad_input.case import Case, Sandbox

_NUMBERS = ("-1", "1.5", "word", "99999999999999999999999", "")
_OPTIONS = {
    "simulate": ("train", "test"),
    "demo": ("train", "test"),
    "overlaps": ("workers",),
    "predict": ("workers",),
    "score": ("shown",),
    "bound": ("limit",),
    "pretrain": ("cadences", "positives"),
    "sensitivity": ("cadences", "bound", "positives"),
}
_SIMULATION = (
    "axes.n_freq=1000000000",
    "axes.n_time=1000000000",
    "axes.n_freq=-1",
    "axes.dt_s=0",
    "axes.dt_s=nan",
    "axes.df_hz=inf",
    "scenes.n_freq=1000000000000",
    "scenes.coverage=0",
    "scenes.overlap=nonsense",
    "positives=2",
    "positives=nan",
    "noise.dof_scale=[1]",
    "noise.dof_scale=[2,1]",
    "noise.dof=0",
    "rfi.carriers=-1",
    "rfi.carriers=1000000000",
    "rfi.carrier_snr=[0,0]",
    "needles.pixel_snr=[-1,1]",
    "needles.families.line=-1",
    "needles.drift_hz_s=[1]",
    "needles.width=[1,1000000000000]",
    "preset=nonsense",
    "preset=",
    "seed=word",
    "background=/nowhere.fil",
)
_WORDS: dict[str, list[str]] = {
    "unknown verb": ["trian"],
    "empty verb": [""],
    "option for verb": ["--train"],
    "surrogate verb": ["\udcff"],
    "unknown option": ["audit", "--nonsense"],
    "option without value": ["audit", "--out"],
    "too many": ["report", "a", "b"],
    "too few": ["predict"],
    "absent folder": ["audit", "/no/such/folder"],
    "file for folder": ["audit", "/etc/hostname"],
    "surrogate folder": ["audit", "\udcff\udcfe"],
    "null byte": ["audit", "a\x00b"],
    "long folder": ["audit", "x" * 5000],
    "empty folder": ["audit", ""],
    "train absent": ["train", "/no/such/folder"],
    "train surrogate": ["train", "\udcff"],
    "recipe of nothing": ["train", "--recipe", ""],
    "recipe of long name": ["train", "--recipe", "x" * 5000 + ".yaml"],
    "recipe with null byte": ["train", "--recipe", "a\x00.yaml"],
    "recipe without value": ["train", "--recipe"],
    "recipe folder": ["train", "--recipe", ".yaml"],
    "report absent": ["report", "/no/such/run"],
    "report null byte": ["report", "a\x00b"],
    "report surrogate": ["report", "\udcff"],
    "submit absent": ["submit", "/no/such/run"],
    "score absent": ["score", "/no/such.npy"],
    "score surrogate": ["score", "\udcff.npy"],
    "score nothing": ["score"],
    "score empty folder": ["score", "out"],
    "score null byte": ["score", "a\x00.npy"],
    "score text": ["score", "/etc/hostname"],
    "bound absent": ["bound", "/no/such/folder"],
    "sensitivity absent": ["sensitivity", "/no/such/weights"],
    "sensitivity preset": ["sensitivity", "--preset", "nonsense", "--cadences", "100"],
    "pretrain preset": ["pretrain", "--run", "out/x", "--presets", "[nonsense]"],
    "pretrain no preset": ["pretrain", "--run", "out/x", "--presets", "[]"],
    "pretrain two shapes": ["pretrain", "--run", "out/x", "--presets", "[kaggle,telescope]"],
}


def _plain(words: list[str], box: Sandbox) -> list[str]:
    return words


@functools.cache
def _few() -> Path:
    """A simulated folder that nothing is wrong with."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    assert main(["simulate", str(folder / "few"), "--preset", "demo", "--train", "2", "--test", "1", "--quiet"]) == 0
    return folder / "few"


def _simulated(box: Sandbox) -> Path:
    return Path(shutil.copytree(_few(), box.root / "few", dirs_exist_ok=True))


def _option(verb: str, option: str, box: Sandbox) -> list[str]:
    begin = {
        "simulate": ["simulate", str(box.out / "x")],
        "demo": ["demo", str(box.out / "x")],
        "overlaps": ["overlaps", str(box.data), "--out", str(box.out)],
        "predict": ["predict", str(box.run), str(box.data)],
        "score": ["score", str(box.good), "--out", str(box.out / "s.csv")],
        "bound": ["bound", str(_simulated(box)), "--out", str(box.out / "b.csv")],
        "pretrain": ["pretrain", "--run", str(box.out / "x")],
        "sensitivity": ["sensitivity", "--out", str(box.out / "s.html")],
    }[verb]
    return [*begin, f"--{option}"]


def _device(verb: str, device: str, box: Sandbox) -> list[str]:
    return [*_option(verb, f"accelerator={device}", box)]


def _unwritable(verb: str, box: Sandbox) -> list[str]:
    """A place to write that lies within a file."""
    within = str(box.good / "x")
    return {
        "audit": ["audit", str(box.data), "--out", within],
        "overlaps": ["overlaps", str(box.data), "--out", within],
        "simulate": ["simulate", within, "--train", "3", "--test", "1"],
        "train": [
            "train",
            str(box.data),
            "--run",
            within,
            "--recipe",
            "compact",
            "--model.pretrained",
            "false",
            "--data.folds",
            "2",
        ],
        "report": ["report", str(box.run), "--out", within],
        "score": ["score", str(box.good), "--out", within],
    }[verb]


def cases() -> Iterator[Case]:
    """All of them."""
    for name, words in _WORDS.items():
        yield Case(f"words: {name}", partial(_plain, words))
    for verb, options in _OPTIONS.items():
        for option in options:
            for value in _NUMBERS:
                # no share of positives is none, and a limit beyond all cadences takes them all
                if (option, value) not in (("positives", ""), ("limit", _NUMBERS[3])):
                    words = f"{option}={value}"
                    yield Case(f"{verb} --{words}", partial(_option, verb, words), (option,))
    for option in _SIMULATION:
        name, value = option.split("=")
        key = name.rpartition(".")[2]
        yield Case(f"simulate --{option}", partial(_option, "simulate", option), (key, value or key))
    for verb in ("predict", "score"):
        for device in ("abacus", "meta", "xla", "cuda:99", "", "fpga"):
            yield Case(f"{verb} on {device or 'nothing'}", partial(_device, verb, device), (device or "accelerator",))
    for verb in ("audit", "overlaps", "simulate", "train", "report", "score"):
        yield Case(f"{verb} into a file", partial(_unwritable, verb), (".npy",))
