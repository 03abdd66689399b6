"""A run's own log: written while its block runs, and never a reason to stop."""

import logging

from abacad.learn.run_log import logging_to


def test_the_log_goes_into_the_file_while_the_block_runs(tmp_path, monkeypatch):
    # pytest would carry the broken character from process to process, and cannot
    monkeypatch.setattr(logging.getLogger("abacad"), "propagate", False)
    logger, path = logging.getLogger("abacad"), tmp_path / "new" / "log.txt"
    logger.setLevel(logging.WARNING)
    with logging_to(path):
        logging.getLogger("abacad.learn").info("in the block \udcff")
    logging.getLogger("abacad.learn").info("after it")
    assert logger.level == logging.WARNING
    assert logger.handlers == []
    (line,) = path.read_text().splitlines()
    assert line.endswith("INFO abacad.learn: in the block \\udcff")


def test_a_full_disk_costs_lines_of_the_log_and_nothing_else(tmp_path, monkeypatch, capsys):
    def full(self, record):
        self.handleError(record)

    monkeypatch.setattr(logging.FileHandler, "emit", full)
    with logging_to(tmp_path / "log.txt"):
        logging.getLogger("abacad").warning("lost")
    assert capsys.readouterr().err == ""
