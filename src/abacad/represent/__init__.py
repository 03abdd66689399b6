"""From a cadence to the planes that a detector reads."""
