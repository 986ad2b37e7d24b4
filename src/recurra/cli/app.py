"""The command `recurra`: its verbs, imported only when called, and what an error looks like."""

import difflib
import os
import sys
import traceback
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter, UnknownCommandError

from recurra import __version__
from recurra.errors import ConfigError, InputError, RecurraError

OK, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

EPILOGUE = """Exit codes: 0 done; 1 it failed while running; 2 wrong usage or input; 130 interrupted.
With --json the result is JSON on standard output, and progress is JSON lines on standard error.
An error is one line on standard error; --debug adds the traceback."""

FIT = """Train a model on a table of time series, and save it.

--task market trains on trading days: recurra fit --task market --help names its settings.
--task trajectory trains on the fixes of moving objects: recurra fit --task trajectory --help names its settings.
--task translation trains a translator on pairs of texts: recurra fit --task translation --help names its settings.
--task speech trains a recogniser on recordings and their texts, --task classify a classifier of sequences:
recurra fit --task speech --help names their settings.

Ctrl-C ends the training early: the best model so far is saved, and the exit code is 130."""

STREAM = """One JSON row in, one forecast out, state carried.

A row is an object with the model's columns, on one line of standard input:
{"unique_id": "north", "ds": "2024-03-01", "y": 812.0}.
It may carry "future", a list of rows with the covariates that are known in advance.
The answer is one line on standard output: {"line": 1, "forecasts": [...]}.
A line that cannot be used is answered by {"line": 7, "error": "..."}, changes nothing, and makes the exit code 1.
SIGTERM and Ctrl-C end the stream between two rows; the snapshot is written then too."""

TRANSLATE = """Translate lines: one text a line on standard input, one answer a line on standard output.

recurra translate model/ < questions.txt > answers.txt
Every line is answered, in its place; an empty line by an empty one. With --nbest N each line has up to N answers,
written as NUMBER ||| ANSWER ||| SCORE. --alignment adds a tab and pairs of word numbers from 0, source-target.
--reference FILE scores the answers at the end: BLEU by sacrebleu with its signature, on standard error.
Several folders of models with one vocabulary answer together: recurra translate one/ two/ < questions.txt"""

TRANSCRIBE = """Write down what is said in recordings, or live in raw sound from standard input.

recurra transcribe one.wav two.flac --model FOLDER
arecord -t raw -f S16_LE -r 16000 -c 1 | recurra transcribe --live - --model FOLDER
A file that cannot be used does not end the run: it is listed at the end, and the exit code is 1.
Sound stays on this machine: nothing touches the network."""

TASKS = {
    "forecast": "fit",
    "market": "fit-market",
    "trajectory": "fit-trajectory",
    "speech": "fit-speech",
    "classify": "fit-classify",
    "translation": "fit-translation",
}
BACKTESTS = {"forecast": "backtest", "market": "backtest-market", "trajectory": "backtest-trajectory"}

app = App(
    name="recurra",
    help="Learn the pattern in sequences and predict what comes next, with recurrent networks.",
    help_epilogue=EPILOGUE,
    help_format="plaintext",
    version=__version__,
    default_parameter=Parameter(negative=()),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
app.command("recurra.cli.fit:fit", name="fit", help=FIT)
app.command("recurra.cli.fit_market:fit_market", name="fit-market", show=False)
app.command("recurra.cli.fit_market:backtest_market", name="backtest-market", show=False)
app.command("recurra.cli.fit_trajectory:fit_trajectory", name="fit-trajectory", show=False)
app.command("recurra.cli.fit_trajectory:backtest_trajectory", name="backtest-trajectory", show=False)
app.command("recurra.cli.fit_translation:fit_translation", name="fit-translation", show=False)
app.command("recurra.cli.predict:predict", name="predict", help="Forecast what comes after a table's last rows.")
app.command("recurra.cli.backtest:backtest", name="backtest", help="Score a forecaster beside the naive rules.")
app.command("recurra.cli.tune:tune", name="tune", help="Choose a forecaster's settings on held-out past rows.")
app.command("recurra.cli.stream:stream", name="stream", help=STREAM)
app.command("recurra.cli.translate:translate", name="translate", help=TRANSLATE)
app.command("recurra.cli.fit_sound:fit_speech", name="fit-speech", show=False)
app.command("recurra.cli.fit_sound:fit_classifier", name="fit-classify", show=False)
app.command("recurra.cli.transcribe:transcribe", name="transcribe", help=TRANSCRIBE)
app.command("recurra.cli.demo:demo", name="demo", help="Train, score and draw a forecast of real data.")
app.command("recurra.cli.doctor:doctor", name="doctor", help="Say what this installation has, and what it lacks.")

data = App(name="data", help="Benchmark data sets: list, fetch, verify, and where they lie.")
data.command("recurra.cli.data:list_sets", name="list", help="List the data sets: source, licence, whether at hand.")
data.command("recurra.cli.data:fetch", name="fetch", help="Fetch a data set once, and check it.")
data.command("recurra.cli.data:verify", name="verify", help="Check the SHA-256 of every file of a data set.")
data.command("recurra.cli.data:path", name="path", help="Print the folder where a data set lies.")
app.command(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `recurra`.

    Args:
        arguments: what follows `recurra` on the command line; sys.argv by default.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    if given[:1] == ["--debug"]:
        given = given[1:]
    try:
        given = by_task(given)
        code = app(given, exit_on_error=False, print_error=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else OK
    except BrokenPipeError:
        return _close_quietly()
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        code, line = _explain(error, given)
        print(f"recurra: {line}", file=sys.stderr)
        return code


def by_task(given: Sequence[str]) -> list[str]:
    """`fit --task NAME ...` (or backtest) as the verb that fits this task, whose flags are its own.

    Raises:
        ConfigError: for an unknown task.
    """
    words = list(given)
    verbs = {"fit": TASKS, "backtest": BACKTESTS}.get("".join(words[:1]))
    if verbs is None:
        return words
    for i, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "--task":
            task = value if equals else "".join(words[i + 1 : i + 2])
            if task not in verbs:
                raise ConfigError(f"task {task!r} is unknown; choose from {', '.join(verbs)}")
            return [verbs[task], *words[1:i], *words[i + (1 if equals else 2) :]]
    return words


def _explain(error: BaseException, given: Sequence[str]) -> tuple[int, str]:
    """An exit code and one line for what went wrong."""
    match error:
        case KeyboardInterrupt():
            return INTERRUPTED, "interrupted"
        case CycloptsError():
            verb = f"{given[0]} " if given and given[0] in app else ""
            return WRONG_INPUT, f"error: {_usage(error)} See recurra {verb}--help."
        case RecurraError():
            return WRONG_INPUT if isinstance(error, InputError) else FAILED, f"error: {_one_line(error)}"
        case OSError() if error.strerror:
            place = f"{error.filename}: " if error.filename else ""
            return FAILED, f"error: {place}{error.strerror}; check the path and its permissions"
    kind = type(error).__name__
    return FAILED, f"error: {kind}: {_one_line(error)} (a bug in Recurra: run it again with --debug and report it)"


def _usage(error: CycloptsError) -> str:
    """What is wrong with a command line; cyclopts itself would import every verb to name an unknown one's neighbour."""
    if not isinstance(error, UnknownCommandError) or error.app is None or not error.unused_tokens:
        return _one_line(error)
    word, verbs = error.unused_tokens[0], [name for name in error.app if not name.startswith("-")]
    close = difflib.get_close_matches(word, verbs, n=1)
    return f'Unknown command "{word}". ' + (f'Did you mean "{close[0]}"?' if close else f"Known: {', '.join(verbs)}.")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _close_quietly() -> int:
    """The reader of our output has gone: no more words, not even when Python flushes at its end."""
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, sys.stdout.fileno())
        os.close(silence)
    except (OSError, ValueError):  # standard output is no file: there is nothing to flush
        return FAILED
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
