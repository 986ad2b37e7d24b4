"""Beam search: against every possible answer, and against tables whose best answer is known by hand."""

import itertools
import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from recurra.decoding import DecodingOptions, Hypothesis, NetworkScorer, Spellings, beam_search, follow_paths
from recurra.errors import BadValueError
from recurra.models.translation import TranslationNetwork
from tests.decoding.conftest import END, TableScorer

Sources = tuple[Tensor, Tensor]
ONE = torch.tensor([[4, 5, 6]]), torch.tensor([3])


def pieces(found: Sequence[Sequence[Hypothesis]]) -> list[list[tuple[int, ...]]]:
    return [[each.pieces for each in answers] for answers in found]


def test_a_beam_finds_what_greedy_search_misses() -> None:
    # by hand: greedily 4 (0.6) then 6 (0.4) = 0.24; 5 (0.4) then 7 (0.9) = 0.36
    scorer = TableScorer({(): {4: 0.6, 5: 0.4}, (4,): {6: 0.4, 7: 0.3}, (5,): {7: 0.9}})
    options = DecodingOptions(beam=2, length_penalty=0.0)
    assert pieces(follow_paths(scorer, *ONE, options)) == [[(4, 6)]]
    best = beam_search(scorer, *ONE, options)[0][0]
    assert best.pieces == (5, 7)
    assert best.log_probability == pytest.approx(math.log(0.36))


def test_the_scores_are_those_of_the_formula() -> None:
    # by hand: log p / ((5 + 3) / 6)^alpha for two pieces and END; coverage: 3 steps of 1/3 cover every source piece
    table = {(): {4: 0.6}, (4,): {6: 0.5}}
    best = beam_search(TableScorer(table), *ONE, DecodingOptions(beam=1, length_penalty=0.7, coverage_penalty=1.0))
    assert best[0][0].score == pytest.approx(math.log(0.3) / (8 / 6) ** 0.7, abs=1e-5)
    short = beam_search(TableScorer({(): {4: 0.6}}), *ONE, DecodingOptions(beam=1, coverage_penalty=0.5))[0][0]
    assert short.score == pytest.approx(math.log(0.6) / (7 / 6) + 0.5 * 3 * math.log(2 / 3), abs=1e-5)


def test_length_normalisation_prefers_the_longer_answer() -> None:
    # by hand: p = 0.5 for 4 alone, 0.45 for 5 6 7
    scorer = TableScorer({(): {4: 0.5, 5: 0.45}})
    scorer.table |= {(5,): {6: 1.0}, (5, 6): {7: 1.0}}
    assert beam_search(scorer, *ONE, DecodingOptions(beam=2, length_penalty=0.0))[0][0].pieces == (4,)
    assert beam_search(scorer, *ONE, DecodingOptions(beam=2, length_penalty=1.0))[0][0].pieces == (5, 6, 7)


def test_a_wide_beam_is_exhaustive_search() -> None:
    """Expected: the best of all answers of up to three pieces, their probabilities multiplied one by one."""
    torch.manual_seed(3)
    text = range(4, 8)
    histories = [h for n in range(3) for h in itertools.product(text, repeat=n)]
    table = {h: dict(zip((END, *text), torch.softmax(2 * torch.randn(5), 0).tolist(), strict=True)) for h in histories}
    table |= {h: {END: 1.0} for h in itertools.product(text, repeat=3)}
    options = DecodingOptions(beam=100, n_best=5, length_penalty=0.6)
    scored = []
    for n in (1, 2, 3):
        for answer in itertools.product(text, repeat=n):
            steps = [table[answer[:t]][answer[t]] for t in range(n)] + [table[answer][END]]
            scored.append((options.normalised(sum(map(math.log, steps)), n + 1), answer))
    expected = [answer for _, answer in sorted(scored, reverse=True)[:5]]
    assert pieces(beam_search(TableScorer(table), *ONE, options)) == [expected]


def test_a_beam_of_one_is_greedy_search(network: TranslationNetwork, sources: Sources) -> None:
    scorer, options = NetworkScorer([network]), DecodingOptions(beam=1)
    greedy, beam = follow_paths(scorer, *sources, options), beam_search(scorer, *sources, options)
    assert pieces(greedy) == pieces(beam)
    for (one,), (other,) in zip(greedy, beam, strict=True):
        assert one.log_probability == pytest.approx(other.log_probability, rel=1e-4)
        assert one.ended == other.ended
        torch.testing.assert_close(one.attention, other.attention, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("changes", [{}, {"no_repeat": 2, "coverage_penalty": 0.2}])
def test_a_source_in_a_batch_is_answered_as_if_alone(
    network: TranslationNetwork, sources: Sources, changes: dict[str, float]
) -> None:
    source, lengths = sources
    scorer, options = NetworkScorer([network]), DecodingOptions(beam=4, n_best=4, **changes)  # type: ignore[arg-type]
    together = beam_search(scorer, source, lengths, options)
    for row, length in enumerate(lengths.tolist()):
        (alone,) = beam_search(scorer, source[row : row + 1, :length], lengths[row : row + 1], options)
        assert [each.pieces for each in alone] == [each.pieces for each in together[row]]
        for a, b in zip(alone, together[row], strict=True):
            assert a.attention.shape == (len(a.pieces), length)
            torch.testing.assert_close(a.attention, b.attention, atol=1e-5, rtol=1e-4)


def test_the_score_of_an_answer_is_the_networks(network: TranslationNetwork, sources: Sources) -> None:
    """Expected: the network's log probabilities of the same answer in one call."""
    source, lengths = sources
    found = beam_search(NetworkScorer([network]), source, lengths, DecodingOptions(beam=3, n_best=3))
    with torch.no_grad():
        _check_scores(network, source, lengths, found)


def _check_scores(network: TranslationNetwork, source: Tensor, lengths: Tensor, found: list[list[Hypothesis]]) -> None:
    for row in range(len(source)):
        for each in found[row]:
            target = torch.tensor([[2, *each.pieces]])
            vectors, weights = network(source[row : row + 1, : lengths[row]], lengths[row : row + 1], target)
            scores = torch.log_softmax(network.logits(vectors[0]), -1)
            ahead = [*each.pieces, END] if each.ended else list(each.pieces)
            expected = float(sum(scores[t, piece] for t, piece in enumerate(ahead)))
            assert each.log_probability == pytest.approx(expected, abs=1e-3)
            torch.testing.assert_close(each.attention, weights[0, : len(each.pieces)], atol=1e-4, rtol=1e-3)


def test_each_step_costs_one_step() -> None:
    # expected: an answer of three pieces takes four calls, its END included
    scorer = TableScorer({(): {4: 1.0}, (4,): {5: 1.0}, (4, 5): {6: 1.0}})
    beam_search(scorer, *ONE, DecodingOptions(beam=1))
    assert scorer.calls == 4


def test_no_run_of_pieces_twice() -> None:
    # by hand: the table says 4 5 for ever
    endless = {tuple([4, 5] * n): {4: 0.9, END: 0.05} for n in range(20)}
    endless |= {tuple([4, 5] * n + [4]): {5: 0.9, END: 0.05} for n in range(20)}
    free = beam_search(TableScorer(endless), *ONE, DecodingOptions(beam=1))[0][0]
    assert free.pieces == (4, 5) * 13
    assert not free.ended
    for search in (beam_search, follow_paths):
        held = search(TableScorer(endless), *ONE, DecodingOptions(beam=1, no_repeat=2))[0][0]
        runs = list(itertools.pairwise(held.pieces))
        assert held.pieces[:3] == (4, 5, 4)
        assert len(set(runs)) == len(runs)


def test_a_forced_beginning_and_its_unfinished_word() -> None:
    # by hand: 4 = "▁a", 5 = "▁man", 6 = "▁mouse", 7 = "▁mo": "a mo" allows 6 and 7 after 4
    spellings = Spellings(["", "", "", "", "▁a", "▁man", "▁mouse", "▁mo"])
    scorer = TableScorer({(): {5: 0.9, 4: 0.1}, (4,): {5: 0.9, 6: 0.08, 7: 0.02}})
    options = DecodingOptions(beam=3, n_best=2, length_penalty=0.0)
    found = beam_search(scorer, *ONE, options, ["▁a▁mo"], spellings)
    assert pieces(found) == [[(4, 6), (4, 7)]]
    assert found[0][0].log_probability == pytest.approx(math.log(0.1 * 0.08))
    assert pieces(follow_paths(scorer, *ONE, options, ["▁a▁mo"], spellings)) == [[(4, 6)]]
    assert pieces(follow_paths(scorer, *ONE, options, [""], spellings)) == [[(5,)]]


AB = Spellings(["", "", "", "", "a ", "b ", "c ", "d "])
AGAIN = {"no_repeat": 2, "max_ratio": 0.0, "max_extra": 2}


@pytest.mark.parametrize("changes", [{}, {"beam": 1}, {"sample": True}])
def test_a_forced_beginning_is_kept_beyond_the_limit_and_though_it_repeats_itself(changes: dict[str, int]) -> None:
    # by hand: twelve pieces are forced, then the limit of two counts: a is forbidden after b once more, so c
    scorer = TableScorer({(4, 5) * 6: {4: 0.6, 6: 0.4}, (4, 5) * 6 + (6,): {7: 1.0}})
    scorer.table |= {((4, 5) * 6)[:n]: {4: 0.5, 5: 0.5} for n in range(12)}
    options = DecodingOptions(**{"beam": 2, **AGAIN, **changes})  # type: ignore[arg-type]
    search = beam_search if options.beam > 1 and not options.sample else follow_paths
    (found,) = search(scorer, *ONE, options, ["a b " * 6], AB)
    assert found[0].pieces == (4, 5) * 6 + (6, 7)
    assert found[0].log_probability == pytest.approx(12 * math.log(0.5) + math.log(0.4))
    assert not found[0].ended


def test_no_piece_leads_where_a_beginning_cannot_be_spelled() -> None:
    # by hand: "ab" then "c" spells "abc"; "a" would leave "bc", which nothing spells
    spellings = Spellings(["", "", "", "", "a", "ab", "c", "d"])
    spellings.check("abc")
    assert spellings.allowed("abc") == [5]
    scorer = TableScorer({(): {4: 0.9, 5: 0.1}, (5,): {6: 0.1, 7: 0.9}})
    assert pieces(follow_paths(scorer, *ONE, DecodingOptions(beam=1), ["abc"], spellings)) == [[(5, 6)]]
    with pytest.raises(BadValueError, match="can spell the beginning from 'xd' on"):
        spellings.check("dabxd")
    spellings.check("d" * 3000)
    spellings.check("")
