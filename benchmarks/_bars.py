"""When a bar is judged: only once every run that it asks for is there. And which parts have no run at all."""

from collections.abc import Collection, Iterable


def met(good: bool) -> str:
    """A verdict in a word."""
    return "met" if good else "missed"


def pending(wanted: Iterable[str], there: Collection[str], what: str = "seeds") -> str:
    """How many of the runs that a bar asks for are there, in words; empty once all are.

    Args:
        wanted: keys of the runs.
        there: keys of those that have been made.
        what: what one of them is called, in the plural.
    """
    keys = list(wanted)
    done = sum(key in there for key in keys)
    return "" if done == len(keys) else f"{done} of {len(keys)} {what} so far, so that no bar is judged yet"


def judged(good: bool, wanted: Iterable[str], there: Collection[str], what: str = "seeds") -> str:
    """The verdict, or what is missing for it."""
    return pending(wanted, there, what) or met(good)


def not_run(parts: Iterable[str]) -> list[str]:
    """The line, after an empty one, that lists the parts that have no run; nothing if there are none."""
    titles = list(parts)
    return ["", f"Not run: {'; '.join(titles)}."] if titles else []
