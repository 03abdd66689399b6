"""The review verb: one page, or a server of it; every option reaches what it is for."""

import pytest

from abacad.show.server import Address
from tests.cli.calls import instead, refused, told


def test_a_page_of_a_run(run_folder, shared_competition, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "review", tmp_path / "r.html")
    words = ["--out", tmp_path / "r.html", "--shown", 5, "--of", "oof", "--data", shared_competition, "--blind", 0.1]
    said = told(capsys, "review", run_folder, *words, "--seed", 4, "--evidence", "false", "--accelerator", "cpu")
    assert called.positional == (run_folder,)
    assert called.named == {
        "out": tmp_path / "r.html", "shown": 5, "of": "oof", "data": shared_competition, "files": [], "weights": None,
        "evidence": False, "blind": 0.1, "seed": 4, "accelerator": "cpu", "progress": False,
        "listen": None,
    }  # fmt: skip
    assert {"wrote": "page", "path": str(tmp_path / "r.html")} in said
    assert any("c candidate" in row.get("note", "") for row in said)


def test_a_server_gets_where_to_listen_as_well(run_folder, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "review", tmp_path / "r.sqlite")
    words = [
        "--out",
        tmp_path / "r.html",
        "--serve",
        "--host",
        "0.0.0.0",
        "--port",
        0,
        "--token",
        "long-enough-a-token",
    ]
    said = told(capsys, "review", run_folder, *words)
    assert called.named["listen"] == Address("0.0.0.0", 0, "long-enough-a-token")
    assert said[0] == {"wrote": "verdicts", "path": str(tmp_path / "r.sqlite")}
    assert "--data.verdicts" in said[1]["next"]


def test_elsewhere_than_here_a_server_needs_a_token(run_folder, tmp_path, monkeypatch, capsys):
    called = instead(monkeypatch, "review", None)
    assert "token" in refused(capsys, "review", run_folder, "--serve", "--host", "0.0.0.0")
    assert called.times == 0


@pytest.mark.parametrize(
    "words", [["gone"], [".", "--files", "gone.h5"], [".", "--weights", "gone"], [".", "--data", "gone"]]
)
def test_what_is_not_there_is_told_before_a_page_is_begun(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    called = instead(monkeypatch, "review", None)
    assert "gone" in refused(capsys, "review", *words)
    assert called.times == 0


def test_somebody_elses_page_stays(run_folder, tmp_path, capsys):
    (tmp_path / "mine.html").write_text("<html>mine</html>")
    assert "left as it is" in refused(capsys, "review", run_folder, "--out", tmp_path / "mine.html")
