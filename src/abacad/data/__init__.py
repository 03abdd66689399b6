"""The only place that opens data files."""
