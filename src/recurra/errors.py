"""Every error that Recurra raises on purpose, in one tree.

Each leaf also inherits the built-in error that torch or scikit-learn raises in its place, so that
code written for those keeps working.

    RecurraError
    ├── InputError                       what was handed in is wrong
    │   ├── ConfigError                  (ValueError)  a parameter: unknown cell, horizon 0, wrong combination
    │   ├── TableError                   (ValueError)  a table's content, named by row and column
    │   │   ├── MissingColumnError       (KeyError)    a column that is not there
    │   │   ├── BadValueError                          text, NaN, infinity or an absurd size where a number belongs
    │   │   ├── TimeStampError                         unsorted, repeated, irregular, mixed time zones
    │   │   └── TooShortError                          a series shorter than is needed
    │   ├── AudioError                   (ValueError)  a recording: empty, truncated, no audio, NaN, another rate
    │   ├── TranscriptError              (ValueError)  a text that the alphabet, or the frames, cannot hold
    │   ├── ShapeError                   (RuntimeError, ValueError)  tensor sizes that do not fit
    │   ├── DtypeError                   (TypeError, ValueError)     tensor types that do not fit
    │   └── DeviceError                  (RuntimeError)              tensors on different devices
    ├── BackendUnavailable               (RuntimeError)  a backend asked for by name cannot serve this call
    ├── NotFittedError                   (ValueError, AttributeError)  used before fit
    ├── TrainingError                    (RuntimeError)
    │   └── NonFiniteLossError           (FloatingPointError)  a loss of NaN or infinity; names the batch
    ├── CheckpointError                  (RuntimeError)
    │   ├── DamagedModelError                          a file changed, missing or of the wrong size
    │   ├── SchemaVersionError                         written by a version this one does not know
    │   └── OutputFolderError            (OSError)     a folder that cannot be written
    ├── StreamError                      (ValueError)
    │   ├── LateRowError                               a row at or before the last one seen
    │   ├── SkippedRowError                            rows between the last one seen and this one are missing
    │   ├── SnapshotError                              a snapshot of another model or schema
    │   └── StreamingUnsupported         (TypeError)   a network that needs the future cannot stream
    ├── DataSetError                     (OSError)
    │   ├── DataSetNotFound              (FileNotFoundError)  a benchmark data set that is not on this machine
    │   └── ChecksumError                              a file that is not the published one
    └── MissingExtraError                (ImportError)  an optional package that is not installed
"""


class RecurraError(Exception):
    """Root of the tree: catch it to catch everything Recurra raises on purpose."""


class InputError(RecurraError):
    """What was handed in is wrong; the message says where and how to mend it."""


class ConfigError(InputError, ValueError):
    """A parameter is unknown, out of range, or does not fit another one."""


class TableError(InputError, ValueError):
    """A table's content is wrong; the message names row, column and remedy."""


class MissingColumnError(TableError, KeyError):
    """A column that is needed is not in the table."""

    __str__ = Exception.__str__  # KeyError would print the message's repr


class BadValueError(TableError):
    """A cell holds text, NaN, infinity or an absurd size where a number belongs."""


class TimeStampError(TableError):
    """Time stamps are unsorted, repeated, irregular, or of mixed time zones."""


class TooShortError(TableError):
    """A series has fewer rows than the task needs."""


class AudioError(InputError, ValueError):
    """A recording is empty, truncated, not audio, holds NaN, or has another rate than is needed."""


class TranscriptError(InputError, ValueError):
    """A text has units outside the alphabet, or more of them than its recording has frames."""


class ShapeError(InputError, RuntimeError, ValueError):
    """Tensor sizes that do not fit each other or the layer."""


class DtypeError(InputError, TypeError, ValueError):
    """Tensor types that do not fit each other or the layer."""


class DeviceError(InputError, RuntimeError):
    """Tensors that must be on one device are on several."""


class BackendUnavailable(RecurraError, RuntimeError):  # noqa: N818  the name the design gives it
    """A backend asked for by name cannot serve this call; the message says why."""


class NotFittedError(RecurraError, ValueError, AttributeError):
    """A learner was used before `fit`."""


class TrainingError(RecurraError, RuntimeError):
    """Training could not go on."""


class NonFiniteLossError(TrainingError, FloatingPointError):
    """The loss became NaN or infinite; the message names epoch and batch."""


class CheckpointError(RecurraError, RuntimeError):
    """A model folder could not be written or read."""


class DamagedModelError(CheckpointError):
    """A file of a model folder is missing, changed, or of the wrong size."""


class SchemaVersionError(CheckpointError):
    """A model folder was written in a schema version that is not known here."""


class OutputFolderError(CheckpointError, OSError):
    """A folder cannot be created or written."""


class StreamError(RecurraError, ValueError):
    """A stream was handed a row, or a snapshot, that it cannot take."""


class LateRowError(StreamError):
    """A row's time is at or before the last one the stream has seen."""


class SkippedRowError(StreamError):
    """One or more rows are missing between the last one seen and this one."""


class SnapshotError(StreamError):
    """A snapshot belongs to another model or to an unknown schema version."""


class StreamingUnsupported(StreamError, TypeError):  # noqa: N818  the same kind of name as BackendUnavailable
    """A network that needs the future (bidirectional, normalised per window) cannot stream."""


class DataSetError(RecurraError, OSError):
    """A benchmark data set is not usable."""


class DataSetNotFound(DataSetError, FileNotFoundError):  # noqa: N818
    """A benchmark data set is not on this machine and could not be fetched."""


class ChecksumError(DataSetError):
    """A file's SHA-256 is not the published one."""


class NotBuiltWarning(UserWarning):
    """The native kernels are not built, so layers on the CPU run on PyTorch's own calls; said once a process."""


class UpdateWarning(UserWarning):
    """An update learned nothing, or had no old rows to hold what it learned against."""


class RecordingWarning(UserWarning):
    """Recordings that could not be used were left out; the message lists them."""


class TranscriptWarning(UserWarning):
    """Labels or texts of the validation part that no training could get right, or that leave nothing to count."""


class SpeakerOverlapWarning(UserWarning):
    """A speaker is on both sides of a split, so its scores say little about speakers that were never heard."""


class MissingExtraError(RecurraError, ImportError):
    """An optional package is not installed; the message names the extra that brings it."""
