"""Physics on arrays: no files, no networks."""
