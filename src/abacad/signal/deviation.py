"""From the median absolute deviation to σ; apart from `abacad.signal.robust`, since the search does without torch."""

MAD_TO_SIGMA = 1.4826
"""σ of a normal distribution over its median absolute deviation, 1 / Φ⁻¹(3/4)."""
