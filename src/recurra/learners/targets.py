"""What a forecaster's settings and its table must agree on before anything is learned."""

from recurra.data.series import SeriesTable
from recurra.learners.schema import ForecasterConfig
from recurra.models.forecast import check_options
from recurra.prediction.support import check_support


def check_target(table: SeriesTable, config: ForecasterConfig) -> None:
    """Refuse values that the output's distribution gives no probability, and options that the layer does not have.

    Raises:
        BadValueError: naming the first row, its column and what to do.
        ConfigError: for an option of the layer.
    """
    check_options(config.cell, config.cell_options or {}, config.hidden_size)
    check_support(table, config.output)
