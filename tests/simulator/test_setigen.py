"""The simulator against an independent one: setigen (Brzycki et al. 2022)."""

import warnings

import numpy as np
import pytest
import torch

from abacad.signal.cadence import Axes
from abacad.signal.drift import bins_per_row, dedoppler, drift_grid
from abacad.simulator.noise import chi2_noise
from abacad.simulator.path import Paths, deposit, deposits

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies use deprecated parts of others
    setigen = pytest.importorskip("setigen")

pytestmark = pytest.mark.filterwarnings("ignore")

AXES = Axes()
FINE = Axes(n_time=16, dt_s=18.253611)
START = 100


def their_frame(axes: Axes, ascending: bool = True, data: np.ndarray | None = None):
    units = {"df": axes.df_hz, "dt": axes.dt_s, "fch1": 6e9, "ascending": ascending}
    if data is not None:
        return setigen.Frame.from_data(data=data, **units)
    return setigen.Frame(fchans=axes.n_freq, tchans=axes.n_time, seed=1, **units)


def their_line(axes: Axes, drift_hz_s: float, level: float, ascending: bool = True, smearing: bool = False):
    frame = their_frame(axes, ascending)
    frame.add_signal(
        setigen.constant_path(f_start=frame.get_frequency(index=START), drift_rate=drift_hz_s),
        setigen.constant_t_profile(level=level),
        setigen.box_f_profile(width=axes.df_hz),
        doppler_smearing=smearing,
        smearing_subsamples=400,
    )
    return frame


def our_line(axes: Axes, drift_hz_s: float, level: float, start: float = START) -> torch.Tensor:
    """Panel 0 of a cadence with a tone that is at channel `start` when the panel begins."""
    rows = bins_per_row(drift_hz_s, axes) * (torch.arange(axes.n_time) + 0.5)
    channel = (start + rows).expand(1, 6, -1)
    paths = Paths(torch.tensor([0]), channel, torch.full_like(channel, level), torch.tensor([0.01]))
    panels = torch.zeros(1, 6, axes.n_time, axes.n_freq)
    deposit(panels, deposits(paths, 1, axes.n_freq))
    return panels[0, 0]


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("drift_hz_s", [0.045, -0.045])
def test_our_dedoppler_finds_their_line(drift_hz_s: float, ascending: bool):
    noise = chi2_noise((AXES.n_time, AXES.n_freq), 12.0, key=1)
    sigma = np.sqrt(2 / 12)
    panel_snr = 400.0
    frame = their_line(AXES, drift_hz_s, panel_snr * sigma / np.sqrt(AXES.n_time), ascending)
    panel = torch.from_numpy(frame.data).float() + noise - 1
    perfect = torch.tensor([bins_per_row(drift_hz_s, AXES)], dtype=torch.float64)
    found = dedoppler(panel, perfect)[0] / (sigma * np.sqrt(AXES.n_time))
    assert found.max().item() == pytest.approx(panel_snr, rel=0.02)
    assert found.argmax() == START
    grid = drift_grid(0.1, AXES.n_time)
    sums = dedoppler(panel, grid)
    recovered = grid[sums.amax(1).argmax()].item() * AXES.unit_drift_hz_s
    # half the drift that moves a line by one channel within the panel
    assert abs(recovered - drift_hz_s) <= 0.5 * AXES.unit_drift_hz_s / (AXES.n_time - 1)


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("drift_hz_s", [0.045, -0.045])
def test_their_dedrift_finds_our_line(drift_hz_s: float, ascending: bool):
    noise = chi2_noise((AXES.n_time, AXES.n_freq), 12.0, key=2)
    sigma = np.sqrt(2 / 12)
    panel_snr = 400.0
    # they round towards the start, so the line starts at the edge of its channel
    edge = START - 0.49 if drift_hz_s > 0 else START + 0.49
    line = our_line(AXES, drift_hz_s, panel_snr * sigma / np.sqrt(AXES.n_time), start=edge)
    frame = their_frame(AXES, ascending, data=(line + noise).double().numpy())
    spectrum = setigen.dedrift(frame, drift_rate=drift_hz_s).data.sum(0)
    found = (spectrum.max() - AXES.n_time) / (sigma * np.sqrt(AXES.n_time))
    assert found == pytest.approx(panel_snr, rel=0.02)


@pytest.mark.parametrize("n", [2.0, 5.0, 8.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_smearing_costs_one_nth_in_both(n: float, sign: int):
    drift_hz_s = sign * n * FINE.unit_drift_hz_s
    theirs = their_line(FINE, drift_hz_s, 1.0, smearing=True).data
    ours = our_line(FINE, drift_hz_s, 1.0).numpy()
    visible = slice(0, 10)
    assert ours[visible].max() == pytest.approx(1 / n, rel=0.02)
    assert ours[visible].max() == pytest.approx(theirs[visible].max(), rel=0.02)
    np.testing.assert_allclose(ours[visible].sum(1), theirs[visible].sum(1), rtol=0.02)
    centre = np.arange(FINE.n_freq)
    where_ours = (ours[visible] * centre).sum(1) / ours[visible].sum(1)
    where_theirs = (theirs[visible] * centre).sum(1) / theirs[visible].sum(1)
    np.testing.assert_allclose(where_ours, where_theirs, atol=0.1)


def test_noise_has_their_distribution():
    """Their χ² noise and ours, by the same moments: mean, relative deviation, skewness."""
    frame = setigen.Frame(fchans=4096, tchans=128, df=FINE.df_hz, dt=FINE.dt_s, fch1=6e9, seed=2)
    frame.add_noise(x_mean=10, noise_type="chi2")
    theirs = frame.data / frame.data.mean()
    ours = chi2_noise((128, 4096), 4.0 * round(frame.df * frame.dt), key=5).double().numpy()
    assert ours.std() == pytest.approx(theirs.std(), rel=0.01)
    skewness = [((x - 1) ** 3).mean() / x.std() ** 3 for x in (ours, theirs)]
    assert skewness[0] == pytest.approx(skewness[1], abs=0.02)
