"""The near-ideal observer: the best score that anyone could give a simulated cadence, to compare a detector with.

The observer knows how the simulator works and what it did to this cadence (gains, interference), but neither the noise
nor whether there is a needle. By the lemma of Neyman and Pearson the likelihood ratio of "a needle" against "no needle"
ranks cadences at least as well as any other score of the same pixels. The modules, in the order of the computation:

known       gains, interference and degrees of freedom made again from seed and number; a cadence back in units of noise
tones       amplitudes and widths that a needle can have, with their probabilities
pixel       the likelihood ratio of one pixel, and of a tone at every quarter of a channel
tracklet    log ratios summed along straight pieces of 12 rows
lit         which panels a needle or a decoy stands in
line        straight paths through all panels
along       the likeliest of these paths, row by row: whole, cut, pulsed or twinkling
walk        random walks and dashes, by hidden Markov models over frequency
curve       smooth curves, by a hidden Markov model over frequency and slope
observer    all families together, with decoys among the negatives
"""
