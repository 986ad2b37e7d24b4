"""Splits by speaker: who is heard in training is never heard in validation."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recurra.data.audio.manifest import Utterances
from recurra.errors import ConfigError, SpeakerOverlapWarning


class Parts(NamedTuple):
    """Utterances to learn from, and to validate on; the second may be empty."""

    train: Utterances
    validation: Utterances


def split_speakers(utterances: Utterances, validation: float, seed: int = 0) -> Parts:
    """The manifest's own split if it has one, else some speakers held out; without speakers, some utterances.

    Rows of the split "test" are left out. Where all utterances are of one speaker, some of them are held out, and a
    warning says what that is worth.

    Args:
        utterances: all of them.
        validation: share (below 1) or number of speakers to validate on; 0 for none. Not used where the manifest has
            rows of the split "validation".
        seed: which are drawn.

    Raises:
        ConfigError: nothing would be left to learn from.
    """
    train, held = utterances.of_split("train"), utterances.select([])
    if utterances.splits is not None:
        held = utterances.of_split("validation")
    if not len(held) and validation > 0 and len(train):
        train, held = _hold_out(train, validation, seed)
    if not len(train):
        raise ConfigError("no utterance is left to learn from; hold out fewer, or mark rows as split 'train'")
    return Parts(train, held)


def _hold_out(utterances: Utterances, validation: float, seed: int) -> Parts:
    names: Sequence[str | int]
    owners: Sequence[str | int]
    if utterances.speakers is not None and len(set(utterances.speakers)) > 1:
        owners, names = utterances.speakers, sorted(set(utterances.speakers))
    else:
        owners = names = list(range(len(utterances)))
        if utterances.speakers is not None:
            _warn(f"all utterances are of one speaker ({utterances.speakers[0]}), who is also validated on")
    wanted = max(1, round(validation * len(names))) if validation < 1 else int(validation)
    if wanted >= len(names):
        raise ConfigError(f"validation={validation} of {len(names)} speakers or utterances leaves none to learn from")
    drawn = np.random.default_rng(seed).permutation(len(names))[:wanted]
    held = {names[i] for i in drawn}
    inside = np.array([owner in held for owner in owners])
    return Parts(utterances.select(np.flatnonzero(~inside)), utterances.select(np.flatnonzero(inside)))


def warn_of_overlap(utterances: Utterances) -> None:
    """Name the speakers that are in the training part and in another one."""
    if utterances.speakers is None or utterances.splits is None:
        return
    pairs = set(zip(utterances.speakers, utterances.splits, strict=True))
    both = sorted({name for name, split in pairs if split == "train"} & {n for n, split in pairs if split != "train"})
    if both:
        shown = ", ".join(both[:5]) + (", ..." if len(both) > 5 else "")
        _warn(f"{len(both)} speaker(s) are in the training part and outside it ({shown})")


def _warn(what: str) -> None:
    told = f"{what}: the scores say little about speakers that were never heard"
    warnings.warn(told, SpeakerOverlapWarning, stacklevel=6)
