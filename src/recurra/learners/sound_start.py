"""Weights that a recogniser begins with: those of another recogniser, or of a classifier of its units."""

from collections.abc import Sequence
from typing import Any

import torch

from recurra.errors import ConfigError
from recurra.models.acoustic import ClassifierNetwork, CtcNetwork


def begin_with(network: CtcNetwork, units: Sequence[str], learner: Any) -> None:
    """Lay the weights of another network into a new one.

    The front end and the recurrent layers are taken over whole. So are the output's weights of every unit that the
    other one knows too, if it reads its classes from the last state alone, or from every step as this one does; the
    blank of a classifier, and units that are new, begin at zero.

    Args:
        network: the new network; unit 0 is the blank.
        units: its other units.
        learner: a fitted `SequenceClassifier` or `SpeechRecognizer`.

    Raises:
        ConfigError: it is not fitted, or its sizes differ.
    """
    other = getattr(learner, "network_", None)
    if not isinstance(other, ClassifierNetwork | CtcNetwork):
        raise ConfigError("start_from should be a fitted SequenceClassifier or SpeechRecognizer")
    try:
        network.front_end.load_state_dict(other.front_end.state_dict())
        network.recurrent.load_state_dict(other.recurrent.state_dict())
    except RuntimeError as error:
        raise ConfigError(
            f"start_from has layers of other sizes: {str(error).splitlines()[-1].strip()}; give both learners the same "
            "features, cell, hidden_size, num_layers, bidirectional, channels and strides"
        ) from None
    if other.head.in_features != network.head.in_features:
        return
    if isinstance(other, CtcNetwork):
        known = {"": 0, **{unit: i for i, unit in enumerate(learner.alphabet_.symbols, 1)}}
    else:
        known = {str(label): i for i, label in enumerate(learner.classes_)} if other.shape.pooling == "last" else {}
    with torch.no_grad():
        for own, row in ((network.head.weight, other.head.weight), (network.head.bias, other.head.bias)):
            own.zero_()
            for i, unit in enumerate(("", *units)):
                if unit in known:
                    own[i] = row[known[unit]]
