"""Observations that misbehave in another process: the first one to read is killed, or waits for its machine's end."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.searcher.made import Made


@dataclass
class Deadly(Made):
    """Its first reader is killed by the system, as where the memory runs out; each later one is not."""

    notes: str = ""

    def panel(self, number, channel, n_channels, out=None):
        if number == 0:
            with open(self.notes + "-all", "a") as file:
                file.write(f"{channel}\n")
        with suppress(FileExistsError), open(self.notes, "x"):  # one process alone can make it
            os.kill(os.getpid(), signal.SIGKILL)
        return super().panel(number, channel, n_channels, out)


@dataclass
class Stuck(Made):
    """On one node of a Ray cluster it is never read to the end."""

    notes: str = ""
    doomed: str = ""

    def panel(self, number, channel, n_channels, out=None):
        import ray

        if ray.get_runtime_context().get_node_id() == self.doomed:
            Path(self.notes).write_text(f"{channel}\n")
            time.sleep(300)
        return super().panel(number, channel, n_channels, out)
