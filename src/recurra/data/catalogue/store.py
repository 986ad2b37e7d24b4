"""Where benchmark data sets lie on this machine, and fetching them from their public source."""

import os
from pathlib import Path

from recurra.data.catalogue.entries import DataSet, data_set
from recurra.data.catalogue.verification import Verification, place_of, verify_in
from recurra.errors import ChecksumError, DataSetNotFound

ENVIRONMENT = "RECURRA_DATA_DIR"

_verified: set[tuple[Path, str]] = set()


def data_folder() -> Path:
    """The folder of all data sets: RECURRA_DATA_DIR if it is set (only ever read), else a cache of this user."""
    given = os.environ.get(ENVIRONMENT)
    if given:
        return Path(given)
    import pooch

    return Path(pooch.os_cache("recurra"))


def verify(name: str) -> Verification:
    """Every file of a data set held against its published checksum.

    Raises:
        ConfigError: for an unknown name.
    """
    return verify_in(data_set(name), data_folder())


def locate(name: str) -> Path:
    """Where a data set lies: its file if it has one, else its folder. Nothing is fetched or written.

    Files are held against their checksums the first time in a process.

    Raises:
        ConfigError: for an unknown name.
        DataSetNotFound: if files are missing; says how to get them.
        ChecksumError: if files are not as published.
    """
    entry, folder = data_set(name), data_folder()
    if (folder, name) not in _verified:
        _require(entry, verify_in(entry, folder))
        _verified.add((folder, name))
    if len(entry.files) > 1:
        return folder / entry.folder
    return place_of(entry, entry.files[0], folder / entry.folder)


def fetch(name: str) -> Path:
    """Fetch what is missing of a data set from its public source, checked by SHA-256, and say where it lies.

    With RECURRA_DATA_DIR set nothing is fetched: the folder is verified, never written.

    Raises:
        ConfigError: for an unknown name.
        DataSetNotFound: for a set that is fetched by hand and not there, without a network, and if RECURRA_DATA_DIR
            is set and lacks files.
        ChecksumError: if a fetched file, or one that is there, is not as published.
    """
    entry = data_set(name)
    if not os.environ.get(ENVIRONMENT) and entry.how == "single files":
        found = verify(name)
        _refuse_changed(entry, found)
        for file in entry.files:
            if file.path in found.missing and file.url is not None:
                _download(file.url, file.sha256, found.folder / file.path)
    return locate(name)


def _download(url: str, sha256: str, place: Path) -> None:
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=place.name, path=place.parent)
    except ValueError as error:
        raise ChecksumError(f"{url} is not the published file any more: {error}") from error
    except Exception as error:  # pooch lets through whatever its downloader raises
        raise DataSetNotFound(
            f"{url} cannot be fetched ({type(error).__name__}); check the network, put the file at {place}, "
            f"or set {ENVIRONMENT} to a folder that has it"
        ) from error


def _require(entry: DataSet, found: Verification) -> None:
    _refuse_changed(entry, found)
    if not found.missing:
        return
    some = found.missing[0] + (f" and {len(found.missing) - 1} more" if len(found.missing) > 1 else "")
    if entry.how == "by hand":
        remedy = f"{entry.by_hand}; put it into {found.folder}"
    elif os.environ.get(ENVIRONMENT):
        remedy = f"put it there (it is published at {entry.files[0].url}), or unset {ENVIRONMENT} to fetch it"
    else:
        remedy = f"fetch it: recurra data fetch {entry.name}"
    raise DataSetNotFound(f"data set {entry.name!r}: {some} is not in {found.folder}; {remedy}")


def _refuse_changed(entry: DataSet, found: Verification) -> None:
    if found.changed:
        raise ChecksumError(
            f"data set {entry.name!r}: {found.folder / found.changed[0]} is not the published file; "
            "remove it and get it again"
        )
