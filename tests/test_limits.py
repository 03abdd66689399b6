from dataclasses import dataclass

import pytest

from abacad.errors import AbacadError
from abacad.limits import at_least, rising, within


@dataclass
class Part:
    share: float


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_both_bounds_are_allowed(share: float):
    within(Part(share), "part", share=(0, 1))


@pytest.mark.parametrize("share", [-1e-9, 1.0001, float("nan"), float("inf")])
def test_what_is_outside_is_named_with_its_section_and_the_reason(share: float):
    with pytest.raises(AbacadError) as error:
        within(Part(share), "part", "A share is part of a whole.", share=(0, 1))
    first, second = str(error.value).splitlines()
    assert first.startswith("part.share is ")
    assert first.endswith("between 0 and 1.")
    assert second == "A share is part of a whole."


def test_a_field_of_no_section_stands_by_its_own_name():
    with pytest.raises(AbacadError, match=r"^share is 2; it must lie between 0 and 1\.$"):
        within(Part(2), "", share=(0, 1))


@pytest.mark.parametrize("value", [0.99, float("nan"), float("inf")])
def test_a_least_value_refuses_less_and_what_is_no_number(value: float):
    at_least("rows", 1.0, 1.0, "One row is enough.")
    with pytest.raises(AbacadError, match="rows is"):
        at_least("rows", value, 1.0, "One row is enough.")


@pytest.mark.parametrize("values", [(2.0, 1.0), (0.4, 1.0), (1.0, float("inf")), (float("nan"), 1.0)])
def test_a_range_rises_and_begins_at_its_least(values: tuple[float, float]):
    rising("snr", (0.5, 0.5), 0.5, "An SNR is positive.")
    with pytest.raises(AbacadError, match="snr is"):
        rising("snr", values, 0.5, "An SNR is positive.")
