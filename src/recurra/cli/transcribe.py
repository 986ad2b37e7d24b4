"""recurra transcribe: recordings in, what is said in them out; or raw sound from standard input, live."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from recurra.cli._flags import NO_FLAGS, Common
from recurra.cli._output import print_json, say
from recurra.cli.app import FAILED, INTERRUPTED, OK
from recurra.errors import ConfigError

CHUNK_S = 0.02
SILENCE = "Seconds of silence that end an utterance (with --live)."
FILE_HEADS = {b"RIFF": "wav", b"fLaC": "flac", b"OggS": "ogg", b"ID3": "mp3", b"FORM": "aiff"}
WIPE = "\r\x1b[K"


def transcribe(
    files: Annotated[list[str], Parameter(allow_leading_hyphen=True)],
    /,
    *,
    model: Path,
    live: bool = False,
    rate: int | None = None,
    words: bool = False,
    beam: int = 0,
    language_model: Path | None = None,
    language_weight: float | None = None,
    word_bonus: float | None = None,
    closed_vocabulary: bool = False,
    silence: Annotated[float | None, Parameter(help=f"{SILENCE} [default: 0.8]")] = None,
    common: Common = NO_FLAGS,
) -> int:
    """Write down what is said in recordings.

    Args:
        files: Recordings (wav, flac ...), or - for raw sound on standard input (with --live).
        model: Folder of a model that `recurra fit --task speech` saved.
        live: Take 16-bit little-endian mono samples from standard input, and answer as they come.
        rate: Samples a second of the raw sound (with --live); must be the model's.
        words: Show each word with its time and confidence.
        beam: Texts that beam search keeps; 0 takes the best path.
        language_model: ARPA file with an n-gram model of words, for beam search.
        language_weight: Weight of the language model (0.5 by default).
        word_bonus: Added for each word, against the language model's liking for few (0 by default).
        closed_vocabulary: Write words of the language model only.
        silence: Seconds of silence that end an utterance (with --live).
        common: Flags that every verb has.
    """
    import recurra
    from recurra.decoding import read_arpa
    from recurra.prediction import Decoding, Endpoint

    option = next((name for name in files if name.startswith("-") and name != "-"), None)
    if option is not None:
        raise ConfigError(f"Unknown option: {option}. See recurra transcribe --help.")
    if live != (files == ["-"]):
        raise ConfigError("raw sound comes live from standard input: recurra transcribe --live - --model FOLDER")
    _refuse_idle("--live", live, {"--rate": rate, "--silence": silence})
    of_model = {"--language-weight": language_weight, "--word-bonus": word_bonus}
    _refuse_idle("--language-model", language_model is not None, of_model)
    read = None if language_model is None else read_arpa(language_model)
    weight, bonus = (0.5 if language_weight is None else language_weight), word_bonus or 0.0
    decoding = Decoding(beam, read, weight, bonus, closed_vocabulary)
    recognizer = recurra.load(model)
    if not hasattr(recognizer, "transcribe"):
        raise ConfigError(f"{model} holds a {type(recognizer).__name__}, which writes no texts; fit with --task speech")
    if live:
        endpoint = Endpoint() if silence is None else Endpoint(silence_s=silence)
        stream = recognizer.stream(rate, decoding=decoding, endpoint=endpoint)
        if rate is None:
            say(f"recurra: taking standard input as 16-bit mono, {recognizer.sample_rate_hz} samples a second")
        return _listen(stream, recognizer.sample_rate_hz, words, common)
    return _report(_one_by_one(recognizer, files, decoding), words, common)


def _refuse_idle(needed: str, there: bool, given: Mapping[str, object]) -> None:
    """Refuse options that have no effect without another one."""
    idle = [name for name, value in given.items() if value is not None]
    if idle and not there:
        raise ConfigError(f"{idle[0]} has no effect without {needed}; add it, or leave {idle[0]} out")


def _one_by_one(recognizer: Any, files: list[str], decoding: Any) -> Iterator[Any]:
    for name in files:
        yield recognizer.transcribe([name], decoding)[0]


def _report(answers: Iterator[Any], words: bool, common: Common) -> int:
    """Print each answer as it comes; at the end, the files that could not be used."""
    bad = []
    for count, answer in enumerate(answers, start=1):
        if answer.error is not None:
            bad.append((count, answer))
        if common.json:
            print_json(answer.to_dict())
        elif answer.error is None:
            print(f"{answer.name}\t{answer.text}", flush=True)
            _print_words(answer.words if words else ())
            for blemish in answer.blemishes:
                say(f"recurra: {answer.name} is {blemish}")
    for _, answer in bad:
        say(f"recurra: not transcribed: {answer.error}")
    return FAILED if bad else OK


def _print_words(words: Any) -> None:
    for word in words:
        print(f"  {word.start_s:8.2f} {word.end_s:8.2f}  {word.confidence:.2f}  {word.text}")


def _listen(stream: Any, rate: int, words: bool, common: Common) -> int:
    """Answer sound as it comes, until it ends or Ctrl-C: utterances on standard output, the text so far beside."""
    size, rest, shown = 2 * max(1, round(CHUNK_S * rate)), b"", ""
    source: Any = sys.stdin.buffer
    code = OK
    try:
        for number, came in enumerate(iter(lambda: source.read1(size), b"")):
            if number == 0:
                _refuse_file(came)
            data = rest + came
            rest = data[len(data) // 2 * 2 :]
            heard = stream.push(np.frombuffer(data[: len(data) // 2 * 2], "<i2"))
            _print_finished(heard.finished, words, common)
            if heard.text != shown or (heard.finished and heard.text):
                shown = heard.text
                _show_partial(heard, stream.seconds, common)
    except KeyboardInterrupt:
        code = INTERRUPTED
    _print_finished(stream.finish().finished, words, common)
    return code


def _refuse_file(beginning: bytes) -> None:
    """Refuse what begins as a sound file does: its header would be heard as sound, and its rate not be known."""
    kind = next((name for head, name in FILE_HEADS.items() if beginning.startswith(head)), None)
    if kind is not None:
        raise ConfigError(
            f"standard input is a {kind} file, not raw samples; give the file's name without --live, or pipe raw sound"
        )


def _print_finished(finished: Any, words: bool, common: Common) -> None:
    if finished and not common.json and sys.stderr.isatty():
        print(WIPE, end="", file=sys.stderr, flush=True)
    for answer in finished:
        if common.json:
            print_json({"event": "utterance", **answer.to_dict()})
        else:
            print(answer.text, flush=True)
            _print_words(answer.words if words else ())


def _show_partial(heard: Any, seconds: float, common: Common) -> None:
    if common.json:
        print_json({"event": "partial", "text": heard.text, "seconds": round(seconds, 3)})
    elif sys.stderr.isatty():
        print(f"{WIPE}{heard.text}", end="", file=sys.stderr, flush=True)
