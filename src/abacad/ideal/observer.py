"""The (near-)ideal observer: the likelihood ratio of a needle against none, averaged over the simulator's prior.

    score = log Σ P(family) · LR(family) − log [ (1 − d) + d · Σ P(family) · LR(decoy of that family) ]

d is the share of the negatives that hold a decoy. By the lemma of Neyman and Pearson no score of the same pixels has a
higher completeness at any false-alarm rate, and so none has a higher AUC. That holds as far as the averages are exact;
FAMILIES says where they are not.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from abacad.errors import AbacadError
from abacad.ideal import along
from abacad.ideal.curve import curve_model, curve_ratios
from abacad.ideal.known import Known
from abacad.ideal.line import along_slopes, line_grid, line_ratios, path_mass
from abacad.ideal.lit import needle_patterns, over_decoys, over_patterns
from abacad.ideal.logs import log_of, mean_of, total_of, without
from abacad.ideal.pixel import tone_ratios
from abacad.ideal.tones import tones_of
from abacad.ideal.tracklet import tracklets
from abacad.ideal.verdict import Opinion, Verdict
from abacad.ideal.walk import level_dash_ratio, seen_walking, walk_models, walk_ratios
from abacad.signal.cadence import N_PANELS, OFF, ON
from abacad.signal.drift import bins_per_row
from abacad.simulator.needle import DECOY_LIT
from abacad.simulator.settings import Families, Simulation

FAMILIES = {
    "line": "exact up to the grid",
    "squiggle": "dashes of geometric instead of regular lengths",
    "dash": "lengths of wriggling pieces geometric; whole panels lit or not",
    "sine": "approximate: a chain of slopes that does not know it returns",
    "s_curve": "approximate: the same chain",
    "pulsed": "approximate: lit and dark for geometric times instead of a regular period",
    "scintillating": "approximate: intensities that jump instead of gliding",
}
"""How close the likelihood of each family is to the simulator's."""

_PATHS = 400  # likeliest lines that are followed row by row, as whole or cut lines; the others count as whole lines
_CLOSER = 128  # likeliest of these, which are followed as pulsed and scintillating lines
_DOUBTFUL = 0.0  # log ratio below which no decoy is worked out: it could not lift a cadence above those that have more
_FASTEST = 0.7  # channels a row; a faster needle smears over two channels within a row, which `pixel` does not know


class Observer:
    """Scores the cadences of one simulation."""

    def __init__(self, simulation: Simulation, families: Families | None = None, coarse: bool = False) -> None:
        """Prepare the grids.

        Args:
            simulation: what made the cadences.
            families: how often their needles are of each family; none means as often as in training.
            coarse: with fewer amplitudes and one width, in half the time; right where other errors are larger.

        Raises:
            AbacadError: needles drift too fast for the grids, panels have unequal gaps, or a family is unknown here.
        """
        axes, needles = simulation.axes, simulation.needles
        fastest = bins_per_row(needles.drift_hz_s[1], axes)
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
        self.tones = tones_of(needles, coarse)
        self.log_tone = self.tones.log_prior()
        self.grid = line_grid(simulation)
        self.walks = walk_models(simulation)
        self.curve = curve_model(axes, needles.partial)
        self.missing = along.missing_rows()

    def judge(self, noise: Float[Tensor, "panel time freq"], known: Known) -> Verdict:
        """Weigh a cadence.

        Args:
            noise: in units of its noise, as `noise_of` gives it.
            known: gains and interference of the observation.
        """
        cadence = _Cadence(self, noise, known)
        needle = cadence.needles()
        total = mean_of(needle, self.shares)
        decoy, score = float("nan"), total
        if self.decoys and total > _DOUBTFUL:
            decoy = mean_of(cadence.decoys(), self.shares)
            score = total - float(np.logaddexp(log_of(1 - self.decoys), log_of(self.decoys) + decoy))
        return Verdict(score, needle, decoy)

    def on_and_off(self, noise: Float[Tensor, "panel time freq"], known: Known) -> Opinion:
        """Weigh what stands in the ON panels, and what in the OFF panels.

        Args:
            noise: in units of its noise.
            known: degrees of freedom, and the factor on a needle's power in each pixel.
        """
        cadence = _Cadence(self, noise, known)
        return Opinion(cadence.needles(), cadence.curves(OFF), cadence.standing(), cadence.walks_by_panel())


class _Cadence:
    """One cadence while it is weighed; results that several families need are kept.

    Attributes:
        observer: grids and chains.
        ratios: log ratios (tone, time, place) of the panels that were asked for.
        walked: log ratios (amplitude, chain) of squiggles and dashes in these panels.
        by_family: log likelihood ratio of each family's needle.
    """

    def __init__(self, observer: Observer, noise: Float[Tensor, "panel time freq"], known: Known) -> None:
        self.observer, self.noise, self.known = observer, noise, known
        self.sigma = float(np.sqrt(2 / known.dof))
        self.plain = bool((known.needle == 1).all())  # no modulated noise: the ratios of a pixel need no factor
        self.ratios: dict[int, Tensor] = {}
        self.walked: dict[int, Tensor] = {}
        self.by_family: dict[str, float] = {}

    def _ratios(self, panel: int) -> Float[Tensor, "tone time place"]:
        if panel not in self.ratios:
            powers = (self.observer.tones.amplitudes * self.sigma).tolist()
            factor = None if self.plain else self.known.needle[panel]
            self.ratios[panel] = tone_ratios(
                self.noise[panel], powers, self.observer.tones.widths, self.known.dof, factor
            )
        return self.ratios[panel]

    def needles(self) -> dict[str, float]:
        """Log likelihood ratio of each family's needle."""
        wanted = self.observer.shares
        if wanted.keys() & {"line", "pulsed", "scintillating"}:
            self._lines()
        if wanted.keys() & {"squiggle", "dash"}:
            self._walks()
        if wanted.keys() & {"sine", "s_curve"}:
            self.by_family |= dict.fromkeys(("sine", "s_curve"), self.curves(ON))
        return {name: self.by_family[name] for name in wanted}

    def _lines(self) -> None:
        it = self.observer
        sums = [along_slopes(tracklets(self._ratios(panel), it.grid.steepest), it.grid) for panel in ON]
        whole = line_ratios(sums, it.grid, it.log_tone, it.partial)
        self.chosen = along.choose(whole, it.grid, it.axes, _PATHS)
        total, chosen = float(torch.logsumexp(whole.flatten(), 0)), whole.flatten()[self.chosen.at]
        # Paths that are not followed row by row count as whole lines: this is the log of their summed ratios.
        self.rest = {n: without(total, chosen[:n]) for n in (_PATHS, _CLOSER)}
        self.mass = path_mass(it.grid, self.chosen.at, whole.shape[1])
        self.rows = {panel: self._along(panel) for panel in ON}
        self.by_family["line"] = self._line()
        for name in ("pulsed", "scintillating"):
            if name in it.shares:
                panels = {panel: self._varied(name, panel) for panel in ON}
                self.by_family[name] = self._close(over_patterns(panels, needle_patterns(it.partial, it.cut)))

    def _along(self, panel: int) -> Float[Tensor, "tone path time"]:
        return along.rows_along(self._ratios(panel), self.chosen.place[:, panel])

    def _line(self) -> float:
        """The likeliest paths whole or cut, all others whole."""
        it = self.observer
        panels = {panel: rows.sum(-1) for panel, rows in self.rows.items()}
        near = over_patterns(panels, needle_patterns(it.partial))
        if it.cut:
            cut = along.cut_ratio(self.rows, it.missing) + log_of(it.cut)
            near = torch.logaddexp(near + log_of(1 - it.cut), cut)
        paths = torch.logsumexp(near + it.log_tone[:, None], 0) + self.mass
        return total_of([float(torch.logsumexp(paths, 0)), self.rest[_PATHS]])

    def _varied(self, name: str, panel: int) -> Float[Tensor, "tone path"]:
        rows = self.rows[panel][:, :_CLOSER]
        if name == "pulsed":
            return along.pulsed_ratio(rows)
        return along.twinkling_ratio(rows, self.observer.tones, self.observer.axes)

    def _close(self, ratio: Float[Tensor, "tone path"]) -> float:
        """A ratio by chain, tone and path, averaged over all three; all other paths count as whole lines."""
        copies = len(ratio) // len(self.observer.log_tone)
        prior = self.observer.log_tone.repeat(copies) - np.log(copies)
        paths = torch.logsumexp(ratio + prior[:, None], 0) + self.mass[:_CLOSER]
        return total_of([float(torch.logsumexp(paths, 0)), self.rest[_CLOSER]])

    def _walk_panels(self, panels: tuple[int, ...]) -> dict[str, dict[int, Tensor]]:
        """Log ratios of each panel by amplitude and chain, for squiggles and dashes."""
        it = self.observer
        new = [panel for panel in panels if panel not in self.walked]
        if new:
            middle = it.tones.middle()
            seen = [seen_walking(self._ratios(panel)[middle]) for panel in new]
            self.walked |= dict(zip(new, walk_ratios(seen, it.walks), strict=True))
        squiggle = {panel: self.walked[panel][:, :-1] for panel in panels}
        dash = {}
        n_width = len(it.tones.widths)
        for panel in panels:
            level = level_dash_ratio(self._ratios(panel)).view(-1, n_width)
            dash[panel] = torch.logaddexp(level, self.walked[panel][:, -1:].expand_as(level)) - np.log(2)
        return {"squiggle": squiggle, "dash": dash}

    def _walk_priors(self) -> dict[str, Tensor]:
        mass = torch.from_numpy(np.log(self.observer.tones.mass)).float()
        n_amplitude = len(self.observer.tones.amplitudes)
        return {
            "squiggle": mass[:, None] + self.observer.walks.log_prior,
            "dash": self.observer.log_tone.view(n_amplitude, -1),
        }

    def _walks(self) -> None:
        patterns = needle_patterns(self.observer.partial, self.observer.cut)
        priors = self._walk_priors()
        for name, panels in self._walk_panels(ON).items():
            self.by_family[name] = float(torch.logsumexp((over_patterns(panels, patterns) + priors[name]).flatten(), 0))

    def walks_by_panel(self) -> dict[str, list[float]]:
        """Log likelihood ratio of a squiggle and of a dash in each of the six panels."""
        priors = self._walk_priors()
        return {
            name: [float(torch.logsumexp((walked[panel] + priors[name]).flatten(), 0)) for panel in range(N_PANELS)]
            for name, walked in self._walk_panels(tuple(range(N_PANELS))).items()
        }

    def curves(self, panels: tuple[int, ...]) -> float:
        """Log likelihood ratio of a curve in these panels."""
        it = self.observer
        mass = torch.from_numpy(np.log(it.tones.mass)).float()
        ratios = curve_ratios([self._ratios(panel)[it.tones.middle()] for panel in panels], it.curve)
        return float(torch.logsumexp((ratios + mass).flatten(), 0)) - float(np.log(len(ratios)))

    def standing(self) -> float:
        """Log likelihood ratio of a line that keeps its channel in the ON panels that it stands in.

        Its power is drawn for each panel alone: carriers come and go.
        """
        it = self.observer
        panels = {panel: torch.logsumexp(self._ratios(panel).sum(1) + it.log_tone[:, None], 0) for panel in ON}
        places = over_patterns(panels, needle_patterns(it.partial))
        return float(torch.logsumexp(places, 0)) - float(np.log(len(places)))

    def decoys(self) -> dict[str, float]:
        """Log likelihood ratio of each family's decoy.

        Lines are followed in the OFF panels along the paths that are likeliest in the ON panels: a decoy that could be
        taken for a needle lies there.
        """
        it, decoys = self.observer, {}
        if it.shares.keys() & {"line", "pulsed", "scintillating"}:
            for panel in OFF:
                self.rows[panel] = self._along(panel)
            panels = {panel: rows.sum(-1) for panel, rows in self.rows.items()}
            paths = torch.logsumexp(over_decoys(panels) + it.log_tone[:, None], 0) + self.mass
            rest = np.log(max(1e-9, 1 - float(self.mass.exp().sum())))
            decoys["line"] = total_of([float(torch.logsumexp(paths, 0)), rest])
            for name in it.shares.keys() & {"pulsed", "scintillating"}:
                varied = {panel: self._varied(name, panel) for panel in range(N_PANELS)}
                decoys[name] = self._close(over_decoys(varied))  # other paths: a decoy is as likely as a needle there
        if it.shares.keys() & {"squiggle", "dash"}:
            priors = self._walk_priors()
            for name, walked in self._walk_panels(tuple(range(N_PANELS))).items():
                decoys[name] = float(torch.logsumexp((over_decoys(walked) + priors[name]).flatten(), 0))
        curves = it.shares.keys() & {"sine", "s_curve"}
        off = self.curves(OFF) if curves else 0.0
        for name in curves:
            lit, dark = np.log(DECOY_LIT), np.log(1 - DECOY_LIT)  # whether it stands in the ON panels as well
            decoys[name] = float(np.logaddexp(lit + self.by_family[name] + off, dark + off))
        return decoys
