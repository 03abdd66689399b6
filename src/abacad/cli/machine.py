"""Messages for errors that the machine causes, not abacad or its input: no memory, a full disk, lost processes.

torch raises most of them as a plain RuntimeError, so they are recognised by a part of its message. The first part below
that stands in the message decides: a reader that was killed for want of shared memory says both of two.
"""

import os
import traceback

from abacad.errors import FULL

_MEMORY = "the memory does not suffice.\nClose other programs, or ask for less at once: a smaller batch_size."
_SHARED = (
    "the shared memory (/dev/shm) is full.\n"
    "Enlarge it (docker run --shm-size 2g), or read without further processes: 0 workers."
)
_SAID = {
    "out of shared memory": _SHARED,  # what torch adds where a reader was ended by SIGBUS
    "DataLoader worker": "a reader process was killed, as where the memory runs out.\n"
    "Repeat the command: it goes on where it can. With 0 workers there are no such processes.",
    # A file in /dev/shm, by which a reader hands a batch over; the message has its name and not the folder's.
    "unable to write to file </torch": _SHARED,
    "unable to allocate shared memory": _SHARED,
    "PytorchStreamWriter failed": "a checkpoint cannot be written; the one before it is whole.\n"
    "Is the disk full? Make room and repeat the command: it goes on from there.",
    "can't allocate memory": _MEMORY,  # torch's own allocator on the CPU; the next one is that of CUDA
    "out of memory": _MEMORY,
    "could not create a primitive": _MEMORY,  # oneDNN, where it cannot have the memory of a convolution
    # A limit of the system (ulimit -u, a container's pids.max) and not of the memory.
    "can't start new thread": "the system allows no more threads or processes.\nAsk for fewer workers.",
}
_LOCKS = os.path.join("multiprocessing", "synchronize.py")


def told_of_machine(error: Exception) -> str | None:
    """A message of two lines for an error that the machine causes; none for any other error."""
    if isinstance(error, MemoryError):
        return _MEMORY
    # Other errors of the system name their file, and `abacad.errors` tells them by it.
    if isinstance(error, OSError):
        return _SHARED if error.errno in FULL and _of_a_lock(error) else None
    said = str(error)
    return next((told for part, told in _SAID.items() if part in said), None)


def _of_a_lock(error: OSError) -> bool:
    """Whether a lock between processes could not be made.

    Such a lock is a file in the shared memory (/dev/shm). The error says that a disk is full, and not which one.
    """
    return any(frame.filename.endswith(_LOCKS) for frame in traceback.extract_tb(error.__traceback__))
