"""Weights that a recogniser begins with: those of another recogniser, or of a classifier of its units."""

from collections.abc import Sequence
from typing import Any

import torch

from recurra.data.audio import FeatureSpec
from recurra.errors import ConfigError
from recurra.models.acoustic import ClassifierNetwork, CtcNetwork


def begin_with(network: CtcNetwork, spec: FeatureSpec, units: Sequence[str], learner: Any) -> None:
    """Lay the weights of another network into a new one.

    The front end and the recurrent layers are taken over whole. So are the output's weights of every unit that the
    other one knows too, if it is a recogniser, or a classifier that reads its classes from the last state alone; units
    that are new, and the blank after a classifier, then begin at zero. Where no unit is known, or the output reads
    other features, its weights stay as they were drawn.

    Args:
        network: the new network; unit 0 is the blank.
        spec: its features.
        units: its other units.
        learner: a fitted `SequenceClassifier` or `SpeechRecognizer`.

    Raises:
        ConfigError: it is not fitted, or its features or sizes differ.
    """
    other = getattr(learner, "network_", None)
    if not isinstance(other, ClassifierNetwork | CtcNetwork):
        raise ConfigError("start_from should be a fitted SequenceClassifier or SpeechRecognizer")
    _check_features(spec, learner._predictor.spec)
    try:
        network.front_end.load_state_dict(other.front_end.state_dict())
        network.recurrent.load_state_dict(other.recurrent.state_dict())
    except RuntimeError as error:
        raise ConfigError(
            f"start_from has layers of other sizes: {str(error).splitlines()[-1].strip()}; give both learners the same "
            "cell, hidden_size, num_layers, bidirectional, channels and strides"
        ) from None
    known = _known(other, learner)
    if known.keys() & set(units) and other.head.in_features == network.head.in_features:
        _begin_output(network, other, ("", *units), known)


def _check_features(spec: FeatureSpec, other: FeatureSpec) -> None:
    ours, theirs = spec.to_config(), other.to_config()
    apart = [f"{name} {theirs[name]!r} rather than {ours[name]!r}" for name in ours if ours[name] != theirs[name]]
    if apart:
        raise ConfigError(f"start_from reads other features: {', '.join(apart)}; give both learners the same")


def _known(other: ClassifierNetwork | CtcNetwork, learner: Any) -> dict[str, int]:
    """The units that the other one's output has a row for, each with its row."""
    if isinstance(other, CtcNetwork):
        return {unit: i for i, unit in enumerate(("", *learner.alphabet_.symbols))}
    return {str(label): i for i, label in enumerate(learner.classes_)} if other.shape.pooling == "last" else {}


@torch.no_grad()
def _begin_output(
    network: CtcNetwork, other: ClassifierNetwork | CtcNetwork, units: Sequence[str], known: dict[str, int]
) -> None:
    for own, row in ((network.head.weight, other.head.weight), (network.head.bias, other.head.bias)):
        own.zero_()
        for i, unit in enumerate(units):
            if unit in known:
                own[i] = row[known[unit]]
