"""A trained recogniser as an answering object: recordings in, texts with word times and confidences out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from recurra.data.audio import Alphabet, FeatureExtractor
from recurra.data.audio.inputs import Input
from recurra.data.audio.recording import Recording
from recurra.models.acoustic import CtcNetwork
from recurra.prediction.acoustic import AcousticPredictor
from recurra.prediction.speech_decoding import Decoding, decode
from recurra.prediction.transcript import Transcript, words_of
from recurra.shapes import Tensor


class SpeechPredictor(AcousticPredictor[CtcNetwork]):
    """Answers with texts.

    Args:
        extractor: the features that the network was trained on.
        network: the trained network; a float64 copy is made.
        alphabet: the units that its outputs stand for.
    """

    network_type = CtcNetwork

    def __init__(self, extractor: FeatureExtractor, network: CtcNetwork, alphabet: Alphabet) -> None:
        super().__init__(extractor, network)
        self.alphabet = alphabet

    @property
    def step_s(self) -> float:
        """Seconds from one step of the network to the next."""
        return self.spec.frame_s * self.network.front_end.stride

    @torch.inference_mode()
    def log_probabilities(self, inputs: Sequence[Input]) -> list[npt.NDArray[np.float64]]:
        """Log probabilities of the units at every step of each input, [steps, units]; unit 0 is the blank."""
        found: list[npt.NDArray[np.float64]] = [np.zeros((0, self.shape.n_outputs))] * len(inputs)
        for numbers, x, lengths in self._batches(inputs):
            scores, steps = self.network(x, lengths)
            for number, row, n in zip(numbers, scores, steps.tolist(), strict=True):
                found[number] = row[:n].numpy()
        return found

    def transcripts(self, inputs: Sequence[Input], decoding: Decoding | None = None) -> list[Transcript]:
        """What is said in each input.

        Args:
            inputs: recordings or feature matrices.
            decoding: how texts are searched for; the best path if None.
        """
        decoding = decoding or Decoding()
        answers = []
        for item, scores in zip(inputs, self.log_probabilities(inputs), strict=True):
            emissions = decode(scores, decoding, self.alphabet)
            text, words = words_of(emissions, self.alphabet, self.step_s)
            name, blemishes = (item.name, item.blemishes) if isinstance(item, Recording) else ("input", ())
            answers.append(Transcript(text, words, self.seconds(item), name, blemishes))
        return answers

    def seconds(self, item: Input) -> float:
        """How long an input is."""
        return item.seconds if isinstance(item, Recording) else len(item) * self.spec.hop_s

    def to_config(self) -> dict[str, Any]:
        """Plain values for a model folder."""
        return {**super().to_config(), "alphabet": self.alphabet.to_config()}

    @classmethod
    def from_saved(cls, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "SpeechPredictor":
        """The predictor that was saved."""
        return cls(*cls.parts_from_saved(config, tensors), Alphabet.from_saved(config["alphabet"]))
