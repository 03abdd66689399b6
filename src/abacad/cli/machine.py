"""Errors that come from the machine and not from abacad or its input: memory, disk, processes.

torch raises most of them as a plain RuntimeError, so they are recognised by a part of the message.
"""

_MEMORY = "the memory does not suffice.\nClose other programs, or ask for less at once: a smaller batch_size."
_SHARED = (
    "the shared memory (/dev/shm) is full.\n"
    "Enlarge it (docker run --shm-size 2g), or read without further processes: 0 workers."
)
_SAID = {
    "out of shared memory": _SHARED,  # what torch adds where a reader was ended by SIGBUS
    "DataLoader worker": "a reader process was killed, as where the memory runs out.\n"
    "Repeat the command: it goes on where it can. With 0 workers there are no such processes.",
    "unable to write to file </torch": _SHARED,
    "unable to allocate shared memory": _SHARED,
    "PytorchStreamWriter failed": "a checkpoint cannot be written; the one before it is whole.\n"
    "Is the disk full? Make room and repeat the command: it goes on from there.",
    "can't allocate memory": _MEMORY,
    "out of memory": _MEMORY,
    "can't start new thread": "the system allows no more threads or processes.\nAsk for fewer workers.",
}


def told_of_machine(error: Exception) -> str | None:
    """A message of two lines for an error of the machine; none for any other error."""
    if isinstance(error, MemoryError):
        return _MEMORY
    said = str(error)
    return next((told for part, told in _SAID.items() if part in said), None)
