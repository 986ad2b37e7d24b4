"""What predictors of sounds share: features and network as they were trained, in float64, saved and read as one."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch

from recurra.data.audio import FeatureExtractor, Recording
from recurra.data.audio.inputs import Input
from recurra.models.acoustic import AcousticShape, ClassifierNetwork, CtcNetwork
from recurra.prediction.fingerprint import fingerprint
from recurra.shapes import Tensor

Network = TypeVar("Network", ClassifierNetwork, CtcNetwork)
FRAMES_AT_ONCE = 40_000
SHIFT, SCALE = "features.shift", "features.scale"


class AcousticPredictor(Generic[Network]):
    """Features and a trained network.

    Answers are computed in float64, whatever the network was trained in, so that a stream and a whole
    recording agree far beyond what could change a text.

    Args:
        extractor: the features that the network was trained on.
        network: the trained network; a float64 copy is made.
    """

    network_type: ClassVar[Any]

    def __init__(self, extractor: FeatureExtractor, network: Network) -> None:
        self.extractor, self.spec = extractor, extractor.spec
        self.network: Network = copy.deepcopy(network).to(device="cpu", dtype=torch.float64).eval()
        self.network.recurrent.freeze()
        self.shape: AcousticShape = network.shape

    @property
    def fingerprint(self) -> str:
        """SHA-256 over configuration and weights: two predictors with one fingerprint answer alike."""
        return fingerprint(self.to_config(), self.to_tensors())

    def _batches(self, inputs: Sequence[Input]) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        """Numbers, features and lengths of inputs of about the same length, as many as fit into memory."""
        sizes = [len(i.samples) if isinstance(i, Recording) else len(i) for i in inputs]
        order = sorted(range(len(inputs)), key=lambda i: sizes[i])
        while order:
            longest = max(1, sizes[order[-1]] // (1 if self.spec.kind == "given" else self.spec.hop_samples))
            taken: list[int] = order[-max(1, FRAMES_AT_ONCE // longest) :]
            del order[len(order) - len(taken) :]
            x, lengths = self.extractor([inputs[i] for i in taken])
            yield taken, x, lengths

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return {"network": asdict(self.shape), "features": self.extractor.to_config()}

    def to_tensors(self) -> dict[str, Tensor]:
        """The weights, in the float32 they were trained in, and the features' mean and deviation in float64."""
        tensors = {name: tensor.to(torch.float32) for name, tensor in self.network.state_dict().items()}
        return {**tensors, SHIFT: self.extractor.shift, SCALE: self.extractor.scale}

    @classmethod
    def parts_from_saved(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> tuple[FeatureExtractor, Any]:
        """Features and network whose configuration and weights were saved."""
        values = config["network"]
        shape = AcousticShape(**{**values, "strides": tuple(values["strides"])})
        with torch.random.fork_rng(devices=[]):
            network = cls.network_type(shape)
        network.load_state_dict({name: tensor for name, tensor in tensors.items() if name not in (SHIFT, SCALE)})
        return FeatureExtractor.from_saved(config["features"], tensors[SHIFT], tensors[SCALE]), network


class ClassPredictor(AcousticPredictor[ClassifierNetwork]):
    """Answers with the probability of each class."""

    network_type = ClassifierNetwork

    @torch.inference_mode()
    def probabilities(self, inputs: Sequence[Input]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Class probabilities of each input, [inputs, classes]."""
        found = np.zeros((len(inputs), self.shape.n_outputs))
        for numbers, x, lengths in self._batches(inputs):
            found[numbers] = self.network(x, lengths).softmax(-1).numpy()
        return found

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "ClassPredictor":
        """The predictor that was saved."""
        return cls(*cls.parts_from_saved(config, tensors))
