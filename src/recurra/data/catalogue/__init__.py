"""Public benchmark data sets: what there is, where it lies, fetching it once, holding it against its checksums."""

from recurra.data.catalogue.entries import DataFile, DataSet, data_set, list_data_sets
from recurra.data.catalogue.forecasting import M4Weekly, load_cta_ridership, load_etth1, load_m4_weekly
from recurra.data.catalogue.market import load_sp500
from recurra.data.catalogue.speech import load_an4, load_fsdd
from recurra.data.catalogue.store import ENVIRONMENT, data_folder, fetch, locate, verify
from recurra.data.catalogue.trajectories import ETH_UCY_SCENES, EthUcyFold, load_eth_ucy, load_hurdat
from recurra.data.catalogue.translation import CmuDict, Multi30k, Pronunciations, load_cmudict, load_multi30k
from recurra.data.catalogue.verification import Verification

__all__ = [
    "ENVIRONMENT",
    "ETH_UCY_SCENES",
    "CmuDict",
    "DataFile",
    "DataSet",
    "EthUcyFold",
    "M4Weekly",
    "Multi30k",
    "Pronunciations",
    "Verification",
    "data_folder",
    "data_set",
    "fetch",
    "list_data_sets",
    "load_an4",
    "load_cmudict",
    "load_cta_ridership",
    "load_eth_ucy",
    "load_etth1",
    "load_fsdd",
    "load_hurdat",
    "load_m4_weekly",
    "load_multi30k",
    "load_sp500",
    "locate",
    "verify",
]
