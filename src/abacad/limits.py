"""Refuses values that are outside what can be, each by its name in the recipe or on the command line."""

from abacad.errors import AbacadError


def require(holds: bool, message: str) -> None:
    """Raise an `AbacadError` with this message unless a condition holds."""
    if not holds:
        raise AbacadError(message)


# The first three by position only, so that a field may be called `part` or `why` as well.
def within(part: object, section: str, why: str = "", /, **bounds: tuple[float, float]) -> None:
    """Refuse fields that are outside their bounds; both bounds are allowed, NaN is refused.

    Args:
        part: The dataclass whose fields are compared.
        section: Its name in the recipe, which the message puts before that of the field; may be empty.
        why: A second line of the message: the reason for the bounds, or the way out.
        bounds: Lowest and highest value by the name of the field: `folds=(2, 100)`.

    Raises:
        AbacadError: a field is outside its bounds.
    """
    for field, (low, high) in bounds.items():
        value = getattr(part, field)
        name = f"{section}.{field}" if section else field
        # NaN compares as false with everything, and so is refused without being asked for
        require(low <= value <= high, f"{name} is {value}; it must lie between {low:g} and {high:g}.\n{why}".rstrip())


def at_least(name: str, value: float, least: float, why: str) -> None:
    """Refuse a value below the least one that can be, infinity and NaN."""
    require(least <= value < float("inf"), f"{name} is {value:g}; it must be {least:g} or more.\n{why}")


def rising(name: str, values: tuple[float, float], least: float, why: str) -> None:
    """Refuse a range, lowest and highest value, that falls or begins below the least value that can be."""
    low, high = values
    require(
        least <= low <= high < float("inf"),
        f"{name} is {low:g} to {high:g}; it must rise, and begin at {least:g} or above.\n{why}",
    )
