"""Writing a figure to a file."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from recurra.errors import ConfigError, OutputFolderError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: "Figure", path: str | PathLike[str], dpi: int = 150) -> Path:
    """Write a figure; its folder is made if need be.

    Args:
        figure: what one of the functions of this room returned.
        path: where to; the ending says how: .png, .svg or .pdf.
        dpi: dots per inch of a .png.

    Returns:
        The path.

    Raises:
        ConfigError: if the ending is none of these.
        OutputFolderError: if the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ConfigError(f"{target.name!r} does not say what kind of picture to write; end it in .png, .svg or .pdf")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target, dpi=dpi)
    except OSError as error:
        raise OutputFolderError(f"cannot write {target}: {error.strerror or error}; choose another place") from error
    return target
