"""The (near-)ideal observer: the likelihood ratio of a needle against none, averaged over the generator's prior.

    score = log Σ P(family) · LR(family) − log [ (1 − d) + d · Σ P(family) · LR(decoy of that family) ]

d is the share of the negatives that hold a decoy. By Neyman and Pearson's lemma no score of the same pixels has a
higher completeness at any false-alarm rate, and so none a higher AUC, as far as the averages are exact: see FAMILIES.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from abacad.errors import AbacadError
from abacad.ideal import along
from abacad.ideal.curve import STEEPEST, curve_model, curve_ratios
from abacad.ideal.kinds import kinds_of
from abacad.ideal.known import Known
from abacad.ideal.line import LineGrid, along_slopes, line_grid, line_ratios
from abacad.ideal.lit import needle_patterns, over_decoys, over_patterns
from abacad.ideal.pixel import tone_ratios
from abacad.ideal.tracklet import tracklets
from abacad.ideal.walk import level_dash_ratio, seen_walking, walk_models, walk_ratios
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.signal.drift import bins_per_panel
from abacad.simulator.presets import Families, Simulation

FAMILIES = {
    "line": "exact up to the grid",
    "squiggle": "dashes of geometric instead of regular lengths",
    "dash": "lengths of wriggling pieces geometric; whole panels lit or not",
    "sine": "approximate: a chain of slopes that does not know it returns",
    "s_curve": "approximate: the same chain",
    "pulsed": "approximate: lit and dark for geometric times instead of a regular period",
    "scintillating": "approximate: intensities that jump instead of gliding",
}
"""How close the likelihood of each family is to the generator's."""

_PATHS = 400  # likeliest lines that are looked at closely
_CLOSER = 128  # of them, for pulsed and scintillating ones
_DOUBTFUL = 0.0  # log ratio below which nobody asks whether it is a decoy
_FASTEST = 0.7  # channels a row


@dataclass(frozen=True)
class Verdict:
    """What the ideal observer says of a cadence.

    Attributes:
        score: log likelihood ratio of a needle against none, decoys among the negatives.
        families: log likelihood ratio of each family's needle against noise alone.
        decoy: log likelihood ratio of a decoy against noise alone; NaN where it was not asked.
    """

    score: float
    families: dict[str, float]
    decoy: float


class Observer:
    """Scores the cadences of one simulation."""

    def __init__(self, simulation: Simulation, families: Families | None = None) -> None:
        """Prepare the grids.

        Args:
            simulation: what made the cadences.
            families: of their needles; none: those of training.

        Raises:
            AbacadError: needles drift too fast for the grids, panels have unequal gaps, or a family is unknown here.
        """
        axes, needles = simulation.axes, simulation.needles
        fastest = bins_per_panel(needles.drift_hz_s[1], axes) * axes.dt_s / axes.panel_period_s
        if fastest > _FASTEST:
            raise AbacadError(
                f"Needles drift by up to {fastest:.2g} channels a row: the bound is worked out up to {_FASTEST:g}.\n"
                f"Simulate slower ones: --needles.drift_hz_s, up to {_FASTEST * axes.unit_drift_hz_s:.2g} Hz/s."
            )
        if not axes.evenly_spaced:
            raise AbacadError("The bound is worked out for panels at equal gaps; these begin at unequal ones.")
        weights = (families or needles.families).weights()
        unknown = [name for name, weight in weights.items() if weight > 0 and name not in FAMILIES]
        if unknown:
            raise AbacadError(
                f"The bound knows no needle family {unknown[0]}.\nIt knows {', '.join(FAMILIES)}: give others weight 0."
            )
        self.shares = {name: weight / sum(weights.values()) for name, weight in weights.items() if weight > 0}
        self.decoys = simulation.rfi.decoys
        self.simulation, self.axes, self.partial, self.cut = simulation, axes, needles.partial, needles.cut
        self.kinds = kinds_of(needles)
        self.log_kind = self.kinds.log_prior()
        self.grid = line_grid(simulation)
        self.walks = walk_models(simulation)
        self.curve = curve_model(axes, needles.partial)
        self.missing = along.missing_rows()

    def judge(self, noise: Float[Tensor, "panel time freq"], known: Known) -> Verdict:
        """Weigh a cadence.

        Args:
            noise: in units of its noise, as `noise_of` gives it.
            known: the conditions it was made under.
        """
        cadence = _Cadence(self, noise, known)
        needle = cadence.needles()
        total = _mean(needle, self.shares)
        decoy, score = float("nan"), total
        if self.decoys and total > _DOUBTFUL:
            decoy = _mean(cadence.decoys(), self.shares)
            score = total - float(np.logaddexp(_log(1 - self.decoys), _log(self.decoys) + decoy))
        return Verdict(score, needle, decoy)


def _mean(ratios: Mapping[str, float], shares: Mapping[str, float]) -> float:
    return float(np.logaddexp.reduce([np.log(share) + ratios[name] for name, share in shares.items()]))


class _Cadence:
    """One cadence under work: what is needed twice is kept."""

    def __init__(self, observer: Observer, noise: Float[Tensor, "panel time freq"], known: Known) -> None:
        self.it, self.noise, self.known = observer, noise, known
        self.sigma = float(np.sqrt(2 / known.dof))
        self.plain = bool((known.needle == 1).all())
        self.ratios: dict[int, Tensor] = {}
        self.walked: dict[int, Tensor] = {}
        self.found: dict[str, float] = {}
        self.kept: dict[str, tuple[Tensor, dict[int, Tensor]]] = {}

    def _ratios(self, panel: int) -> Float[Tensor, "kind time place"]:
        if panel not in self.ratios:
            powers = (self.it.kinds.amplitudes * self.sigma).tolist()
            factor = None if self.plain else self.known.needle[panel]
            self.ratios[panel] = tone_ratios(self.noise[panel], powers, self.it.kinds.widths, self.known.dof, factor)
        return self.ratios[panel]

    def needles(self) -> dict[str, float]:
        """Log likelihood ratio of each family's needle."""
        wanted = self.it.shares
        if wanted.keys() & {"line", "pulsed", "scintillating"}:
            self._lines()
        if wanted.keys() & {"squiggle", "dash"}:
            self._walks()
        if wanted.keys() & {"sine", "s_curve"}:
            self.found |= dict.fromkeys(("sine", "s_curve"), self._curves(ON))
        return {name: self.found[name] for name in wanted}

    def _lines(self) -> None:
        it = self.it
        sums = [along_slopes(tracklets(self._ratios(panel), it.grid.steepest), it.grid) for panel in ON]
        whole = line_ratios(sums, it.grid, it.log_kind, it.partial)
        self.chosen = along.choose(whole, it.grid, it.axes, _PATHS)
        total, chosen = float(torch.logsumexp(whole.flatten(), 0)), whole.flatten()[self.chosen.at]
        # paths that are not looked at closely count as whole lines
        self.rest = {n: _without(total, chosen[:n]) for n in (_PATHS, _CLOSER)}
        self.mass = _path_mass(it.grid, self.chosen.at, whole.shape[1])
        self.rows = {panel: self._along(panel) for panel in ON}
        self.found["line"] = self._line()
        for name in ("pulsed", "scintillating"):
            if name in it.shares:
                panels = {panel: self._varied(name, panel) for panel in ON}
                self.found[name] = self._close(over_patterns(panels, needle_patterns(it.partial, it.cut)))

    def _along(self, panel: int) -> Float[Tensor, "kind path time"]:
        return along.rows_along(self._ratios(panel), self.chosen.place[:, panel])

    def _line(self) -> float:
        """The likeliest paths whole or cut, all others whole."""
        it = self.it
        panels = {panel: rows.sum(-1) for panel, rows in self.rows.items()}
        near = over_patterns(panels, needle_patterns(it.partial))
        if it.cut:
            cut = along.cut_ratio(self.rows, it.missing) + _log(it.cut)
            near = torch.logaddexp(near + _log(1 - it.cut), cut)
        paths = torch.logsumexp(near + it.log_kind[:, None], 0) + self.mass
        return _total([float(torch.logsumexp(paths, 0)), self.rest[_PATHS]])

    def _varied(self, name: str, panel: int) -> Float[Tensor, "kind path"]:
        rows = self.rows[panel][:, :_CLOSER]
        if name == "pulsed":
            return along.pulsed_ratio(rows)
        return along.twinkling_ratio(rows, self.it.kinds, self.it.axes)

    def _close(self, ratio: Float[Tensor, "kind path"]) -> float:
        """Averaged over kinds and over the paths that are looked at most closely."""
        copies = len(ratio) // len(self.it.log_kind)
        prior = self.it.log_kind.repeat(copies) - np.log(copies)
        paths = torch.logsumexp(ratio + prior[:, None], 0) + self.mass[:_CLOSER]
        return _total([float(torch.logsumexp(paths, 0)), self.rest[_CLOSER]])

    def _walk_panels(self, panels: tuple[int, ...]) -> dict[str, dict[int, Tensor]]:
        """Log ratios of each panel by amplitude and chain, for squiggles and dashes."""
        it = self.it
        new = [panel for panel in panels if panel not in self.walked]
        if new:
            middle = it.kinds.middle()
            seen = [seen_walking(self._ratios(panel)[middle]) for panel in new]
            self.walked |= dict(zip(new, walk_ratios(seen, it.walks), strict=True))
        squiggle = {panel: self.walked[panel][:, :-1] for panel in panels}
        dash = {}
        n_width = len(it.kinds.widths)
        for panel in panels:
            level = level_dash_ratio(self._ratios(panel)).view(-1, n_width)
            dash[panel] = torch.logaddexp(level, self.walked[panel][:, -1:].expand_as(level)) - np.log(2)
        return {"squiggle": squiggle, "dash": dash}

    def _walk_priors(self) -> dict[str, Tensor]:
        mass = torch.from_numpy(np.log(self.it.kinds.mass)).float()
        n_amplitude = len(self.it.kinds.amplitudes)
        return {"squiggle": mass[:, None] + self.it.walks.log_prior, "dash": self.it.log_kind.view(n_amplitude, -1)}

    def _walks(self) -> None:
        patterns = needle_patterns(self.it.partial, self.it.cut)
        priors = self._walk_priors()
        for name, panels in self._walk_panels(ON).items():
            self.found[name] = float(torch.logsumexp((over_patterns(panels, patterns) + priors[name]).flatten(), 0))

    def _curves(self, panels: tuple[int, ...]) -> float:
        it = self.it
        pieces = [tracklets(self._ratios(panel)[it.kinds.middle()], STEEPEST) for panel in panels]
        mass = torch.from_numpy(np.log(it.kinds.mass)).float()
        ratios = curve_ratios(pieces, it.curve)
        return float(torch.logsumexp((ratios + mass).flatten(), 0)) - float(np.log(len(ratios)))

    def decoys(self) -> dict[str, float]:
        """Log likelihood ratio of each family's decoy, near where a needle would be."""
        it, found = self.it, {}
        if it.shares.keys() & {"line", "pulsed", "scintillating"}:
            for panel in OFF:
                self.rows[panel] = self._along(panel)
            panels = {panel: rows.sum(-1) for panel, rows in self.rows.items()}
            paths = torch.logsumexp(over_decoys(panels) + it.log_kind[:, None], 0) + self.mass
            rest = np.log(max(1e-9, 1 - float(self.mass.exp().sum())))
            found["line"] = _total([float(torch.logsumexp(paths, 0)), rest])
            for name in it.shares.keys() & {"pulsed", "scintillating"}:
                varied = {panel: self._varied(name, panel) for panel in range(N_PANELS)}
                found[name] = self._close(over_decoys(varied))  # elsewhere as likely as a needle
        if it.shares.keys() & {"squiggle", "dash"}:
            priors = self._walk_priors()
            for name, walked in self._walk_panels(tuple(range(N_PANELS))).items():
                found[name] = float(torch.logsumexp((over_decoys(walked) + priors[name]).flatten(), 0))
        for name in it.shares.keys() & {"sine", "s_curve"}:
            found.setdefault("off", self._curves(OFF))
            off = found["off"]
            found[name] = float(np.logaddexp(np.log(0.6) + self.found[name] + off, np.log(0.4) + off))
        return found


def _path_mass(grid: LineGrid, at: Tensor, n_place: int) -> Float[Tensor, " path"]:
    """Log prior of drift and place."""
    inside = grid.inside[:, list(ON)].all(1)
    room = torch.where(inside.any(1), inside.sum(1), grid.inside[:, ON[1]].sum(1)).clamp(min=1)
    return grid.log_prior[at // n_place] - room.log()[at // n_place]


def _without(total: float, some: Float[Tensor, " path"]) -> float:
    """Log of what is left of a sum without some of its terms."""
    taken = float(torch.logsumexp(some, 0)) - total
    return total + float(np.log(max(1e-9, -np.expm1(min(taken, -1e-9)))))


def _log(share: float) -> float:
    """Log that is finite at 0."""
    return float(np.log(max(share, 1e-30)))


def _total(parts: list[float]) -> float:
    return float(np.logaddexp.reduce(parts))
