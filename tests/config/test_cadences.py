"""The parts of a recipe on cadences: what no run can mean is refused by its key; what is left out is as usual."""

import pytest

from abacad.config import REPRESENTATIONS, Augment, Data, Represent
from abacad.errors import AbacadError
from abacad.represent.representation import Representation, representation


@pytest.mark.parametrize(
    ("only", "wanted"), [(None, [0, 1, 2]), (1, [1]), (0, [0]), ((2, 0), [0, 2]), ((1, 1), [1]), ((2,), [2])]
)
def test_folds_that_are_wanted_come_in_order_and_once(only, wanted):
    assert Data(folds=3, only=only).wanted() == wanted


@pytest.mark.parametrize("only", [3, -1, (0, 3), (-1,)])
def test_a_fold_that_is_not_there_is_told_with_those_that_are(only):
    with pytest.raises(AbacadError, match=r"data\.only names fold -?\d; the folds are 0 to 2"):
        Data(folds=3, only=only)


def test_a_run_of_no_fold_is_none():
    with pytest.raises(AbacadError, match=r"data\.only names no fold"):
        Data(only=())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"folds": 1}, "data.folds is 1; it must lie between 2 and 100"),
        ({"folds": 101}, "data.folds is 101"),
        ({"simulated": -1}, "data.simulated is -1"),
        ({"workers": 257}, "data.workers is 257"),
        ({"workers": -1}, "data.workers is -1"),
        ({"labelled": False}, "data.simulated must be above 0"),
    ],
)
def test_data_that_no_run_can_have_are_refused_by_their_key(values, said):
    with pytest.raises(AbacadError) as told:
        Data(**values)
    assert said in str(told.value)


def test_the_bounds_themselves_are_allowed():
    assert Data(folds=2, workers=0, simulated=1, labelled=False).workers == 0
    assert Data(folds=100, workers=256).folds == 100
    assert Represent(rows=10_000).rows == 10_000
    assert Augment(mixup=100, mixup_off=1.0, shift=0.0).mixup == 100


@pytest.mark.parametrize("kind", REPRESENTATIONS)
def test_every_kind_is_made_by_the_class_that_its_name_promises(kind):
    made = representation(Represent(kind))
    assert isinstance(made, Representation)
    assert made.n_planes >= 1
    assert f"{type(made).__module__}:{type(made).__name__}" == REPRESENTATIONS[kind]


@pytest.mark.parametrize(
    ("kind", "rows", "summed"), [("binned", None, 7), ("tall", None, 1), ("binned", 1, 1), ("on", 3, 3)]
)
def test_rows_are_summed_as_asked_or_as_is_usual_for_the_kind(kind, rows, summed):
    assert Represent(kind, rows=rows).summed_rows == summed


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "diffrence"}, "represent.kind is 'diffrence'; it must be one of difference, on"),
        ({"rows": 0}, "represent.rows is 0"),
        ({"rows": 10_001}, "represent.rows is 10001"),
        ({"views": ()}, "represent.views is empty"),
        ({"views": ("clean", "clean")}, "represent.views names a view twice"),
    ],
)
def test_representations_that_cannot_be_are_refused_by_their_key(values, said):
    with pytest.raises(AbacadError) as told:
        Represent(**values)
    assert said in str(told.value)


@pytest.mark.parametrize("name", ["horizontal_flip", "vertical_flip", "shift", "time_shift", "freq_shift", "mixup_off"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_probability_or_share_lies_between_0_and_1(name, value):
    with pytest.raises(AbacadError, match=rf"augment\.{name} is {value}; it must lie between 0 and 1"):
        Augment(**{name: value})
