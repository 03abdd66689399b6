"""The one error that users meet: what is wrong, and the way out; and other libraries' messages made short."""


class AbacadError(Exception):
    """A mistake in the input or the recipe, told so that the user can mend it.

    The message has at most three lines: what is wrong (with the file, id or key by name), then the way out. The
    command line prints it without a traceback and exits with status 2.
    """


class CadenceError(AbacadError):
    """One cadence cannot be used; the message names it by its id."""


def brief(message: str, limit: int = 240) -> str:
    """Another library's message folded into one short line, to stand in ours."""
    text = " ".join(message.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
