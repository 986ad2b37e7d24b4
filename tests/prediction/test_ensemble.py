"""An ensemble's answers are its members' means; saved, streamed, snapshot and forked it stays the same."""

import numpy as np
import pytest

from recurra.data import Columns, TablePolicy
from recurra.errors import SnapshotError, StreamError
from recurra.prediction import EnsemblePredictor, EnsembleStream, saved_predictor
from recurra.prediction.sampling import sample_paths
from tests.prediction.streamed import assert_same, so_far


@pytest.fixture
def rows(frame):
    return frame("ab", 30)


@pytest.fixture
def ensemble(rows, read, predictor):
    """Three members whose heads differ: the weights of one network, scaled."""
    members = [predictor(read(rows, "D")) for _ in range(3)]
    for k, member in enumerate(members):
        for parameter in member.network.head.parameters():
            parameter.data.mul_(1.0 + k)
    return EnsemblePredictor(members)


def test_its_quantiles_are_the_means_of_theirs_and_never_cross(rows, read, ensemble):
    # expected: numpy over the members' own answers
    table = read(rows, "D")
    answer, parts = ensemble.forecasts(table), [member.forecasts(table) for member in ensemble.members]
    np.testing.assert_allclose(answer.quantiles, np.mean([part.quantiles for part in parts], axis=0))
    np.testing.assert_allclose(answer.mean, np.mean([part.mean for part in parts], axis=0))
    assert not np.allclose(parts[0].quantiles, parts[2].quantiles)
    assert (np.diff(answer.quantiles, axis=-1) > 0).all()
    hindcast = ensemble.hindcast(table, np.array([5, 5]))
    own = [member.hindcast(table, np.array([5, 5])) for member in ensemble.members]
    np.testing.assert_allclose(hindcast.quantiles, np.mean([part.quantiles for part in own], axis=0))
    assert ((hindcast.ranks >= 0) & (hindcast.ranks <= 1) | np.isnan(hindcast.actual)).all()


def test_it_is_saved_and_told_apart(rows, read, ensemble):
    again = saved_predictor(ensemble.to_config(), ensemble.to_tensors())
    assert isinstance(again, EnsemblePredictor)
    assert again.fingerprint == ensemble.fingerprint
    assert_same(again.forecasts(read(rows, "D")), ensemble.forecasts(read(rows, "D")))
    one = ensemble.members[0]
    assert saved_predictor(one.to_config(), one.to_tensors()).fingerprint == one.fingerprint
    assert EnsemblePredictor(ensemble.members[:2]).fingerprint != ensemble.fingerprint


def test_its_stream_equals_its_batch_and_survives_a_restart(rows, read, ensemble):
    table = read(so_far(rows, 9), "D")
    stream = EnsembleStream(ensemble, Columns(), table, tables=TablePolicy(missing="mask"))
    twin = stream.fork()
    for t in range(10, 20):
        arrived = rows[rows.groupby("unique_id").cumcount() == t].to_dict("records")
        answer = stream.update_many(arrived) if t % 2 else [stream.update(row) for row in arrived][-1]
    assert_same(stream.forecasts(), ensemble.forecasts(read(so_far(rows, 19), "D")))
    assert answer.ids[-1] == "b"
    assert_same(twin.forecasts(), ensemble.forecasts(table))
    restored = EnsembleStream.restore(stream.snapshot(), ensemble, Columns())
    assert_same(restored.forecasts(), stream.forecasts())
    assert restored.series == stream.series
    with pytest.raises(SnapshotError, match="another model"):
        EnsembleStream.restore(stream.snapshot(), EnsemblePredictor(ensemble.members[:2]), Columns())


def test_a_refused_row_changes_no_member(rows, read, ensemble):
    stream = EnsembleStream(ensemble, Columns(), read(so_far(rows, 9), "D"))
    before = stream.forecasts()
    with pytest.raises(StreamError):
        stream.update(rows.iloc[8].to_dict())
    assert_same(stream.forecasts(), before)


def test_paths_are_drawn_from_every_member_in_turn(rows, read, ensemble):
    table = read(rows, "D")
    paths = ensemble.sample(table, None, TablePolicy(missing="mask"), (7, 0, None))
    assert paths.values.shape == (2, 7, 3)
    assert len(np.unique(paths.values[0, :, 0])) == 7
    few = ensemble.sample(table, None, TablePolicy(missing="mask"), (2, 0, None))
    assert few.values.shape == (2, 2, 3)


def test_no_two_paths_of_an_ensemble_share_their_ranks(rows, read, predictor):
    # expected: of members that are one network, the paths of that network alone: as many as are asked for
    table, tables = read(rows, "D"), TablePolicy(missing="mask")
    alike = EnsemblePredictor([predictor(table)] * 5)
    paths = alike.sample(table, None, tables, (20, 3, None)).values
    np.testing.assert_allclose(paths, sample_paths(predictor(table), table, None, tables, (20, 3, None)).values)
    assert len(np.unique(paths[0, :, 0].round(9))) == 20
