"""A run that is broken off and goes on: everything that the next epoch depends on, kept in a folder after each."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from recurra.checkpoints import load_checkpoint, save_checkpoint
from recurra.errors import ConfigError
from recurra.training.history import History

if TYPE_CHECKING:
    from recurra.training.loop import Trainer

CARD = "A training run that can go on; written by Recurra after each epoch. It is not a model.\n"


class RunFolder:
    """Keeps a trainer's state after each epoch, and puts it back.

    A run that goes on where it was broken off ends with the same weights as one that was not.

    Args:
        folder: where the state is kept; made at the first epoch's end.
        fingerprint: of all that the run depends on: settings, data, vocabulary.
    """

    def __init__(self, folder: str | PathLike[str], fingerprint: str) -> None:
        self.folder, self.fingerprint = Path(folder), fingerprint

    def keep(self, trainer: "Trainer[Any]") -> None:
        """Write the state, whole or not at all.

        Raises:
            OutputFolderError: the folder holds something else, or cannot be written.
        """
        config = {
            "run": self.fingerprint,
            "steps": trainer.steps,
            "history": trainer.history.to_dict(),
            "best": trainer.best.to_config(),
        }
        tensors = {f"network.{name}": value for name, value in trainer.network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in trainer.best.to_tensors().items()}
        tensors |= _optimiser_tensors(trainer.optimiser)
        tensors["random"] = torch.get_rng_state()
        save_checkpoint(self.folder, config=config, tensors=tensors, card=CARD, overwrite=True)

    def restore(self, trainer: "Trainer[Any]") -> bool:
        """Put the state of an earlier run back; tells whether there was one.

        Raises:
            ConfigError: the folder holds another run's state.
            DamagedModelError: a file is missing, changed or of the wrong size.
        """
        if not (self.folder / "manifest.json").exists():
            return False
        kept = load_checkpoint(self.folder)
        if kept.config.get("run") != self.fingerprint:
            raise ConfigError(
                f"{self.folder} holds a run with other settings, data or vocabulary; go on with those, "
                "or choose another folder"
            )
        trainer.network.load_state_dict(_within(kept.tensors, "network."))
        trainer.best.load(kept.config["best"], _within(kept.tensors, "best."))
        _load_optimiser(trainer.optimiser, _within(kept.tensors, "optimiser."))
        trainer.history = History.from_dict(kept.config["history"])
        trainer.steps = kept.config["steps"]
        torch.set_rng_state(kept.tensors["random"])
        return True


def _within(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimiser.state_dict()["state"]
    return {f"optimiser.{number}.{name}": value for number, parts in state.items() for name, value in parts.items()}


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
