"""Physics on arrays: the cadence and its axes, drift rates, robust statistics, random draws. No files, no networks."""
