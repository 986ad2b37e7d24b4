"""The flags that every verb has."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Flags that every verb has."""

    json: Annotated[bool, Parameter(help="Result as JSON, progress as JSON lines.", show_default=False)] = False
    debug: Annotated[bool, Parameter(help="Show the traceback of an error.", show_default=False)] = False


NO_FLAGS = Common()
