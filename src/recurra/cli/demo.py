"""recurra demo: train on real data from a public wheel, score beside the naive rules, draw the forecasts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import print_json, say
from recurra.errors import MissingExtraError, OutputFolderError

FOLDS = 8


@dataclass(frozen=True)
class Sample:
    """A real data set inside a wheel, and how it is forecast.

    Args:
        name: file name of its plot.
        title: what it is.
        unit: of its values.
        load: gives its table.
        settings: keywords of the Forecaster.
        shown: rows of history in the plot.
    """

    name: str
    title: str
    unit: str
    load: Callable[[], Any]
    settings: dict[str, Any]
    shown: int


def carbon_dioxide() -> Any:
    """Weekly CO2 at Mauna Loa, 1958-2001, with its 59 gaps (statsmodels; Keeling & Whorf 2004)."""
    from statsmodels.datasets import co2

    frame = co2.load_pandas().data.reset_index()
    frame.columns = ["ds", "co2"]
    return frame


def sunspots() -> Any:
    """Yearly sunspot numbers, 1700-2008 (statsmodels; NOAA)."""
    from statsmodels.datasets import sunspots as numbers

    frame = numbers.load_pandas().data
    return frame.assign(YEAR=frame["YEAR"].astype(int))


SAMPLES = (
    Sample(
        "co2",
        "CO2 at Mauna Loa, weekly",
        "ppm",
        carbon_dioxide,
        {"horizon": 13, "unique_id": None, "y": "co2", "missing": "mask", "max_seconds": 70},
        104,
    ),
    Sample(
        "sunspots",
        "Sunspot number, yearly",
        "",
        sunspots,
        {"horizon": 5, "unique_id": None, "ds": "YEAR", "y": "SUNACTIVITY", "season": 11, "max_seconds": 30},
        60,
    ),
)


def demo(*, out: Path = Path("demo"), image: Literal["png", "svg"] = "png", common: Common = NO_FLAGS) -> None:
    """Train, score and draw a forecast of real data.

    Two data sets that come with statsmodels: weekly CO2 at Mauna Loa, with its gaps, and yearly sunspot numbers. The
    last folds are held out; the network is trained once, on the rows before them. Takes about two minutes.

    Args:
        out: Folder for the plots.
        image: Kind of picture.
        common: Flags that every verb has.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFolderError(f"{out} cannot be made ({error.strerror}); choose another folder: --out") from error
    results = [run_sample(sample, out, image, common) for sample in SAMPLES]
    if common.json:
        print_json({result["name"]: result for result in results})


def run_sample(sample: Sample, out: Path, image: str, common: Common) -> dict[str, Any]:
    """Train on one sample, print its score table, draw its forecasts."""
    import numpy as np

    from recurra import Forecaster
    from recurra.data.columns import Columns, TablePolicy
    from recurra.data.series import SeriesTable
    from recurra.evaluation import backtest

    table = _load(sample)
    settings = sample.settings
    columns = Columns(None, settings.get("ds", "ds"), settings["y"])
    policy = TablePolicy(missing=settings.get("missing", "refuse"))
    series = SeriesTable.from_table(table, columns=columns, policy=policy)
    horizon = settings["horizon"]
    first = len(series) - FOLDS * horizon
    say(f"{sample.title}: {len(series)} rows; learning from the first {first}, the last {FOLDS} x {horizon} held out")
    begun = time.monotonic()
    model = Forecaster(**settings, progress="json" if common.json else "auto")
    model.fit(series.truncate(np.array([first])))
    season = settings.get("season") or series.frequency.season
    report = backtest(
        series,
        lambda _history: lambda known, _future: model.forecasts(known),
        horizon=horizon,
        levels=model.get_params()["quantiles"],
        folds=FOLDS,
        season=season,
        future_covariates=(),
    )
    hindcast = model.hindcast(series, since=first - 1)
    path = draw(sample, series, hindcast, out / f"{sample.name}.{image}")
    if not common.json:
        print(f"\n{sample.title}\n\n{report}\n\nplot: {path}\n", flush=True)
    return {
        "name": sample.name,
        "plot": str(path),
        "seconds": round(time.monotonic() - begun, 1),
        "report": report.to_dict(),
    }


def draw(sample: Sample, series: Any, hindcast: Any, path: Path) -> Path:
    """The forecasts of every fold as fans over what came, one after the other."""
    import numpy as np

    from recurra.plots import FanSeries, fan, save

    horizon = hindcast.quantiles.shape[1]
    origins = np.arange(0, FOLDS * horizon, horizon)
    first = len(series) - FOLDS * horizon
    history = slice(max(first - sample.shown, 0), first)
    picture = fan(
        FanSeries(
            history_ds=series.ds[history],
            history_y=series.y[history],
            ds=series.ds[first:],
            levels=hindcast.levels,
            quantiles=hindcast.quantiles[origins].reshape(FOLDS * horizon, -1),
            actual=series.y[first:],
            title=f"{sample.title}: {FOLDS} forecasts of {horizon} steps, each from the rows before it",
            unit=sample.unit,
            origins=series.ds[first + origins - 1],
        )
    )
    return save(picture, path)


def _load(sample: Sample) -> Any:
    try:
        return sample.load()
    except ImportError as error:
        raise MissingExtraError(
            f"the demo needs the package {error.name}: pip install 'recurra[plots,samples]'"
        ) from error
