"""How deep a search was: the share of injected needles that it finds, its false events, the smallest flux and power.

    F_min = SNR · SEFD · √(N · δν / (n_pol · τ))      N channels of smear, δν of one channel, τ of all ON panels
    EIRP  = 4 π d² F_min

    6.9 · 15.3 Jy · √(2.79 Hz / (2 · 876 s)) = 4.2 · 10⁻²⁶ W/m²; at 50 pc 1.3 · 10¹² W
    (Enriquez et al. 2017, ApJ 849, 104, for a line as wide as a channel; N by Sheikh et al. 2019)

The SNR is the one at which nine injected needles in ten are found, so that the losses of the search are in it. False
events are counted in the same data with the roles exchanged: what stands in the OFF panels alone is no transmitter of
the target.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from abacad.metric import wilson
from abacad.searcher.settings import Settings
from abacad.searcher.unit import Observation

SNR_EDGES = (6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 15.0, 19.0, 24.0)
"""Bounds of the ranges of joint SNR that completeness is told for."""

_BRIGHT_SNR = 10.0  # from which on a search is asked to find nearly all needles
_JANSKY = 1e-26  # W / m² / Hz
_PARSEC_M = 3.0857e16


def completeness(injections: pd.DataFrame) -> pd.DataFrame:
    """The share of injected needles that the search found, in ranges of joint SNR and of drift rate.

    Each range of SNR has a row for needles outside dense interference and one for those within; ranges of drift take
    needles of SNR 10 and more, outside it.

    Columns: of, low, high (joint SNR, or Hz/s), needles, found, share, and its Wilson interval of 95 %.
    """
    rows = []
    # Dense interference hides needles whatever the search does: one share of both would tell how crowded the band is.
    for name, part in (("outside", injections[~injections["dense"]]), ("dense", injections[injections["dense"]])):
        rows += [_share(f"SNR, {name}", part, part["snr"], low, high) for low, high in _ranges(SNR_EDGES)]
    # From SNR 10 on hardly any is lost to the threshold (docs/benchmarks.md): what is missed then, its drift costs.
    bright = injections[~injections["dense"] & (injections["snr"] >= _BRIGHT_SNR)]
    rate = bright["drift_hz_s"].abs()
    rows += [_share("drift", bright, rate, low, high) for low, high in _ranges(_drift_edges(injections))]
    return pd.DataFrame([row for row in rows if row["needles"]])


def recovered(injections: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """How many needles of joint SNR 10 and more are found outside and within dense interference, with the interval."""
    said = {}
    for name, within in (("outside", False), ("dense", True)):
        part = injections[(injections["dense"] == within) & (injections["snr"] >= _BRIGHT_SNR)]
        row = _share(name, part, part["snr"], _BRIGHT_SNR, np.inf)
        known = ("share", "share_low", "share_high") if len(part) else ()
        said[name] = {key: row[key] for key in ("needles", "found")} | {key: round(row[key], 4) for key in known}
    return said


def _ranges(edges: Any) -> list[tuple[float, float]]:
    return list(pairwise(edges))


def _drift_edges(injections: pd.DataFrame) -> list[float]:
    """Bounds a factor of four apart up to the fastest needle."""
    # A little above the fastest needle, since a range does not hold its upper bound.
    edges = [float(injections["drift_hz_s"].abs().max()) * 1.0001]
    while len(edges) < 6:
        edges.append(edges[-1] / 4)
    return [0.0, *edges[::-1]]


def _share(name: str, part: pd.DataFrame, values: pd.Series, low: float, high: float) -> dict[str, Any]:
    inside = part[(values >= low) & (values < high)]
    count, recovered = len(inside), int(inside["found"].sum())
    # Wilson's interval stays within 0 to 1, and has a width where all needles or none were found.
    interval = wilson(recovered, count) if count else None
    return {
        "of": name, "low": low, "high": high, "needles": count, "found": recovered,
        "share": recovered / count if count else np.nan,
        "share_low": interval.low if interval else np.nan, "share_high": interval.high if interval else np.nan,
    }  # fmt: skip


def snr_found(injections: pd.DataFrame, share: float) -> float:
    """Joint SNR at which that share of the needles outside dense interference is found, by a logistic curve in log SNR.

    NaN where all needles were found or none, or where there are fewer than twenty.
    """
    # Imported here: a worker of the search needs no scikit-learn, and its memory counts once a core.
    from sklearn.linear_model import LogisticRegression

    part = injections[~injections["dense"]]
    if len(part) < 20 or part["found"].nunique() < 2:
        return float("nan")
    x, y = np.log(part[["snr"]].to_numpy()), part["found"].to_numpy(dtype=bool)
    # scikit-learn's usual C of 1 pulls the slope towards 0, which would put 90 % at too high an SNR; 1e4 hardly pulls.
    fit = LogisticRegression(C=1e4).fit(x, y)
    return float(np.exp((np.log(share / (1 - share)) - fit.intercept_[0]) / fit.coef_[0, 0]))


def flux_w_m2(snr: float, sefd_jy: float, smear: float, df_hz: float, seconds: float, n_pol: int = 2) -> float:
    """Smallest flux of a line, F_min above.

    Example:
        >>> f"{flux_w_m2(6.9, 15.3, 1.0, 2.79, 876.0):.2g}"
        '4.2e-26'
    """
    return snr * sefd_jy * _JANSKY * float(np.sqrt(smear * df_hz / (n_pol * seconds)))


def power_w(flux: float, distance_pc: float) -> float:
    """EIRP of a transmitter at that distance with that flux here.

    Example:
        >>> f"{power_w(4.2e-26, 50.0):.2g}"
        '1.3e+12'
    """
    return 4 * np.pi * (distance_pc * _PARSEC_M) ** 2 * flux


def depth(
    observation: Observation,
    settings: Settings,
    injections: pd.DataFrame | None,
    sefd_jy: float | None,
    distance_pc: float | None,
) -> dict[str, Any]:
    """The faintest signal that the search would have found: as an SNR, a flux (W/m²) and a transmitter's power (W).

    Args:
        observation: the files that were searched.
        settings: how deep and wide they were searched.
        injections: the injected needles, which tell at which SNR nine in ten are found; none: the threshold is taken.
        sefd_jy: system equivalent flux density of the receiver, Jy; without it there is no flux.
        distance_pc: distance of the target, pc; without it there is no power.

    Returns:
        What stands in search.json: `snr_90_percent` is None where it could not be measured, and then `flux_snr`, which
        fluxes are told for, is the threshold.
    """
    said: dict[str, Any] = {"snr_threshold": settings.snr}
    snr = settings.snr
    if injections is not None:
        said["snr_50_percent"] = _rounded(snr_found(injections, 0.5))
        said["snr_90_percent"] = _rounded(snr_found(injections, 0.9))
        snr = said["snr_90_percent"] or snr
    if sefd_jy is None:
        return said
    said["flux_snr"] = snr
    # Time on the target alone: what an OFF panel sees adds nothing to a line's SNR.
    seconds = sum(observation.n_time[panel] for panel in observation.on) * observation.dt_s
    for name, drift in (("slow", 0.0), ("fastest", settings.max_drift_hz_s)):
        # A line that crosses N channels in a row shares its power among them: it has to be √N brighter to be found.
        smear = max(1.0, drift * observation.dt_s / observation.df_hz)
        flux = flux_w_m2(snr, sefd_jy, smear, observation.df_hz, seconds, observation.n_pol)
        said[f"flux_w_m2_{name}"] = float(f"{flux:.4g}")
        if distance_pc is not None:
            said[f"eirp_w_{name}"] = float(f"{power_w(flux, distance_pc):.4g}")
    return said


def _rounded(value: float) -> float | None:
    return round(value, 3) if np.isfinite(value) else None  # JSON knows no NaN
