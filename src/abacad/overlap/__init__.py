"""Which cadences are windows of the same observation."""
