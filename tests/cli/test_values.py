"""Values that do not fit their options are told without names of Python types."""

import pytest

from abacad.cli import main


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train", "x", "--optim.lr=fast"], "--optim.lr must be a number, not 'fast'."),
        (["train", "x", "--trainer.devices=1.5"], "--trainer.devices must be a whole number, not '1.5'."),
        (["train", "x", "--model.pretrained=maybe"], "--model.pretrained must be true or false, not 'maybe'."),
        (["train", "x", "--data.workers=1.5"], "--data.workers must be a whole number or null, not '1.5'."),
        (
            ["train", "x", "--data.only=first"],
            "--data.only must be a whole number or a list of whole numbers or null, not 'first'.",
        ),
        (["train", "x", "--inference.tta=5"], "--inference.tta must be a list, not '5'."),
        (["train", "x", "--inference.tta=[up]"], "--inference.tta is identity, horizontal, vertical, both, not 'up'."),
        (["simulate", "x", "--needles.drift_hz_s=[1]"], "--needles.drift_hz_s takes 2 values, not '[1]'."),
        (["score", "x", "--shown="], "--shown must be a whole number, not ''."),
        (["score", "\udcff.npy"], "files: a name holds bytes that are no UTF-8."),
        (["audit", "x", "--out"], "argument --out: expected one argument"),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_plain_words(words, told, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err.splitlines() == [f"abacad {words[0]}: {told}", "`--help` lists the options."]
