"""Refuses a layer's or cell's constructor arguments in torch.nn's words."""

import numbers
import warnings

from recurra.errors import ConfigError, DtypeError
from recurra.kernels import check_backend_name


def check_sizes(input_size: int, hidden_size: int) -> None:
    """Refuse sizes that are not whole numbers above zero.

    Raises:
        DtypeError: a TypeError, if one is not an int.
        ConfigError: if one is not above zero.
    """
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        _check_int(name, size)
        if size <= 0:
            raise ConfigError(f"{name} must be greater than zero")


def _check_int(name: str, number: object) -> None:
    if not isinstance(number, int) or isinstance(number, bool):
        raise DtypeError(f"{name} should be of type int, got: {type(number).__name__}")


def check_flag(name: str, flag: bool) -> bool:
    """The flag, if it is one.

    Raises:
        DtypeError: a TypeError, if it is not a bool.
    """
    if not isinstance(flag, bool):
        raise DtypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
    return flag


def check_layer(
    num_layers: int, bias: bool, batch_first: bool, dropout: object, proj_size: int, hidden_size: int, backend: str
) -> None:
    """Refuse what does not make a stack of layers; warn where dropout would do nothing.

    Raises:
        DtypeError: a TypeError, if a flag is not a bool or a count not an int.
        ConfigError: if a number is out of range, or there is no such backend.
    """
    if isinstance(dropout, bool) or not isinstance(dropout, numbers.Real) or not 0 <= float(dropout) <= 1:
        raise ConfigError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    for name, flag in (("bias", bias), ("batch_first", batch_first)):
        check_flag(name, flag)
    for name, count in (("num_layers", num_layers), ("proj_size", proj_size)):
        _check_int(name, count)
    if num_layers <= 0:
        raise ConfigError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ConfigError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ConfigError("proj_size has to be smaller than hidden_size")
    check_backend_name(backend)
    if float(dropout) > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
            f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
