"""What a user has: the package as it is installed, without development packages. `make test-user` runs this file.

It is no pytest module, as pytest is one of the packages that a user has not.
"""

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

ABSENT = ("pytest", "beartype", "mypy", "hypothesis", "setigen")


def abacad(*words: str, at: Path, status: int = 0) -> str:
    """Run the command line in a folder; its output."""
    command = Path(sys.executable).with_name("abacad")
    done = subprocess.run([command, *words], cwd=at, capture_output=True, text=True)
    if done.returncode != status:
        raise SystemExit(f"abacad {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def main() -> None:
    """Simulate, audit, score and refuse, in a folder of its own."""
    present = [name for name in ABSENT if importlib.util.find_spec(name)]
    if present:
        raise SystemExit(f"{', '.join(present)} installed: this is no user's environment.")
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        abacad("--help", at=at)
        abacad("simulate", "data", "--preset", "easy", "--train", "24", "--test", "12", "--progress", "false", at=at)
        abacad("audit", "data", "--progress", "false", at=at)
        abacad("score", "data/test", "--out", "scores.csv", "--page", "scores.html", "--progress", "false", at=at)
        if not (at / "scores.csv").is_file() or not (at / "scores.html").is_file():
            raise SystemExit("abacad score wrote no table, or no page.")
        if "nowhere" not in abacad("audit", "nowhere", at=at, status=2):
            raise SystemExit("A folder that is not there was not named.")
    print("The command line works without development packages.")


if __name__ == "__main__":
    main()
