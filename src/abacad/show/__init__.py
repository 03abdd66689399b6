"""Pictures, and the pages that hold them: nothing here decides anything."""
