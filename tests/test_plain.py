"""Plain data become dataclasses only where every value is what its field was declared as."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from abacad.errors import AbacadError
from abacad.plain import build


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    number: int = 1
    letter: Literal["a", "b"] = "a"
    size: int | None = None
    on: bool = True
    span: tuple[float, float] = (0.0, 1.0)
    inner: Inner = field(default_factory=Inner)


def test_what_fits_is_built():
    found = build(Outer, {"number": 3, "size": None, "span": [1, 2], "inner": {"rate": 1, "names": ["x"]}})
    assert found == Outer(3, span=(1.0, 2.0), inner=Inner(1.0, ("x",)))
    assert isinstance(found.inner.rate, float)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"number": True}, "number is True; it must be a whole number"), ({"number": 1.5}, "number"),
        ({"number": None}, "number"), ({"letter": "c"}, "letter is 'c'; it must be a or b"),
        ({"on": 1}, "true or false"),
        ({"size": "large"}, "a whole number or null"), ({"span": [1]}, "span has 1 values"), ({"span": 1}, "a list"),
        ({"inner": 5}, "inner"), ({"inner": {"rate": float("nan")}}, "inner.rate"),
        ({"inner": {"rate": 10**400}}, "inner.rate"),
        ({"inner": {"names": [1]}}, "inner.names"), ({"inner": {"nams": []}}, "Did you mean inner.names?"),
        ({"inner": {"names": ["x"] * 1001}}, "at most 1,000"), ([1], "not keys with values"), (None, "not keys"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(values, said):
    with pytest.raises(AbacadError) as caught:
        build(Outer, values)
    assert said in str(caught.value)
