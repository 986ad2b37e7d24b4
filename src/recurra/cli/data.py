"""recurra data: the benchmark data sets of the catalogue, listed, fetched, verified and located."""

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import print_json, say
from recurra.cli.app import FAILED, OK
from recurra.data.catalogue import DataSet, Verification, data_folder, list_data_sets, locate
from recurra.data.catalogue import fetch as fetch_set
from recurra.data.catalogue import verify as verify_set
from recurra.data.catalogue.verification import place_of
from recurra.errors import ConfigError


def list_sets(*, common: Common = NO_FLAGS) -> None:
    """List the benchmark data sets: source, licence, and whether they are at hand.

    Args:
        common: Flags that every verb has.
    """
    entries = [_described(entry) for entry in list_data_sets()]
    if common.json:
        print_json({"folder": data_folder(), "data_sets": entries})
        return
    print(f"data folder: {data_folder()}")
    for entry in entries:
        at_hand = "at hand" if entry["present"] == entry["files"] else f"{entry['present']} of {entry['files']} files"
        print(f"\n{entry['name']}  ({at_hand}; {entry['how']})")
        for name in ("description", "source", "licence", "citation"):
            print(f"  {name:<12} {entry[name]}")


def fetch(*names: str, common: Common = NO_FLAGS) -> int:
    """Fetch data sets once from their public source, and check them.

    Args:
        names: Data sets, as `recurra data list` names them.
        common: Flags that every verb has.
    """
    _refuse_none(names)
    found: dict[str, object] = {}
    for name in names:
        say(f"fetching {name} ...")
        found[name] = fetch_set(name)
    _print_places(found, common)
    return OK


def verify(*names: str, common: Common = NO_FLAGS) -> int:
    """Check the SHA-256 of every file of data sets: of all that are at hand, if none is named.

    Args:
        names: Data sets, as `recurra data list` names them.
        common: Flags that every verb has.
    """
    results = [verify_set(name) for name in names or [entry.name for entry in list_data_sets()]]
    if not names:
        results = [found for found in results if found.ok or found.changed]
    if common.json:
        print_json({found.name: {**vars(found), "complete": found.complete} for found in results})
    else:
        for found in results:
            _print_verification(found)
    return OK if all(found.complete for found in results) else FAILED


def path(name: str | None = None, /, *, common: Common = NO_FLAGS) -> None:
    """Print where a data set lies, after checking it; or the folder of all of them.

    Args:
        name: A data set, as `recurra data list` names it.
        common: Flags that every verb has.
    """
    place = locate(name) if name else data_folder()
    if common.json:
        print_json({"name": name, "path": place})
    else:
        print(place)


def _described(entry: DataSet) -> dict[str, object]:
    folder = data_folder() / entry.folder
    return {
        "name": entry.name,
        "description": entry.description,
        "source": f"{entry.source} at {entry.commit}" if entry.commit else entry.source,
        "how": entry.how,
        "licence": entry.licence,
        "citation": entry.citation,
        "files": len(entry.files),
        "present": sum(place_of(entry, file, folder).is_file() for file in entry.files),
    }


def _refuse_none(names: tuple[str, ...]) -> None:
    if not names:
        known = ", ".join(entry.name for entry in list_data_sets())
        raise ConfigError(f"name a data set to fetch: {known}")


def _print_verification(found: Verification) -> None:
    print(found)
    for what, files in (("missing", found.missing), ("changed", found.changed)):
        for file in files[:5]:
            print(f"  {what} {file}")
        if len(files) > 5:
            print(f"  and {len(files) - 5} more {what}")


def _print_places(found: dict[str, object], common: Common) -> None:
    if common.json:
        print_json(found)
        return
    for place in found.values():
        print(place)
