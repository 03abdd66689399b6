"""Messages for users: short, printable, without an error number, and with a way out that fits what is wrong."""

import errno
import os
from pathlib import Path

import pytest

from abacad.errors import FULL, AbacadError, CadenceError, NoCadenceError, brief, plain_name, unreadable, unwritable


def system(number: int, path: str = "x") -> OSError:
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("one  two\n\tthree ", "one two three"), ("", ""), ("\n \n", ""), ("x" * 10, "x" * 10),
        ("x" * 11, "x" * 9 + "…"), ("a\u00a0b", "a b"),
    ],
)  # fmt: skip
def test_a_message_of_others_is_folded_into_a_line_of_a_length(message, told):
    assert brief(message, 10) == told or len(told) > 10
    assert len(brief(message, 10)) <= 10
    assert "\n" not in brief(message * 50)
    assert len(brief(message * 500)) <= 240


def test_a_name_that_is_no_utf8_can_be_printed_and_written():
    name = plain_name(os.fsdecode(b"bad\xff.npy"))
    assert name == "bad\\udcff.npy"
    name.encode("utf-8")
    assert plain_name(Path("Nançay/σ.npy")) == "Nançay/σ.npy"
    assert plain_name("a") == plain_name(Path("a")) == "a"
    assert plain_name(3) == "3"


def test_a_cadence_that_is_missing_is_one_that_cannot_be_used_and_that_is_a_mistake_of_the_input():
    assert issubclass(NoCadenceError, CadenceError)
    assert issubclass(CadenceError, AbacadError)
    assert not issubclass(AbacadError, (ValueError, OSError))  # what catches those must not swallow it


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.EACCES, "Permission denied"), (errno.EISDIR, "Is a directory"), (errno.ENOENT, "No such")],
)
def test_what_cannot_be_read_is_a_sentence_with_the_file_and_no_number(number, said):
    told = unreadable(Path("data/a.npy"), system(number))
    assert told.startswith("data/a.npy cannot be read: ")
    assert said in told
    assert told.endswith(".")
    assert "Errno" not in told


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "Make room and repeat the command"), (errno.EDQUOT, "Make room and repeat the command"),
        (errno.EFBIG, "ulimit -f"), (errno.EACCES, "Choose another place, or change its rights"),
        (errno.EROFS, "Choose another place"),
    ],
)  # fmt: skip
def test_a_full_disk_and_missing_rights_have_other_ways_out(number, way_out):
    told = str(unwritable(Path("runs/a"), system(number)))
    assert "runs/a" in told
    assert way_out in told
    assert len(told.splitlines()) == 2


def test_an_error_without_a_text_is_told_by_its_type():
    assert "PermissionError" in unreadable("a", PermissionError())
    assert "a wall" in unreadable("a", OSError("a wall"))


def test_a_text_of_the_system_that_is_long_is_cut():
    assert len(unreadable("a", OSError(errno.EIO, "long " * 100))) < 200


def test_all_ways_of_being_full_are_told_as_such():
    assert set(FULL) == {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    assert all("cannot be written:" not in str(unwritable("a", system(number))) for number in FULL)
