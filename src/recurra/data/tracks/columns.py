"""How a table of tracks names its columns, and what to do about its blemishes."""

from dataclasses import dataclass
from typing import Literal

from recurra.errors import ConfigError

_CHOICES = {
    "missing": ("refuse", "skip"),
    "unsorted": ("refuse", "sort"),
    "repeated": ("refuse", "first"),
    "jumps": ("flag", "cut", "refuse"),
}


@dataclass(frozen=True)
class TrackColumns:
    """Names of the columns of a table of fixes, one row per object and time.

    Attributes:
        object: who was seen; None if the table holds one object.
        time: when: numbers, or dates.
        x: coordinate to the east; the longitude in degrees if `geographic`.
        y: coordinate to the north; the latitude in degrees if `geographic`.
        features: further number columns that tell about an object at that time, such as a storm's wind.
        scene: objects of different scenes never see each other; None if the table is one scene.
        geographic: x and y are longitude and latitude.
        date_format: how times are written where they are text, as in `datetime.strptime`; None to find out.
        seconds_per_unit: of times that are numbers: 0.04 where they count frames of 25 a second.

    Raises:
        ConfigError: if a column has two roles, or a second has no length.
    """

    object: str | None = "object"
    time: str = "time"
    x: str = "x"
    y: str = "y"
    features: tuple[str, ...] = ()
    scene: str | None = None
    geographic: bool = False
    date_format: str | None = None
    seconds_per_unit: float = 1.0

    def __post_init__(self) -> None:
        named = [name for name in (self.object, self.time, self.x, self.y, self.scene) if name is not None]
        named += self.features
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ConfigError(f"column {twice[0]!r} has two roles; each column has one")
        if not self.seconds_per_unit > 0:
            raise ConfigError(f"seconds_per_unit must be above 0, not {self.seconds_per_unit}")


@dataclass(frozen=True)
class TrackPolicy:
    """What to do about the blemishes of a table of tracks; whatever is not declared here is refused.

    Attributes:
        missing: a row without a position is refused, or left out ("skip"): the track then has a longer step there,
            which the network sees.
        unsorted: rows of an object that go back in time are refused, or sorted ("sort").
        repeated: a second fix of an object at one time is refused, or the first is kept ("first").
        jumps: fixes that an object reached faster than `max_speed` are flagged in `TrackTable.jumps` and kept
            ("flag"), flagged and begin a new piece of the track ("cut"), or refused.
        max_speed: the fastest that an object moves, in units of length a second; None flags what is more than 20 times
            as fast as the fastest of 99 in 100 steps of the table.

    Raises:
        ConfigError: for an unknown word or a speed that is not above 0.
    """

    missing: Literal["refuse", "skip"] = "refuse"
    unsorted: Literal["refuse", "sort"] = "refuse"
    repeated: Literal["refuse", "first"] = "refuse"
    jumps: Literal["flag", "cut", "refuse"] = "flag"
    max_speed: float | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                known = ", ".join(map(repr, choices))
                raise ConfigError(f"{name}={getattr(self, name)!r} is unknown; use one of {known}")
        if self.max_speed is not None and not self.max_speed > 0:
            raise ConfigError(f"max_speed must be above 0 or None, not {self.max_speed}")
