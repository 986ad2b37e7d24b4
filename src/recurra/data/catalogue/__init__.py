"""Public benchmark data sets: what there is, where it lies, fetching it once, holding it against its checksums."""

from recurra.data.catalogue.entries import DataFile, DataSet, data_set, list_data_sets
from recurra.data.catalogue.forecasting import M4Weekly, load_cta_ridership, load_etth1, load_m4_weekly
from recurra.data.catalogue.market import load_sp500
from recurra.data.catalogue.store import ENVIRONMENT, data_folder, fetch, locate, verify
from recurra.data.catalogue.verification import Verification

__all__ = [
    "ENVIRONMENT",
    "DataFile",
    "DataSet",
    "M4Weekly",
    "Verification",
    "data_folder",
    "data_set",
    "fetch",
    "list_data_sets",
    "load_cta_ridership",
    "load_etth1",
    "load_m4_weekly",
    "load_sp500",
    "locate",
    "verify",
]
