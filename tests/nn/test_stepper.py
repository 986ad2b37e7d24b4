"""The stepper against layer.step and the whole sequence: stacked, selected rows, changed weights, refusals."""

import copy
import pickle

import numpy as np
import pytest
import torch
import torch.nn.utils.prune
from torch._subclasses.fake_tensor import FakeTensorMode

import recurra.nn
from recurra.errors import BackendUnavailable, ConfigError, DeviceError, DtypeError, ShapeError, StreamingUnsupported
from recurra.kernels import Activation, native_is_built
from tests.tolerances import OUTPUT_F32, SAME_FUNCTION_F64, assert_agrees

KINDS = ("RNN", "LSTM", "GRU")
IN, H, T, B = 3, 21, 6, 4
needs_native = pytest.mark.skipif(not native_is_built(), reason="the native kernels are not built here")


@needs_native
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_equal_the_sequence(kind: str, num_layers: int, dtype: torch.dtype) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, num_layers, dtype=dtype, backend="reference")
    x = torch.randn(T, B, IN, dtype=dtype)
    expected, last = layer(x)
    stepper = recurra.nn.Stepper(layer, batch=B)
    found = torch.stack([stepper.step(x_t) for x_t in x])
    tolerance = SAME_FUNCTION_F64 if dtype is torch.float64 else OUTPUT_F32
    assert_agrees(found, expected.detach(), tolerance)
    parts = last if isinstance(last, tuple) else (last,)
    assert_agrees(stepper.state_parts, tuple(part.detach() for part in parts), tolerance)


@needs_native
@pytest.mark.parametrize("batch", [1, B])
@pytest.mark.parametrize("options", [{}, {"clip": 0.5}, {"num_layers": 2}])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_equals_as_many_steps(kind: str, options: dict[str, float], batch: int) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, **options)
    one, many = recurra.nn.Stepper(layer, batch), recurra.nn.Stepper(layer, batch)
    x = torch.randn(T, batch, IN)
    steps = torch.stack([one.step(x_t) for x_t in x])
    assert torch.equal(torch.from_numpy(many.run(x.numpy())), steps)
    assert_agrees(many.state_parts, one.state_parts, SAME_FUNCTION_F64)
    many.state = None
    assert torch.equal(many.run(x), steps)
    assert many.run(x[:0].numpy()).shape == (0, batch, H)


@needs_native
def test_a_run_takes_one_row_plainly_and_refuses_other_shapes() -> None:
    layer = recurra.nn.GRU(IN, H)
    x = np.random.default_rng(0).standard_normal((T, IN)).astype(np.float32)
    y = recurra.nn.Stepper(layer).run(x)
    assert y.shape == (T, H)
    layer.weight_hh_l0.data = layer.weight_hh_l0.data * 2
    stepper = recurra.nn.Stepper(layer)
    layer.weight_hh_l0.data = layer.weight_hh_l0.data / 2
    assert np.array_equal(stepper.run(x), y)
    with pytest.raises(ShapeError, match="run: expected"):
        stepper.run(x[:, :2])
    with pytest.raises(DtypeError):
        stepper.run(x.astype(np.float64))


@needs_native
@pytest.mark.parametrize("kind", KINDS)
def test_numpy_and_tensors_give_the_same_numbers(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H)
    x = torch.randn(T, IN)
    arrays, tensors = recurra.nn.Stepper(layer), recurra.nn.Stepper(layer)
    for x_t in x:
        y = arrays.step(x_t.numpy())
        assert isinstance(y, np.ndarray)
        assert np.array_equal(y, tensors.step(x_t).numpy())


@needs_native
@pytest.mark.parametrize("kind", KINDS)
def test_some_rows_step_and_the_others_stay(kind: str) -> None:
    layer = getattr(recurra.nn, kind)(IN, H, 2)
    stepper, alone = recurra.nn.Stepper(layer, batch=B), recurra.nn.Stepper(layer)
    x = torch.randn(3, IN)
    stepper.step(x[:2], rows=[2, 0])
    y = stepper.step(x[2:], rows=np.array([2]))
    alone.step(x[0])
    assert_agrees(y[0], alone.step(x[2]), OUTPUT_F32)
    for part in stepper.state_parts:
        assert not part[:, [1, 3]].any()
    saved = stepper.state
    stepper.state = None
    assert not stepper.state_parts[0].any()
    stepper.state = saved
    assert_agrees(stepper.state, saved, OUTPUT_F32)


@needs_native
@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.data.mul_(-1),
        lambda p: p.detach().add_(1e-3),
        lambda p: setattr(p, "data", p.data * 2),
        lambda p: p.data.copy_(p.data.flip(0)),
    ],
)
def test_a_changed_weight_is_noticed(change: object) -> None:
    layer = recurra.nn.GRU(IN, H)
    stepper = recurra.nn.Stepper(layer)
    x = torch.randn(IN)
    before = stepper.step(x)
    change(layer.weight_hh_l0)  # type: ignore[operator]
    change(layer.weight_ih_l0)  # type: ignore[operator]
    stepper.state = None
    after = stepper.step(x)
    assert not torch.equal(before, after)
    assert_agrees(after, layer.step(x)[0].detach(), OUTPUT_F32)


@needs_native
@pytest.mark.parametrize("batch", [1, 2])
def test_a_weight_changed_in_place_is_noticed_by_several_rows_too(batch: int) -> None:
    layer = recurra.nn.RNN(IN, H)
    stepper, x, h = recurra.nn.Stepper(layer, batch), torch.randn(batch, IN), torch.randn(1, batch, H)
    stepper.step(x)
    layer.weight_hh_l0.data.mul_(-1)
    stepper.state = h
    assert_agrees(stepper.step(x), layer.step(x, h)[0].detach(), OUTPUT_F32)


@needs_native
def test_weights_that_are_no_parameters_of_the_layer() -> None:
    # expected: what layer.step gives
    layer = recurra.nn.GRU(IN, H)
    torch.nn.utils.prune.random_unstructured(layer, "weight_hh_l0", 0.3)
    stepper, x = recurra.nn.Stepper(layer), torch.randn(T, IN)
    state = None
    for x_t in x:
        y, state = layer.step(x_t, state)
        assert_agrees(stepper.step(x_t), y.detach(), OUTPUT_F32)
    layer.weight_hh_l0_mask.zero_()
    y, _ = layer.step(x[0], state)
    assert_agrees(stepper.step(x[0]), y.detach(), OUTPUT_F32)


@needs_native
@pytest.mark.parametrize(
    "layer",
    [
        recurra.nn.LSTM(IN, H, proj_size=4),
        recurra.nn.GRU(IN, H, 2, reset_after=False),
        recurra.nn.RNN(IN, H, nonlinearity="softsign"),
        recurra.nn.LSTM(IN, H, bias=False),
    ],
    ids=["projected", "reset before", "softsign", "without bias"],
)
def test_other_recurrences_step_as_they_run(layer: torch.nn.Module) -> None:
    x = torch.randn(T, B, IN)
    for batch in (1, B):
        stepper = recurra.nn.Stepper(layer, batch)
        found = torch.stack([stepper.step(x_t) for x_t in x[:, :batch]])
        assert_agrees(found, layer(x[:, :batch])[0].detach(), OUTPUT_F32)


@needs_native
def test_a_stepper_is_copied_and_pickled_with_its_state() -> None:
    stepper, x = recurra.nn.Stepper(recurra.nn.LSTM(IN, H)), torch.randn(IN)
    stepper.step(x)
    others = [copy.deepcopy(stepper), pickle.loads(pickle.dumps(stepper))]
    wanted = stepper.step(x)
    for other in others:
        assert torch.equal(other.step(x), wanted)


@needs_native
def test_what_has_no_memory_is_refused() -> None:
    for batch, shape in ((1, (IN,)), (2, (2, IN))):
        stepper, x = recurra.nn.Stepper(recurra.nn.GRU(IN, H), batch), torch.zeros(shape)
        x.untyped_storage().resize_(0)
        with pytest.raises(ShapeError, match="no memory"):
            stepper.step(x)
        with FakeTensorMode():
            fake = torch.zeros(shape)
        with pytest.raises(DtypeError, match="FakeTensor"):
            stepper.step(fake)
        with pytest.raises(ShapeError, match="no memory"):
            stepper.state = torch.zeros(1, batch, H, device="meta")
        with pytest.raises(DtypeError, match="made of tensors"):
            stepper.state = "x"  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="True"):
        recurra.nn.Stepper(recurra.nn.GRU(IN, H), True)
    assert recurra.nn.Stepper(recurra.nn.GRU(IN, H), np.int64(2)).batch == 2


@needs_native
def test_what_does_not_fit_is_refused() -> None:
    layer = recurra.nn.LSTM(IN, H)
    stepper = recurra.nn.Stepper(layer, batch=2)
    for x, rows, error in (
        (torch.zeros(2, IN + 1), None, ShapeError),
        (torch.zeros(3, IN), None, ShapeError),
        (torch.zeros(2, IN), [0], ShapeError),
        (torch.zeros(2, IN), [0, 0], ShapeError),
        (torch.zeros(1, IN), [2], ShapeError),
        (torch.zeros(1, IN), [-1], ShapeError),
        (torch.zeros(2, IN).double(), None, DtypeError),
        (np.zeros((2, IN)), None, DtypeError),
        ([0.0] * IN, None, DtypeError),
        (torch.zeros(2, IN, device="meta"), None, DeviceError),
    ):
        with pytest.raises(error):
            stepper.step(x, rows)  # type: ignore[type-var]
    with pytest.raises(ShapeError, match="the state should be"):
        stepper.state = torch.zeros(1, 2, H)
    with pytest.raises(ConfigError, match="above zero"):
        recurra.nn.Stepper(layer, batch=0)
    with pytest.raises(ConfigError, match=r"of recurra\.nn, got: LSTM"):
        recurra.nn.Stepper(torch.nn.LSTM(IN, H))
    with pytest.raises(StreamingUnsupported, match="bidirectional"):
        recurra.nn.Stepper(recurra.nn.RNN(IN, H, bidirectional=True))
    with pytest.raises(BackendUnavailable, match="bfloat16"):
        recurra.nn.Stepper(recurra.nn.RNN(IN, H, nonlinearity=torch.sin, dtype=torch.bfloat16))


OPTIONS: dict[str, tuple[str, dict[str, object]]] = {
    "rnn": ("RNN", {}),
    "rnn, own alpha": ("RNN", {"nonlinearity": Activation("elu", 0.3)}),
    "lstm": ("LSTM", {}),
    "lstm, peephole": ("LSTM", {"peephole": True, "coupling": "forget", "proj_size": 3, "projection_clip": 0.2}),
    "lstm, fastrnns": ("LSTM", {"layer_norm": "fastrnns", "cell_activation": "softsign"}),
    "lstm, tflite": ("LSTM", {"layer_norm": "tflite", "peephole": True, "cell_clip": 0.4}),
    "gru": ("GRU", {}),
    "gru, reset before": ("GRU", {"reset_after": False, "gate_activation": "hard_sigmoid"}),
    "a callable": ("LSTM", {"cell_activation": torch.sin}),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_layer_with_options_steps_too(name: str) -> None:
    """Some rows, then others, arrays and tensors: each row as `layer.step` alone; in training too without dropout."""
    kind, own = OPTIONS[name]
    options = {"clip": 0.6, "zoneout": 0.2, "learned_state": True, "recurrent_dropout": 0.5, "dropout": 0.5, **own}
    layer = getattr(recurra.nn, kind)(IN, H, 2, batch_first=True, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    stepper = recurra.nn.Stepper(layer, batch=3)
    x = torch.randn(4, 3, IN, dtype=torch.float64)
    rows = [[0, 1, 2], [2, 0], [1], [2, 1]]
    found = [stepper.step(x[0]), *(torch.from_numpy(stepper.step(x[t, rows[t]].numpy(), rows[t])) for t in (1, 2, 3))]
    layer.eval()
    for row in range(3):
        state = None
        for t in range(4):
            if row in rows[t]:
                with torch.no_grad():
                    y, state = layer.step(x[t, row], state)
                assert_agrees(found[t][rows[t].index(row)], y, SAME_FUNCTION_F64)
    with pytest.raises(ShapeError, match="the state should be"):
        stepper.state = tuple(torch.zeros(1, 3, H, dtype=torch.float64) for _ in stepper.state_parts)
    one = recurra.nn.Stepper(layer)
    first = one.step(x[0, 0])
    for parameter in layer.parameters():  # the weights lie elsewhere from here on
        parameter.data = parameter.data.clone()
    one.state = None
    assert_agrees(torch.from_numpy(one.step(x[0, 0].numpy())), first, SAME_FUNCTION_F64)


def test_without_the_kernels_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.kernels._compiled.native", None)
    with pytest.raises(BackendUnavailable, match="not built"):
        recurra.nn.Stepper(recurra.nn.GRU(IN, H))


@needs_native
@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("options", [{}, {"gate_activation": torch.sigmoid}])
def test_a_run_refuses_what_does_not_fit_whatever_its_length(
    options: dict[str, object], batch: int, steps: int
) -> None:
    stepper = recurra.nn.Stepper(recurra.nn.GRU(IN, H, **options), batch)
    x = torch.zeros(steps, batch, IN)
    for given, error, message in (
        (x.double(), DtypeError, r"run: expected an observation of type torch\.float32, got torch\.float64"),
        (x.numpy().astype(np.float64), DtypeError, "run: expected an observation of type float32, got float64"),
        (x.to("meta"), DeviceError, "run: expected an observation on the CPU, got one on meta"),
        (x.tolist(), DtypeError, "run: an observation should be a tensor or an array, got: list"),
        (x[0, 0, 0] if steps else x.sum(), ShapeError, "run: expected observations of shape"),
    ):
        with pytest.raises(error, match=message):
            stepper.run(given)
    assert stepper.run(x).shape == (steps, batch, H)
