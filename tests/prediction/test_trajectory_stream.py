"""A stream of tracks says after every fix what a table says; objects come and go, wait, and are kept apart."""

from typing import Any

import numpy as np
import pytest
import torch

from recurra.data.tracks import InputSpec, PathForecasts, TrackColumns, TrackPolicy, TrackTable
from recurra.errors import BadValueError, LateRowError, MissingColumnError, SnapshotError, StreamError
from recurra.models.trajectory import TrajectoryNetwork, TrajectoryShape
from recurra.prediction import TrackArrivalPolicy, TrajectoryPredictor, TrajectoryStream
from recurra.prediction.track_engine import TorchEngine, engine_of

FLAT, GLOBE = TrackColumns(), TrackColumns(geographic=True, features=("wind",))


def predictor(columns: TrackColumns = FLAT, **changes: Any) -> TrajectoryPredictor:
    """An untrained network with weights large enough that everything it is shown matters."""
    neighbours = changes.pop("neighbours", 0)
    features = tuple((name, 1.0, 2.0) for name in columns.features)
    place = ((0.0, 50.0), (0.0, 30.0)) if columns.geographic else ()
    spec = InputSpec(
        1.0, 2.5, 0.5, aligned=not columns.geographic, features=features, place=place, neighbours=neighbours
    )
    torch.manual_seed(2)
    shape = TrajectoryShape(spec.width, 4, **{"components": 3, "hidden_size": 6, **changes})
    network = TrajectoryNetwork(shape).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.4)
    return TrajectoryPredictor(spec, network)


def crowd(columns: TrackColumns = FLAT, fixes: int = 12) -> TrackTable:
    """Three objects that come one after the other; the second has a gap, the third stands still for a while."""
    random = np.random.default_rng(7)
    rows = []
    for name, first in (("a", 0), ("b", 3), ("c", 5)):
        position = np.cumsum(random.normal(0.2, 0.4, (fixes, 2)), 0)
        if name == "c":
            position[2:6] = position[2]
        late = 5 if name == "b" else 0
        rows += [(name, float(first + i + (late if i > 6 else 0)), *position[i], float(i % 4)) for i in range(fixes)]
    names, times, x, y, wind = zip(*rows, strict=True)
    table: dict[str, Any] = {"object": names, "time": times, "x": x, "y": y, "wind": wind}
    if columns.geographic:
        table["x"] = [179.9 + value / 20 for value in x]
        table["wind"] = [None if value == 3 else value for value in wind]
    return TrackTable.from_table(table, columns=columns)


def rows_of(table: TrackTable) -> list[dict[str, Any]]:
    """The fixes in order of time, as rows."""
    owner = table.owner
    order = np.argsort(table.time, kind="stable")
    rows = []
    for i in order:
        x, y = (float(value) for value in table.position[i])
        features = dict(zip(table.columns.features, map(float, table.features[i]), strict=True))
        rows.append({"object": table.ids[owner[i]], "time": float(table.time[i]), "x": x, "y": y, **features})
    return rows


def alike(stream: PathForecasts, table: PathForecasts) -> bool:
    """Whether all that two answers say agrees to 1e-9."""
    names = ("origin", "origin_time", "path", "weights", "means", "factors")
    return all(np.allclose(getattr(stream, n), getattr(table, n), atol=1e-9, rtol=0) for n in names)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(("columns", "lags", "components"), [(FLAT, 0, 3), (GLOBE, 3, 0), (FLAT, 2, 1)])
def test_after_every_fix_the_path_is_that_of_the_table_so_far(
    cell: str, columns: TrackColumns, lags: int, components: int
) -> None:
    model, table = predictor(columns, cell=cell, lags=lags, components=components), crowd(columns)
    stream = TrajectoryStream(model, columns)
    said = 0
    for row in rows_of(table):
        answer = stream.update(row)
        expected = model.forecasts(table.until(row["time"]))
        if len(answer):
            place = expected.ids.index(answer.ids[0])
            assert alike(answer, expected.take([place]))
            said += 1
        else:
            assert answer.left_out == (row["object"],)
    assert said == len(table) - 4


def test_a_moment_at_once_is_the_same_and_so_are_neighbours() -> None:
    """A network that sees neighbours, handed whole moments, against the table cut at each of them."""
    model, table = predictor(neighbours=2), crowd()
    stream = TrajectoryStream(model, FLAT)
    for time in np.unique(table.time):
        moment = [row for row in rows_of(table) if row["time"] == time]
        answer = stream.update_many(moment)
        expected = model.forecasts(table.until(float(time)))
        for i, name in enumerate(answer.ids):
            assert alike(answer.take([i]), expected.take([expected.ids.index(name)]))
    with pytest.raises(StreamError, match="hand in all fixes of a moment"):
        stream.update({"object": "new", "time": float(table.time.max()), "x": 0.0, "y": 0.0})


def test_the_native_engine_draws_what_the_modules_draw(rng: np.random.Generator) -> None:
    """The fast path against the network's own modules, over several fixes of two objects in turn."""
    model = predictor(lags=2)
    fast, slow = engine_of(model.network), TorchEngine(model.network)
    zero = (torch.zeros(1, 1, 6, dtype=torch.float64),)
    states = dict.fromkeys("ab", (zero, zero))
    for name in "aabba":
        x = rng.normal(size=model.spec.width)
        h, mine = fast.advance(x, states[name][0])
        expected, theirs = slow.advance(x, states[name][1])
        states[name] = (mine, theirs)
        assert h == pytest.approx(expected, abs=1e-12)
        late = rng.normal(size=2 * model.spec.width)
        drawn, wanted = fast.draw(h, x, late), slow.draw(expected, x, late)
        assert drawn.weights == pytest.approx(wanted.weights, abs=1e-12)
        assert drawn.means == pytest.approx(wanted.means, abs=1e-12)
        assert drawn.factors == pytest.approx(wanted.factors, abs=1e-12)


def test_a_stream_begun_from_a_table_goes_on_as_if_it_had_seen_it() -> None:
    model, table = predictor(), crowd()
    rows = rows_of(table)
    early = table.until(rows[19]["time"])
    one, other = TrajectoryStream(model, FLAT, early), TrajectoryStream(model, FLAT)
    known = [row for row in rows if row["time"] <= rows[19]["time"]]
    for row in known:
        other.update(row)
    assert alike(one.forecasts().take(np.argsort(one.objects)), other.forecasts().take(np.argsort(other.objects)))
    following = rows[len(known)]
    assert alike(one.update(following), other.update(following))


def test_a_stream_is_restored_and_forked() -> None:
    model, rows = predictor(cell="lstm", lags=2), rows_of(crowd())
    stream = TrajectoryStream(model, FLAT)
    for row in rows[:20]:
        stream.update(row)
    restored = TrajectoryStream.restore(stream.snapshot(), model, FLAT)
    fork = stream.fork()
    fork.update({**rows[20], "x": 99.0})
    assert alike(stream.update(rows[20]), restored.update(rows[20]))
    assert restored.objects == stream.objects
    with pytest.raises(SnapshotError, match="another model"):
        TrajectoryStream.restore(stream.snapshot(), predictor(cell="gru"), FLAT)


def test_late_and_repeated_fixes_are_refused_or_ignored_and_change_nothing() -> None:
    model, rows = predictor(), rows_of(crowd())
    stream = TrajectoryStream(model, FLAT)
    for row in rows[:6]:
        stream.update(row)
    before = stream.snapshot()
    for wrong, word in ((rows[5], "repeated='ignore'"), ({**rows[5], "time": rows[5]["time"] - 0.5}, "late='ignore'")):
        with pytest.raises(LateRowError, match=word):
            stream.update(wrong)
    assert stream.snapshot() == before
    easy = TrajectoryStream(model, FLAT, policy=TrackArrivalPolicy(late="ignore", repeated="ignore"))
    for row in rows[:6]:
        easy.update(row)
    present = stream.forecasts()
    assert alike(easy.update(rows[5]), present.take([present.ids.index(rows[5]["object"])]))


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        ({"object": "a", "time": 1.0, "x": 1.0}, MissingColumnError, "column 'y' is missing"),
        ({"object": "a", "time": 1.0, "x": float("nan"), "y": 0.0}, BadValueError, "column 'x': nan"),
        ({"object": "a", "time": "soon", "x": 1.0, "y": 0.0}, BadValueError, "column 'time': 'soon'"),
        ({"object": "", "time": 1.0, "x": 1.0, "y": 0.0}, BadValueError, "the object is not named"),
    ],
)
def test_a_row_that_is_wrong_is_refused(row: dict[str, Any], error: type[Exception], words: str) -> None:
    stream = TrajectoryStream(predictor(), FLAT)
    with pytest.raises(error, match=words):
        stream.update(row)
    assert stream.objects == ()


def test_on_the_globe_a_latitude_over_90_is_refused() -> None:
    stream = TrajectoryStream(predictor(GLOBE), GLOBE)
    with pytest.raises(BadValueError, match="no latitude"):
        stream.update({"object": "a", "time": 1.0, "x": 1.0, "y": 95.0, "wind": 1.0})


def test_objects_are_forgotten_when_told_to_or_when_long_not_seen() -> None:
    stream = TrajectoryStream(predictor(), FLAT, policy=TrackArrivalPolicy(forget_after_s=10.0))
    stream.update({"object": "a", "time": 0.0, "x": 0.0, "y": 0.0})
    stream.update({"object": "b", "time": 8.0, "x": 0.0, "y": 0.0})
    stream.update({"object": "b", "time": 11.0, "x": 0.0, "y": 0.0})
    assert stream.objects == ("b",)
    stream.forget("b")
    assert stream.objects == ()
    with pytest.raises(StreamError, match="no object 'b'"):
        stream.forget("b")
    with pytest.raises(StreamError, match="hand in a fix first"):
        stream.forecasts()


def test_a_jump_is_noted_cuts_the_track_or_is_refused() -> None:
    rows = [{"object": "a", "time": float(t), "x": 0.1 * t, "y": 0.0} for t in range(4)]
    jump = {"object": "a", "time": 4.0, "x": 900.0, "y": 0.0}
    for word in ("flag", "cut", "refuse"):
        policy = TrackPolicy(jumps=word, max_speed=10.0)  # type: ignore[arg-type]
        stream = TrajectoryStream(predictor(), FLAT, tables=policy)
        for row in rows:
            stream.update(row)
        if word == "refuse":
            with pytest.raises(BadValueError, match="reached faster than 10"):
                stream.update(jump)
            continue
        assert len(stream.update(jump)) == (1 if word == "flag" else 0)
        assert list(stream.jumps) == [("a", 4.0)]
