"""The ideal observer: how well a cadence can be scored by who knows the simulator, but not its noise nor its needle.

known       gains, interference and degrees of freedom made again from seed and number; a cadence back in units of noise
pixel       the likelihood ratio of one pixel, and of a tone at every place between channels
tracklet    sums of these along short straight pieces
lit         which panels a needle or a decoy stands in
line        straight paths through all panels, whole, cut, pulsed or twinkling
walk        random walks and dashes, by hidden Markov models over frequency
curve       smooth curves, by a hidden Markov model over frequency and slope
observer    all families together: needle against none, with decoys among the negatives
"""
