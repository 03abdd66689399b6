"""From telescope files to events, one coarse channel at a time: flatten, de-doppler, measure, tell apart, judge."""
