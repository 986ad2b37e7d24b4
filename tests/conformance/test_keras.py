"""Keras' own layers, on its PyTorch backend, with random weights: masks, go_backwards, carried state, both GRUs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recurra.nn.exchange import from_keras, to_keras
from tests.tolerances import Tolerance, assert_agrees

# Keras hands its variables to NumPy in a way that NumPy 2 warns about.
pytestmark = [pytest.mark.conformance, pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")]
BOUND = Tolerance(1e-5, 1e-5)
I, H, B, T = 3, 6, 5, 7  # noqa: E741  the equations' own symbols
LENGTHS = torch.tensor([7, 3, 1, 0, 5])
MASK = torch.arange(T) < LENGTHS[:, None]
VARIANTS = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {"reset_after": True}), ("GRU", {"reset_after": False})]
variants = pytest.mark.parametrize(("kind", "options"), VARIANTS)


@pytest.fixture(scope="module")
def keras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Keras, which reads its backend when it is first imported and writes its settings into its home."""
    home: Path = tmp_path_factory.mktemp("keras")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        patch.setenv("KERAS_HOME", str(home))
        import keras

        assert keras.backend.backend() == "torch"
        yield keras


def with_random_weights(layer: Any, rng: np.random.Generator) -> Any:
    """The layer built for B rows of T steps, every weight and bias random."""
    layer.build((B, T, I))
    layer.set_weights([rng.standard_normal(part.shape).astype(np.float32) * 0.7 for part in layer.get_weights()])
    return layer


@pytest.fixture
def pair(keras: Any, rng: np.random.Generator, kind: str, options: dict[str, Any]) -> Any:
    """Make Keras' layer and ours with its weights."""

    def make(**more: Any) -> tuple[Any, torch.nn.Module]:
        theirs = getattr(keras.layers, kind)(H, return_sequences=True, return_state=True, **options, **more)
        theirs = with_random_weights(theirs, rng)
        return theirs, from_keras(kind, theirs.get_weights())

    return make


@pytest.fixture
def x(rng: np.random.Generator) -> torch.Tensor:
    return torch.from_numpy(rng.standard_normal((B, T, I)).astype(np.float32))


def theirs(layer: Any, *args: Any, **kwargs: Any) -> list[torch.Tensor]:
    with torch.no_grad():
        return [part.detach().cpu() for part in layer(*args, **kwargs)]


def ours(layer: Any, *args: Any, **kwargs: Any) -> list[torch.Tensor]:
    """Outputs and the parts of the state, without its dimension for layers."""
    with torch.no_grad():
        output, state = layer(*args, **kwargs)
    return [output, *(part[0] for part in (state if isinstance(state, tuple) else (state,)))]


def as_state(parts: list[torch.Tensor]) -> Any:
    return tuple(part[None] for part in parts) if len(parts) == 2 else parts[0][None]


@variants
def test_outputs_and_states(pair: Any, x: torch.Tensor) -> None:
    layer, mine = pair()
    assert_agrees(ours(mine, x), theirs(layer, x), BOUND)


@variants
def test_an_initial_state(pair: Any, x: torch.Tensor, kind: str, rng: np.random.Generator) -> None:
    layer, mine = pair()
    parts = [torch.from_numpy(rng.uniform(-1, 1, (B, H)).astype(np.float32)) for _ in range(1 + (kind == "LSTM"))]
    assert_agrees(ours(mine, x, as_state(parts)), theirs(layer, x, initial_state=parts), BOUND)


@variants
def test_masked_steps_with_outputs_set_to_zero(pair: Any, x: torch.Tensor) -> None:
    layer, mine = pair(zero_output_for_mask=True)
    assert_agrees(ours(mine, x, lengths=LENGTHS), theirs(layer, x, mask=MASK), BOUND)


@variants
def test_masked_steps_where_keras_repeats_the_output(pair: Any, x: torch.Tensor) -> None:
    layer, mine = pair()
    found, expected = ours(mine, x, lengths=LENGTHS), theirs(layer, x, mask=MASK)
    assert_agrees(found[0][MASK], expected[0][MASK], BOUND)
    assert_agrees(found[1:], expected[1:], BOUND)
    assert not found[0][~MASK].any()


@variants
def test_go_backwards(pair: Any, x: torch.Tensor) -> None:
    """Keras gives the outputs in the order in which it made them: ours of the reversed sequence."""
    layer, mine = pair(go_backwards=True)
    assert_agrees(ours(mine, x.flip(1)), theirs(layer, x), BOUND)


@variants
def test_go_backwards_as_reverse(
    keras: Any, rng: np.random.Generator, x: torch.Tensor, kind: str, options: Any
) -> None:
    """Ours gives the outputs in the order of time, Keras' in the order in which it made them."""
    layer = getattr(keras.layers, kind)(H, return_sequences=True, return_state=True, go_backwards=True, **options)
    layer = with_random_weights(layer, rng)
    found = ours(from_keras(kind, layer.get_weights(), reverse=True), x)
    assert_agrees([found[0].flip(1), *found[1:]], theirs(layer, x), BOUND)


@pytest.mark.parametrize("activation", ["linear", "relu", "elu", "softsign", "softplus", "hard_sigmoid", "leaky_relu"])
@variants
def test_activations(
    keras: Any, rng: np.random.Generator, x: torch.Tensor, kind: str, options: Any, activation: str
) -> None:
    said = {"activation": activation} | ({} if kind == "SimpleRNN" else {"recurrent_activation": "hard_sigmoid"})
    layer = getattr(keras.layers, kind)(H, return_sequences=True, return_state=True, **options, **said)
    layer = with_random_weights(layer, rng)
    assert_agrees(ours(from_keras(kind, layer.get_weights(), **said), x), theirs(layer, x), Tolerance(1e-4, 1e-5))


@variants
def test_go_backwards_begins_at_each_rows_last_valid_step(pair: Any, x: torch.Tensor) -> None:
    layer, mine = pair(go_backwards=True)
    reversed_rows = torch.zeros_like(x)
    for row, steps in enumerate(LENGTHS.tolist()):
        reversed_rows[row, :steps] = x[row, :steps].flip(0)
    assert_agrees(ours(mine, reversed_rows, lengths=LENGTHS)[1:], theirs(layer, x, mask=MASK)[1:], BOUND)


@variants
def test_stateful_is_a_carried_state(keras: Any, pair: Any, x: torch.Tensor) -> None:
    layer, mine = pair(stateful=True)
    carried = None
    for piece in x.split(3, dim=1):
        found = ours(mine, piece, carried)
        carried = as_state(found[1:])
        assert_agrees(found, theirs(layer, piece), BOUND)


@variants
def test_bidirectional_with_masks(
    keras: Any, rng: np.random.Generator, x: torch.Tensor, kind: str, options: dict[str, Any]
) -> None:
    inner = getattr(keras.layers, kind)(
        H, return_sequences=True, return_state=True, zero_output_for_mask=True, **options
    )
    both = with_random_weights(keras.layers.Bidirectional(inner), rng)
    lists = [both.forward_layer.get_weights(), both.backward_layer.get_weights()]
    mine = from_keras(kind, lists, bidirectional=True)
    with torch.no_grad():
        output, state = mine(x, lengths=LENGTHS)
    parts = state if isinstance(state, tuple) else (state,)
    expected = theirs(both, x, mask=MASK)
    assert_agrees([output, *(part[d] for d in range(2) for part in parts)], expected, BOUND)


@variants
def test_keras_takes_what_we_give(pair: Any, x: torch.Tensor) -> None:
    layer, mine = pair()
    before = theirs(layer, x)
    torch.manual_seed(0)
    mine.reset_parameters()
    layer.set_weights(to_keras(mine)[0])
    assert_agrees(theirs(layer, x), ours(mine, x), BOUND)
    assert not torch.equal(before[0], theirs(layer, x)[0])


def constant_layer(kind: str, inputs: int, units: int, **said: Any) -> Any:
    """A layer as Keras' tests build theirs: kernels 0.01 and 0.02, biases 0.03, an LSTM's forget bias 1."""
    bias, before = said.pop("use_bias", True), {"reset_after": said.pop("reset_after", True)} if kind == "GRU" else {}
    gates = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}[kind] * units
    biases = np.full((2, gates) if before.get("reset_after") else gates, 0.03, np.float32)
    if kind == "LSTM" and said.pop("unit_forget_bias", True):
        biases[units : 2 * units] = 1.0
    kernels = [np.full((rows, gates), value, np.float32) for rows, value in ((inputs, 0.01), (units, 0.02))]
    return from_keras(kind, [*kernels, *([biases] if bias else [])], **before, **said)


def counted(*shape: int) -> torch.Tensor:
    return torch.arange(float(np.prod(shape))).reshape(shape)


BACKWARDS = {"reverse": True}
CORRECT: list[tuple[str, dict[str, Any], list[float]]] = [
    ("LSTM", {}, [0.6288687, 0.86899155, 0.9460773]),
    ("LSTM", BACKWARDS, [0.35622165, 0.74789524, 0.8872726]),
    ("LSTM", {"unit_forget_bias": False}, [0.57019705, 0.8661914, 0.9459622]),
    ("LSTM", {"use_bias": False}, [0.54986924, 0.86226785, 0.9443936]),
    ("GRU", {}, [0.5217289, 0.6371659, 0.39384964]),
    ("GRU", BACKWARDS, [0.24406259, 0.611516, 0.3928808]),
    ("GRU", {"reset_after": False}, [0.51447755, 0.6426879, 0.40208298]),
    ("GRU", {"use_bias": False}, [0.49988455, 0.64701194, 0.4103359]),
    ("SimpleRNN", {}, [0.405432, 0.73605347]),
    ("SimpleRNN", BACKWARDS, [0.11144729, 0.5528889]),
]
"""The last outputs of each row, the same in every neuron. Source: test_correctness of keras/src/layers/rnn/*_test.py;
the other numbers below are those of test_statefulness, test_pass_initial_state and test_masking there."""


@pytest.mark.parametrize(("kind", "said", "golden"), CORRECT)
def test_the_numbers_of_keras_tests(kind: str, said: dict[str, Any], golden: list[float]) -> None:
    units, sequence = (4, counted(2, 3, 4)) if kind == "SimpleRNN" else (3, counted(3, 6, 4))
    h = ours(constant_layer(kind, 4, units, **said), sequence)[1]
    assert_agrees(h, torch.tensor(golden)[:, None].expand(-1, units), BOUND)


@pytest.mark.parametrize(
    ("kind", "golden"),
    [("LSTM", [0.3124785, 0.6863672]), ("GRU", [0.29542392, 0.5885018]), ("SimpleRNN", [0.40559256, 0.7361247])],
)
def test_the_numbers_of_keras_tests_of_a_carried_state(kind: str, golden: list[float]) -> None:
    layer, sequence = constant_layer(kind, 4, 4), counted(2, 3, 4)
    first = ours(layer, sequence)[1:]
    assert_agrees(ours(layer, sequence, as_state(first))[1], torch.tensor(golden)[:, None].expand(-1, 4), BOUND)


@pytest.mark.parametrize(
    ("kind", "said", "golden"),
    [
        ("LSTM", {}, [[0.20574439, 0.3558822], [0.64930826, 0.66276]]),
        ("LSTM", BACKWARDS, [[0.13281618, 0.2790356], [0.5839337, 0.5992567]]),
        ("GRU", {}, [[0.23774096, 0.33508456], [0.83659905, 1.0227708]]),
        ("GRU", BACKWARDS, [[0.13486053, 0.23261218], [0.78257304, 0.9691353]]),
        ("SimpleRNN", {}, [[0.33621645] * 4, [0.6262637] * 4]),
        ("SimpleRNN", BACKWARDS, [[0.07344437] * 4, [0.43043602] * 4]),
    ],
)
def test_the_numbers_of_keras_tests_of_an_initial_state(kind: str, said: Any, golden: list[list[float]]) -> None:
    units = len(golden[0])
    state = [counted(2, units)] * (2 if kind == "LSTM" else 1)
    h = ours(constant_layer(kind, 3, units, **said), counted(2, 4, 3), as_state(state))[1]
    assert_agrees(h, torch.tensor(golden), BOUND)


@pytest.mark.parametrize(
    ("kind", "said", "units", "kept", "golden"),
    [
        ("LSTM", {}, 2, ([0, 1, 2], [0, 1]), [0.11755939, 0.28556206]),
        ("GRU", {}, 2, ([0, 1, 3], [0, 3]), [0.19393763, 0.30818558]),
        ("SimpleRNN", {}, 4, ([0, 1, 3], [0, 3]), [0.32951632, 0.61799484]),
        ("SimpleRNN", BACKWARDS, 4, ([0, 1, 3], [0, 3]), [0.07376196, 0.43645123]),
    ],
)
def test_the_numbers_of_keras_tests_of_masks(
    kind: str, said: Any, units: int, kept: tuple[list[int], ...], golden: list[float]
) -> None:
    """A masked step in the middle is one that a row does not have."""
    x = counted(2, 4, 3)
    rows = torch.nn.utils.rnn.pad_sequence([x[k, steps] for k, steps in enumerate(kept)], batch_first=True)
    h = ours(constant_layer(kind, 3, units, **said), rows, lengths=[len(steps) for steps in kept])[1]
    assert_agrees(h, torch.tensor(golden)[:, None].expand(-1, units), BOUND)
