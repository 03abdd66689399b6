"""HDF5 files that end too early, as a broken download or a full disk leaves them.

HDF5 opens no file that is shorter than it was when it was closed. Yet the header stands at its beginning, and tells
where each chunk lies; so the file is opened as if zeros followed, and the reader masks what lies beyond the end.
"""

import io
import os
from pathlib import Path
from typing import Any

_NO_END = 1 << 50  # bytes: longer than any file


class _Longer(io.RawIOBase):
    """A file on disk with zeros after its end, as many as anyone asks for."""

    def __init__(self, path: Path) -> None:
        self._file, self._place = os.open(path, os.O_RDONLY), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        self._place = place + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: _NO_END}[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        here = os.pread(self._file, len(view), self._place)
        view[: len(here)] = here
        view[len(here) :] = bytes(len(view) - len(here))
        self._place += len(view)
        return len(view)

    def close(self) -> None:
        if not self.closed:
            os.close(self._file)
        super().close()


def open_hdf5(path: Path) -> tuple[Any, int | None]:
    """Open a file for reading.

    Returns:
        The file, and how many bytes it has if that is fewer than HDF5 wrote; else none.

    Raises:
        OSError: it is damaged otherwise.
    """
    import h5py
    import hdf5plugin  # noqa: F401  # registers bitshuffle, which these files are packed with

    try:
        return h5py.File(path, "r"), None
    except OSError:
        try:
            return h5py.File(_Longer(path), "r"), os.stat(path).st_size
        except (OSError, RuntimeError):
            pass  # its length was not what is wrong with it
        raise
