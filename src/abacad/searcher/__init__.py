"""From telescope files to events."""
