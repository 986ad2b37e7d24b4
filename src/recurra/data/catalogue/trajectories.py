"""The trajectory sets of the catalogue as tables of tracks."""

from typing import NamedTuple

from recurra.data.catalogue.store import locate
from recurra.data.tracks import TrackTable, read_hurdat, read_pedestrians
from recurra.errors import ConfigError

ETH_UCY_SCENES = ("eth", "hotel", "univ", "zara1", "zara2")


class EthUcyFold(NamedTuple):
    """One fold of ETH/UCY: the scene that is left out, and the others cut in time.

    Attributes:
        train: the first part of the other scenes.
        validation: their last part.
        test: the scene left out.
    """

    train: TrackTable
    validation: TrackTable
    test: TrackTable


def load_eth_ucy(scene: str) -> EthUcyFold:
    """Pedestrians from above, in metres, 0.4 seconds apart; the fold that tests on `scene`.

    Raises:
        ConfigError: for an unknown scene.
        DataSetNotFound, ChecksumError: as for `locate`.
    """
    if scene not in ETH_UCY_SCENES:
        raise ConfigError(f"there is no scene {scene!r}; the scenes are {', '.join(ETH_UCY_SCENES)}")
    folder = locate("eth_ucy") / scene
    return EthUcyFold(*(read_pedestrians(sorted((folder / part).glob("*.txt"))) for part in ("train", "val", "test")))


def load_hurdat() -> TrackTable:
    """Atlantic hurricanes 1851 to 2019, in degrees and kilometres: the 6-hourly fixes with wind and pressure.

    Raises:
        DataSetNotFound, ChecksumError: as for `locate`.
    """
    return read_hurdat(locate("hurdat"))
