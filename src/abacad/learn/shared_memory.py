"""Limits the number of reader processes to what the shared memory serves.

A reader process hands each batch over through a file in the shared memory (/dev/shm). A container has 64 MB of it by
default, less than one batch of image planes takes, and a reader that finds it full dies of a bus error. Sharing by file
names (torch's strategy `file_system`) uses the same memory and does not help.
"""

import logging
import os

log = logging.getLogger(__name__)

PLACE = "/dev/shm"
_AHEAD = 3
"""Batches of a reader in memory at once: two that it prepares ahead (torch's default), one that is being used."""


def free_bytes() -> int | None:
    """Free bytes of the shared memory; none where the system has no such place, as on macOS, and no such limit."""
    try:
        memory = os.statvfs(PLACE)
    except (OSError, AttributeError):
        return None
    return memory.f_bavail * memory.f_frsize  # what is left for this user, not what root may still take


def readers_that_fit(wanted: int, batch_bytes: int) -> int:
    """The number of readers that the shared memory serves, at most `wanted`; the log says where it is fewer.

    Args:
        wanted: Reader processes.
        batch_bytes: Of the largest batch that one of them hands over.
    """
    free = free_bytes()
    if free is None or wanted == 0 or batch_bytes == 0:
        return wanted
    fit = min(wanted, free // (_AHEAD * batch_bytes))
    if fit < wanted:
        how = f"{fit} readers" if fit else "read without further processes"
        log.warning(
            "%s has %.0f MB free, and a reader needs %.0f MB: %s (docker run --shm-size 2g gives more)",
            PLACE, free / 1e6, _AHEAD * batch_bytes / 1e6, how,
        )  # fmt: skip
    return fit
