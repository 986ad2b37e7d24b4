"""Speech as it comes: chunks of samples in, the text so far out; a silence ends an utterance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from recurra.data.audio import FeatureStream, as_recording
from recurra.data.audio.matrices import as_matrix
from recurra.errors import AudioError, StreamingUnsupported
from recurra.models.acoustic import FrontEndStream
from recurra.models.forecast.layers import State
from recurra.prediction.endpoint import Endpoint, Loudness
from recurra.prediction.speech import SpeechPredictor
from recurra.prediction.speech_decoding import Decoding, UnitDecoder
from recurra.prediction.transcript import Transcript, Word, words_of

BLOCK_S = 0.04


@dataclass(frozen=True)
class Heard:
    """What a stream has heard.

    Attributes:
        text: text of the present utterance so far.
        words: its words; times count from the beginning of the stream.
        finished: utterances that ended in this chunk.
    """

    text: str
    words: tuple[Word, ...]
    finished: tuple[Transcript, ...]


class SpeechStream:
    """Runs a one-directional recogniser on chunks of any size.

    The text of an utterance equals that of `transcripts` for its samples. With an endpoint, features,
    state and text begin anew after each utterance, so memory is bounded however long the stream runs;
    audio is then worked on in pieces of 40 ms counted from its beginning, so that chunks of any
    size end utterances at the same sample; of given frames the level is not known, so that their
    units alone say when one ends. Without an endpoint, memory grows with the text alone.

    Args:
        predictor: the recogniser.
        decoding: how texts are searched for.
        endpoint: when an utterance ends; None for one utterance that ends at `finish`.
        sample_rate_hz: of the chunks; must be the model's.

    Raises:
        StreamingUnsupported: the network reads in both directions, or its features need the whole utterance.
        AudioError: the sample rate is not the model's.
    """

    def __init__(
        self,
        predictor: SpeechPredictor,
        decoding: Decoding | None = None,
        endpoint: Endpoint | None = None,
        sample_rate_hz: int | None = None,
    ) -> None:
        if predictor.shape.bidirectional:
            raise StreamingUnsupported("a bidirectional network needs the end first; fit with bidirectional=False")
        spec = predictor.spec
        if sample_rate_hz is not None and spec.kind != "given" and sample_rate_hz != spec.sample_rate_hz:
            raise AudioError(
                f"the audio has {sample_rate_hz} samples a second, this model streams {spec.sample_rate_hz}; "
                "record at that rate, or resample before"
            )
        self.predictor, self.decoding, self.endpoint = predictor, decoding or Decoding(), endpoint
        self._given = spec.kind == "given"
        self._per_second = 1.0 / spec.hop_s if self._given else float(spec.sample_rate_hz)
        self._block = max(1, round(BLOCK_S * self._per_second))
        self._features = FeatureStream(predictor.extractor)
        self._loudness = None if self._given else Loudness(BLOCK_S)
        self._quiet_since = 0
        self._held: list[Any] = []
        self._held_size = 0
        self._taken = 0
        self._begin()

    def _begin(self) -> None:
        self._began = self._taken
        self._features.reset()
        self._front_end = FrontEndStream(self.predictor.network.front_end)
        self._state: State | None = None
        self._decoder = UnitDecoder(self.decoding, self.predictor.alphabet)

    @property
    def seconds(self) -> float:
        """Seconds of audio that were handed in."""
        return (self._taken + self._held_size) / self._per_second

    def push(self, chunk: Any) -> Heard:
        """More audio in: samples [n] or [n, channels] at the model's rate, or given frames [n, columns].

        Raises:
            AudioError: the chunk holds a number that is not finite, or is no audio; nothing has changed.
        """
        size = len(chunk)
        if size:
            rate = self.predictor.spec.sample_rate_hz
            checked = (
                as_matrix(chunk, "the chunk", self.predictor.spec.n_given)
                if self._given
                else as_recording(chunk, rate, "the chunk").samples
            )
            self._held.append(checked)
            self._held_size += size
        finished = []
        if self.endpoint is None:
            self._hear(self._take(self._held_size))
        while self.endpoint is not None and self._held_size >= self._block:
            block = self._take(self._block)
            self._hear(block)
            if self._has_ended(self.endpoint, block):
                finished += self._end()
        return self._heard(finished)

    def _has_ended(self, endpoint: Endpoint, block: Any) -> bool:
        """Whether the utterance ends with this block of audio."""
        quiet_s = float("inf")
        if self._loudness is not None:
            if self._loudness.is_sound(block):
                self._quiet_since = self._taken
            quiet_s = (self._taken - self._quiet_since) / self._per_second
        return endpoint.reached(self._decoder.steps, self._decoder.last_heard, self.predictor.step_s, quiet_s)

    def finish(self) -> Heard:
        """No more audio: the last words, and the last utterance; the stream can begin anew."""
        self._hear(self._take(self._held_size))
        return Heard("", (), tuple(self._end()))

    def _take(self, size: int) -> Any:
        if not size:
            return np.zeros(0, np.float32)
        joined = self._held[0] if len(self._held) == 1 else np.concatenate(self._held)
        self._held = [joined[size:]] if len(joined) > size else []
        self._held_size -= size
        self._taken += size
        return joined[:size]

    @torch.inference_mode()
    def _hear(self, samples: Any) -> None:
        if len(samples):
            self._advance(self._front_end.push(self._features.push(samples)))

    def _advance(self, steps: torch.Tensor) -> None:
        if len(steps):
            scores, self._state = self.predictor.network.advance(steps, self._state)
            self._decoder.push(scores.numpy())

    @torch.inference_mode()
    def _end(self) -> list[Transcript]:
        """The utterance that ends here, if anything was said in it; and a new beginning."""
        self._advance(self._front_end.finish(self._features.finish()))
        text, words = words_of(self._decoder.finish(), self.predictor.alphabet, self.predictor.step_s, self._start_s)
        seconds = (self._taken - self._began) / self._per_second
        transcript = Transcript(text, words, seconds, f"{self._start_s:.2f} s")
        self._begin()
        return [transcript] if text else []

    @property
    def _start_s(self) -> float:
        return self._began / self._per_second

    def _heard(self, finished: list[Transcript]) -> Heard:
        text, words = words_of(self._decoder.units(), self.predictor.alphabet, self.predictor.step_s, self._start_s)
        return Heard(text, words, tuple(finished))
