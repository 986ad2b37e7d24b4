"""One path: draws follow the distribution, and the same seed gives the same draws."""

import pytest
import torch
from torch import Tensor

from recurra.decoding import DecodingOptions, NetworkScorer, follow_paths
from recurra.models.translation import TranslationNetwork
from tests.decoding.conftest import TableScorer

ONE = torch.tensor([[4, 5, 6]]), torch.tensor([3])


def test_draws_follow_the_distribution() -> None:
    # expected: 1,000 draws of p = 0.7; four standard deviations are 0.058
    scorer = TableScorer({(): {4: 0.7, 5: 0.3}})
    (found,) = follow_paths(scorer, *ONE, DecodingOptions(sample=True, n_best=1000, seed=5))
    share = sum(each.pieces == (4,) for each in found) / 1000
    assert share == pytest.approx(0.7, abs=0.058)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_temperature_and_top_k_narrow_the_draws() -> None:
    scorer = TableScorer({(): {4: 0.6, 5: 0.4}})
    for narrow in ({"top_k": 1}, {"temperature": 0.01}):
        (found,) = follow_paths(scorer, *ONE, DecodingOptions(sample=True, n_best=50, **narrow))  # type: ignore[arg-type]
        assert {each.pieces for each in found} == {(4,)}


def test_the_seed_decides(network: TranslationNetwork, sources: tuple[Tensor, Tensor]) -> None:
    scorer = NetworkScorer([network])
    one, again, other = (
        follow_paths(scorer, *sources, DecodingOptions(sample=True, n_best=2, seed=seed)) for seed in (1, 1, 2)
    )
    said = [[[each.pieces for each in answers] for answers in found] for found in (one, again, other)]
    assert said[0] == said[1] != said[2]


def test_an_answer_that_does_not_end_is_cut_at_its_limit() -> None:
    endless = TableScorer({(4,) * n: {4: 1.0} for n in range(100)})
    (found,) = follow_paths(endless, *ONE, DecodingOptions(max_ratio=1.0, max_extra=4))
    assert found[0].pieces == (4,) * 7  # 1.0 * 3 pieces of the source, and 4
    assert not found[0].ended


def test_what_is_drawn_does_not_depend_on_what_shares_the_batch(
    network: TranslationNetwork, sources: tuple[Tensor, Tensor]
) -> None:
    scorer, options = NetworkScorer([network]), DecodingOptions(sample=True, n_best=3, seed=4)
    together = follow_paths(scorer, *sources, options, numbers=range(10, 16))
    for row, length in enumerate(sources[1].tolist()):
        one = sources[0][row : row + 1, :length], sources[1][row : row + 1]
        (alone,) = follow_paths(scorer, *one, options, numbers=[10 + row])
        assert [each.pieces for each in alone] == [each.pieces for each in together[row]]
    same = sources[0][:1].expand(2, -1), sources[1][:1].expand(2)
    first, second = follow_paths(scorer, *same, options)
    assert [each.pieces for each in first] != [each.pieces for each in second]


def test_no_temperature_is_too_low() -> None:
    scorer = TableScorer({(): {4: 0.3, 5: 0.7}})
    (found,) = follow_paths(scorer, *ONE, DecodingOptions(sample=True, n_best=9, temperature=1e-300))
    assert {each.pieces for each in found} == {(5,)}
