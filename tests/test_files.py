"""Files are whole or absent, leftovers go, and a full disk is told with the way out."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from abacad import files
from abacad.errors import AbacadError
from abacad.files import beside, holds_something, read_table, replacing, reserve, write_bytes, write_text
from abacad.plain import open_plain


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_file_is_whole_or_absent(tmp_path):
    write_text(tmp_path / "a", "before")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a") as temporary:
        _ = temporary.write_text("half") / 0
    assert (tmp_path / "a").read_text() == "before"
    assert os.listdir(tmp_path) == ["a"]


def test_leftovers_of_the_dead_go_and_others_stay(tmp_path, dead, monkeypatch):
    monkeypatch.setattr(files, "_swept", set())
    beside(tmp_path / "old", dead).write_text("half")
    mine, other = beside(tmp_path / "new", os.getppid()), tmp_path / ".else.part"
    mine.write_text("under way")
    other.write_text("not ours")
    assert not holds_something(tmp_path / "absent")
    assert holds_something(tmp_path)
    write_text(tmp_path / "a", "x")
    assert sorted(os.listdir(tmp_path)) == sorted(["a", mine.name, other.name])


def test_a_folder_of_leftovers_holds_nothing(tmp_path, dead):
    beside(tmp_path / "card.json", dead).write_text("{")
    assert not holds_something(tmp_path)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EFBIG, "ulimit"),
        (errno.EROFS, "cannot be"),
    ],
)
def test_what_the_disk_says_names_the_file_and_the_way_out(number, said, tmp_path):
    with pytest.raises(AbacadError, match=said) as caught, replacing(tmp_path / "scores.csv"):
        raise OSError(number, os.strerror(number))
    assert "scores.csv" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2
    assert "Errno" not in str(caught.value)


def test_an_error_of_a_file_that_was_read_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a"):
        (tmp_path / "input").read_text()


def limited(code: str, tmp_path: Path) -> str:
    """What a process says that may write 64 kB a file."""
    begin = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({1 << 16}, {1 << 16}))\n"
    done = subprocess.run(
        [sys.executable, "-c", begin + code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    return done.stderr


@pytest.mark.parametrize(
    "act",
    [
        "from abacad.files import write_text; write_text(Path('x'), 'a' * 100_000)",
        "from abacad.files import write_bytes; write_bytes(Path('x'), b'a' * 100_000)",
        "from abacad.files import replacing, reserve\n"
        "with replacing(Path('x')) as part:\n part.touch()\n reserve(part, 100_000)",
    ],
)
def test_a_file_beyond_the_limit_is_told_and_leaves_nothing(act, tmp_path):
    told = limited(f"from pathlib import Path\n{act}", tmp_path)
    assert "x would be larger than a file may be here" in told
    assert os.listdir(tmp_path) == []


def test_reserved_bytes_are_there(tmp_path):
    (tmp_path / "a").touch()
    reserve(tmp_path / "a", 1 << 20)
    assert (tmp_path / "a").stat().st_blocks * 512 >= 1 << 20


def test_parts_are_written_one_after_the_other(tmp_path):
    write_bytes(tmp_path / "a", b"one", memoryview(b"two"))
    assert (tmp_path / "a").read_bytes() == b"onetwo"


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no plain file"):
        open_plain(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"12345")
    with pytest.raises(OSError, match="at most 4"):
        open_plain(tmp_path / "large", 4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,score\na,True\n", "True"), ("id,score\na,x\n", "'x'"), ("id,score,score\na,1,2\n", "two columns"),
        ("id\na\n", "must have id, score"), ("id,score\n,1\n", "without id"), ("id,score\na,inf\n", "row 2"),
        ("id,score\na,1,0\n", "rows have more values"), ("id,score\na,1,\nb,0,\n", "rows have more values"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_named(content, said, tmp_path):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(AbacadError, match=said) as caught:
        read_table(tmp_path / "t.csv", {"id": str, "score": float}, "Mend it.")
    assert str(caught.value).endswith("Mend it.")


def test_texts_stay_texts(tmp_path):
    (tmp_path / "t.csv").write_text("id,score\n007,1\nNA,0.5\n")
    table = read_table(tmp_path / "t.csv", {"id": str, "score": float}, "")
    pd.testing.assert_frame_equal(table, pd.DataFrame({"id": ["007", "NA"], "score": [1.0, 0.5]}), check_dtype=False)
