"""A run that was broken off and goes on ends with the very weights of one that was not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from recurra.errors import ConfigError
from recurra.training import RunFolder, Trainer, TrainingOptions

OPTIONS = TrainingOptions(max_epochs=6, learning_rate=0.1, average=2)


class Noisy:
    """y = 3 x - 1 seen through dropout, so that the random generator counts; may be interrupted at an epoch."""

    n_batches = 3

    def __init__(self, network: nn.Module, interrupt_at: int = 0) -> None:
        self.network, self.interrupt_at = network, interrupt_at

    def batches(self, epoch: int) -> Iterator[int]:
        if epoch == self.interrupt_at:
            raise KeyboardInterrupt
        yield from (epoch + number for number in range(self.n_batches))

    def loss(self, batch: int) -> Tensor:
        x = torch.linspace(-1, 1, 8)[:, None] + 0.1 * batch
        found: Tensor = self.network(x)
        return (found - 3 * x + 1).square().mean()

    def validation_loss(self) -> float:
        return float(self.loss(0))


def trainer(folder: Path | None, interrupt_at: int = 0, fingerprint: str = "one") -> Trainer[int]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(1, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    resume = None if folder is None else RunFolder(folder, fingerprint)
    return Trainer(network, Noisy(network, interrupt_at), OPTIONS, resume=resume)


def test_a_run_that_goes_on_is_the_run_that_was_not_broken_off(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        whole = trainer(None)
        expected = whole.run()
        broken = trainer(tmp_path / "run", interrupt_at=4)
        assert broken.run().ending == "interrupted"
        assert len(broken.history.epochs) == 3
        torch.manual_seed(99)  # whatever happened in between
        again = trainer(tmp_path / "run")
        found = again.run()
    assert [each.training_loss for each in found.epochs] == [each.training_loss for each in expected.epochs]
    assert (found.best_epoch, found.best_loss, found.ending) == (expected.best_epoch, expected.best_loss, "finished")
    for one, other in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_run_that_is_done_does_nothing_more(tmp_path: Path) -> None:
    first = trainer(tmp_path / "run")
    first.run()
    second = trainer(tmp_path / "run", interrupt_at=1)
    assert second.run().ending == "finished"
    assert second.history.epochs == first.history.epochs
    for one, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_another_runs_folder_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path / "run").run()
    with pytest.raises(ConfigError, match="other settings, data or vocabulary"):
        trainer(tmp_path / "run", fingerprint="two").run()
