"""How deep a search was: completeness of injected needles, false events, smallest flux and power.

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

_JANSKY = 1e-26  # W / m² / Hz
_PARSEC_M = 3.0857e16


def completeness(injections: pd.DataFrame) -> pd.DataFrame:
    """Share of injected needles found: by joint SNR in and outside dense interference, and by drift at SNR 10 and more.

    Columns: of, low, high (joint SNR, or Hz/s), needles, found, share, and its Wilson interval of 95 %.
    """
    rows = []
    for name, part in (("outside", injections[~injections["dense"]]), ("dense", injections[injections["dense"]])):
        rows += [_share(f"SNR, {name}", part, part["snr"], low, high) for low, high in _ranges(SNR_EDGES)]
    bright = injections[~injections["dense"] & (injections["snr"] >= 10)]
    rate = bright["drift_hz_s"].abs()
    rows += [_share("drift", bright, rate, low, high) for low, high in _ranges(_drift_edges(injections))]
    return pd.DataFrame([row for row in rows if row["needles"]])


def _ranges(edges: Any) -> list[tuple[float, float]]:
    return list(pairwise(edges))


def _drift_edges(injections: pd.DataFrame) -> list[float]:
    """Bounds a factor of four apart up to the fastest needle."""
    edges = [float(injections["drift_hz_s"].abs().max()) * 1.0001]
    while len(edges) < 6:
        edges.append(edges[-1] / 4)
    return [0.0, *edges[::-1]]


def _share(name: str, part: pd.DataFrame, values: pd.Series, low: float, high: float) -> dict[str, Any]:
    inside = part[(values >= low) & (values < high)]
    count, found = len(inside), int(inside["found"].sum())
    interval = wilson(found, count) if count else None
    return {
        "of": name, "low": low, "high": high, "needles": count, "found": found,
        "share": found / count if count else np.nan,
        "share_low": interval.low if interval else np.nan, "share_high": interval.high if interval else np.nan,
    }  # fmt: skip


def snr_found(injections: pd.DataFrame, share: float) -> float:
    """Joint SNR at which that share of the needles outside dense interference is found, by a logistic curve in log SNR.

    NaN where all or none are found, or fewer than twenty needles tell.
    """
    from sklearn.linear_model import LogisticRegression

    part = injections[~injections["dense"]]
    if len(part) < 20 or part["found"].nunique() < 2:
        return float("nan")
    x, y = np.log(part[["snr"]].to_numpy()), part["found"].to_numpy(dtype=bool)
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
    """What the search would have seen, in numbers; with a flux when the SEFD is known, a power when the distance is.

    Args:
        observation: what was searched.
        settings: how.
        injections: needles that measured it; none takes the threshold itself.
        sefd_jy: System equivalent flux density.
        distance_pc: Of the target.
    """
    said: dict[str, Any] = {"snr_threshold": settings.snr}
    snr = settings.snr
    if injections is not None:
        said["snr_50_percent"] = round(snr_found(injections, 0.5), 3)
        said["snr_90_percent"] = round(snr_found(injections, 0.9), 3)
        snr = said["snr_90_percent"] if np.isfinite(said["snr_90_percent"]) else snr
    if sefd_jy is None:
        return said
    seconds = sum(observation.n_time[panel] for panel in observation.on) * observation.dt_s
    for name, drift in (("slow", 0.0), ("fastest", settings.max_drift_hz_s)):
        smear = max(1.0, drift * observation.dt_s / observation.df_hz)
        flux = flux_w_m2(snr, sefd_jy, smear, observation.df_hz, seconds)
        said[f"flux_w_m2_{name}"] = float(f"{flux:.4g}")
        if distance_pc is not None:
            said[f"eirp_w_{name}"] = float(f"{power_w(flux, distance_pc):.4g}")
    return said
