"""The training loop on a task small enough to know the answer of: a line through noise-free points."""

import io
import json
import math
from collections.abc import Iterator

import pytest
import torch

from recurra.errors import ConfigError, NonFiniteLossError
from recurra.training import Trainer, TrainingOptions, build_progress, train
from recurra.training.best import BestWeights
from recurra.training.optimiser import build_optimiser, learning_rate_at


class Line:
    """y = 3 x - 1; the best possible loss is zero."""

    n_batches = 4

    def __init__(self, network, poison_at=None, interrupt_at=None, validation=None):
        self.network, self.poison_at, self.interrupt_at = network, poison_at, interrupt_at
        self.validation, self.seen = validation, []
        self.x = torch.linspace(-1, 1, 32)[:, None]
        self.y = 3 * self.x - 1

    def batches(self, epoch: int) -> Iterator[tuple[int, int]]:
        for number in range(self.n_batches):
            self.seen.append((epoch, number))
            yield epoch, number

    def loss(self, batch):
        if batch == self.interrupt_at:
            raise KeyboardInterrupt
        loss = (self.network(self.x) - self.y).square().mean()
        return loss * math.nan if batch == self.poison_at else loss

    def validation_loss(self) -> float:
        if self.validation is not None:
            return self.validation.pop(0)
        return float((self.network(self.x) - self.y).square().mean())


@pytest.fixture
def network():
    torch.manual_seed(0)
    return torch.nn.Linear(1, 1)


def test_learns_the_line(network):
    # the line itself: slope 3, intercept -1
    history = train(network, Line(network), TrainingOptions(max_epochs=200, learning_rate=0.1, weight_decay=0.0))
    assert history.ending in ("finished", "no longer improving")
    assert network.weight.item() == pytest.approx(3.0, abs=1e-2)
    assert network.bias.item() == pytest.approx(-1.0, abs=1e-2)


def test_keeps_the_weights_of_the_best_epoch(network):
    task = Line(network, validation=[3.0, 1.0, 2.0, 5.0])
    weights = []
    original = task.validation_loss
    task.validation_loss = lambda: (weights.append(network.weight.item()), original())[1]
    history = train(network, task, TrainingOptions(max_epochs=4))
    assert (history.best_epoch, history.best_loss) == (2, 1.0)
    assert network.weight.item() == weights[1]


def test_stops_when_it_no_longer_improves(network):
    task = Line(network, validation=[1.0] + [2.0] * 50)
    history = train(network, task, TrainingOptions(max_epochs=50, patience=3))
    assert history.ending == "no longer improving"
    assert len(history.epochs) == 4


def test_ctrl_c_ends_with_the_best_weights(network):
    task = Line(network, interrupt_at=(3, 1))
    history = train(network, task, TrainingOptions(max_epochs=10))
    assert history.ending == "interrupted"
    assert len(history.epochs) == 2
    assert history.best_epoch == 2


def test_ctrl_c_in_the_first_epoch_leaves_the_starting_weights(network):
    before = network.weight.item()
    history = train(network, Line(network, interrupt_at=(1, 2)), TrainingOptions(max_epochs=10))
    assert (history.best_epoch, network.weight.item()) == (0, before)


def test_a_loss_that_is_not_finite_names_epoch_and_batch_and_keeps_the_best_weights(network):
    task = Line(network, poison_at=(3, 1))
    trainer = Trainer(network, task, TrainingOptions(max_epochs=10))
    with pytest.raises(NonFiniteLossError, match="epoch 3, batch 2"):
        trainer.run()
    assert trainer.history.ending == "loss not finite"
    assert trainer.history.best_epoch == 2
    assert torch.isfinite(network.weight).all()


def test_max_seconds_ends_within_the_epoch(network):
    task = Line(network)
    history = train(network, task, TrainingOptions(max_epochs=10_000_000, max_seconds=0.05, patience=10_000_000))
    assert history.ending == "out of time"
    assert history.best_epoch >= 1


def test_schedule_rises_then_falls_to_its_floor():
    # by hand: linear rise to the full rate at the end of the warm-up, half a cosine to final_rate of it at the end
    options = TrainingOptions(learning_rate=1.0, warmup=0.1, final_rate=0.01)
    assert learning_rate_at(0.05, options) == pytest.approx(0.5)
    assert learning_rate_at(0.1, options) == pytest.approx(1.0)
    assert learning_rate_at(0.55, options) == pytest.approx(0.01 + 0.99 * 0.5)
    assert learning_rate_at(1.0, options) == pytest.approx(0.01)


def test_only_matrices_decay(network):
    decays = {
        id(p): group["weight_decay"]
        for group in build_optimiser(network, TrainingOptions(weight_decay=0.5)).param_groups
        for p in group["params"]
    }
    assert decays == {id(network.weight): 0.5, id(network.bias): 0.0}


def test_best_weights_are_a_copy(network):
    best = BestWeights(network)
    before = network.weight.item()
    best.offer(1.0, 1)
    with torch.no_grad():
        network.weight.add_(5.0)
    best.restore()
    assert network.weight.item() == before
    assert not best.offer(math.nan, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_epochs", 0), ("learning_rate", 0.0), ("patience", -1), ("max_seconds", 0.0), ("weight_decay", -0.1)],
)
def test_options_refuse_by_name(name, value):
    with pytest.raises(ConfigError, match=name):
        TrainingOptions(**{name: value})


def test_json_progress_is_one_object_a_line(network):
    stream = io.StringIO()
    train(network, Line(network), TrainingOptions(max_epochs=3), build_progress("json", stream))
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [e["event"] for e in events] == ["epoch", "epoch", "epoch", "end"]
    assert events[0]["validation_loss"] > events[2]["validation_loss"]


def test_auto_progress_writes_plain_lines_where_there_is_no_terminal(network):
    stream = io.StringIO()
    train(network, Line(network), TrainingOptions(max_epochs=2), build_progress("auto", stream))
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("epoch    1")
    assert "best epoch 2" in lines[-1]


def test_bar_progress_shows_the_outcome(network):
    stream = io.StringIO()
    train(network, Line(network), TrainingOptions(max_epochs=2), build_progress("rich", stream))
    assert "best epoch 2" in stream.getvalue()


def test_unknown_progress_is_refused():
    with pytest.raises(ConfigError, match="choose from"):
        build_progress("loud")  # type: ignore[arg-type]
