"""Translator: what it learns, how it answers, and that it goes through a folder unchanged."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurra
from recurra import Translator
from recurra.checkpoints import SCHEMA_VERSION
from recurra.errors import ConfigError, NotFittedError, TableError
from tests.learners.translations import QUICK, reversed_rows

ROWS, HELD = reversed_rows(1200), reversed_rows(60, seed=1)


@pytest.fixture(scope="module")
def fitted() -> Translator:
    """A translator that writes letters backwards."""
    return Translator(**QUICK).fit(ROWS, validation=HELD)


def test_it_learns_to_write_backwards(fitted: Translator) -> None:
    report = fitted.score(HELD)
    assert report.right > 0.95
    assert report.copied_right < 0.5  # letters alone and palindromes are the same backwards
    assert fitted.reports_["training"].kept == len(ROWS)
    assert "better than copying" in str(report)


def test_every_line_is_answered_in_its_place(fitted: Translator) -> None:
    said = fitted.translate(["a b c", "", "   ", "Z", "d c", "a b c", "b " * 10_000])
    assert said[0] == said[5] == "c b a"
    assert said[1] == said[2] == ""
    assert said[4] == "c d"
    assert len(said) == 7
    long = fitted.hypotheses(["b " * 10_000])[0][0]
    assert long.truncated
    assert len(long.source) == fitted.max_length
    assert fitted.hypotheses(["a Z"])[0][0].unknown == 1
    assert fitted.translate("a b c") == "c b a"
    assert fitted.translate([]) == []


def test_the_best_answers_come_with_scores_and_alignment(fitted: Translator) -> None:
    best, *others = fitted.hypotheses(["a b c d"], n_best=4)[0]
    assert best.text == "d c b a"
    assert [each.score for each in (best, *others)] == sorted((each.score for each in (best, *others)), reverse=True)
    assert len({each.text for each in (best, *others)}) == 4
    assert best.alignment == ((3, 0), (2, 1), (1, 2), (0, 3))  # backwards
    assert best.attention.shape == (4, 4)
    np.testing.assert_allclose(best.attention.sum(1), 1.0, rtol=1e-5)
    assert (best.source, best.pieces) == (("a", "b", "c", "d"), ("d", "c", "b", "a"))


def test_an_answer_may_be_begun(fitted: Translator) -> None:
    said = fitted.translate(["a b c d", "a b"], ["d c a", ""])
    assert said[0].startswith("d c a")
    assert said[1] == "b a"
    assert fitted.translate("a b c", "c ") == "c b a"
    with pytest.raises(ConfigError, match="1 prefixes for 2 texts"):
        fitted.translate(["a", "b"], ["a"])
    with pytest.raises(recurra.errors.BadValueError, match="can spell the beginning from 'Q'"):
        fitted.translate("a b c", "Q")


def test_the_options_of_the_search_are_checked_by_name(fitted: Translator) -> None:
    assert fitted.translate(["a b c"], beam=1) == ["c b a"]
    assert fitted.options(n_best=9).beam == 9
    with pytest.raises(ConfigError, match=r"unknown option.*known: beam"):
        fitted.translate(["a"], width=3)
    with pytest.raises(ConfigError, match="texts should be several texts, such as a list, not str"):
        fitted.hypotheses("a b")
    with pytest.raises(ConfigError, match=r"texts\[1\] is NoneType"):
        fitted.translate(["a", None])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="prefixes should be one text"):
        fitted.translate("a", ["b"])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_best": "3"}, "n_best must be a whole number"),
        ({"temperature": 0.5}, "temperature has no effect on a search"),
        ({"seed": 1}, "seed has no effect"),
        ({"sample": True, "beam": 4}, "beam has no effect on draws"),
        ({"beam": 1, "coverage_penalty": 0.2}, "coverage_penalty has an effect on a beam only"),
        ({"first": -1, "sample": True}, "first must be"),
    ],
)
def test_options_that_change_nothing_are_refused(fitted: Translator, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        fitted.translate(["a"], **options)


def test_draws_depend_on_the_seed_and_the_number_of_a_text(fitted: Translator) -> None:
    texts, drawn = ["a b c d", "d e", "a b c d"], {"sample": True, "seed": 1, "temperature": 3.0}
    together = fitted.translate(texts, **drawn)
    assert [fitted.translate(text, first=at, **drawn) for at, text in enumerate(texts)] == together
    assert fitted.translate(texts[1:], first=1, **drawn) == together[1:]
    assert together[0] != together[2]


def test_a_beginning_is_kept_however_long_it_is(fitted: Translator) -> None:
    long = "a b " * 60
    for options in ({}, {"beam": 1}, {"no_repeat": 2}, {"no_repeat": 2, "beam": 1}, {"no_repeat": 2, "sample": True}):
        found = fitted.hypotheses(["a b c", "a"], [long, ""], **options)  # type: ignore[arg-type]
        assert found[0][0].text.startswith(long.strip())
        assert np.isfinite(found[0][0].log_probability)
        assert len(found[1]) == 1
    with pytest.raises(recurra.errors.BadValueError, match=r"prefixes\[1\], 'b Q': .* from 'Q' on"):
        fitted.translate(["a", "b"], ["", "b Q"])


def test_texts_may_come_one_after_the_other(fitted: Translator, tmp_path: Path) -> None:
    texts = ["a b c", "d c"]
    (tmp_path / "a.txt").write_text("a b c\nd c\n")
    assert fitted.translate(text for text in texts) == fitted.translate(texts) == ["c b a", "c d"]
    with (tmp_path / "a.txt").open() as file:
        assert fitted.translate(file) == ["c b a", "c d"]
    assert fitted.translate(iter(texts), (text for text in ("c b", ""))) == ["c b a", "c d"]


def test_pairs_may_come_one_after_the_other() -> None:
    settings, rows = {**QUICK, "max_epochs": 1}, ROWS[:60]
    expected = Translator(**settings).fit(rows).model_hash_
    for given in (iter(rows), zip(*map(list, zip(*rows, strict=True)), strict=True), np.array(rows)):
        assert Translator(**settings).fit(given).model_hash_ == expected
    with pytest.raises(TableError, match="are no pairs of texts"):
        Translator(**settings).fit(text for text in ("a", "b"))


def test_reports_name_the_rows_that_were_given() -> None:
    rows = [(str(n), str(n)) for n in range(100)]
    rows[49] = ("a " * 300, "a")
    rows[70] = ("", "a")
    model = Translator(**{**QUICK, "max_epochs": 1}).fit(rows)
    assert model.reports_["training"].first | model.reports_["validation"].first | {"unknown": 0} == {
        "too_long": 50, "empty": 71, "unknown": 0,
    }  # fmt: skip
    with pytest.raises(TableError, match="the pairs, row 50: 300 pieces"):
        Translator(**QUICK, too_long="refuse").fit(rows)
    with pytest.raises(TableError, match=r"the pairs \(to validate on\): of 1 pairs none is left"):
        Translator(**QUICK).fit(ROWS, validation=[("", "a")])


def test_words_of_characters_lie_between_spaces() -> None:
    rows = [("rot Hund", "dog red"), ("blau Katze", "cat blue"), ("rot Katze", "cat red")] * 4
    model = Translator(**{**QUICK, "units": "characters", "max_epochs": 1}).fit(rows)
    best = model.hypotheses(["blau Hund"], prefixes=["dog blue"])[0][0]
    assert [word for _, word in best.alignment] == list(range(len(best.text.split())))
    assert {word for word, _ in best.alignment} <= {0, 1}
    assert model.translate([" ", "\t"]) == ["", ""]


def test_it_goes_through_a_folder(fitted: Translator, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model", data_name="letters", data_licence="CC0")
    again = recurra.load(tmp_path / "model")
    assert again.get_params() == fitted.get_params()
    assert (again.model_hash_, again.reports_, again.history_) == (
        fitted.model_hash_,
        fitted.reports_,
        fitted.history_,
    )
    texts = [source for source, _ in HELD]
    assert again.translate(texts) == fitted.translate(texts)
    again.save(tmp_path / "again", data_name="letters", data_licence="CC0")
    for name in ("config.json", "model.safetensors", "README.md"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()
    card = (tmp_path / "model" / "README.md").read_text()
    for part in ("* data: letters", "* licence: CC0", "1,200 of 1,200 pairs kept", "units='symbols'"):
        assert part in card


KEPT = sorted((Path(__file__).parent / "models").glob("translator_schema_*/"))


@pytest.mark.parametrize("folder", [folder for folder in KEPT if folder.is_dir()], ids=lambda folder: folder.name)
def test_a_kept_model_says_what_it_said_when_it_was_made(folder: Path) -> None:
    """The expected answers were written by make_kept_translator.py when the schema version was born."""
    made = runpy.run_path(str(folder.parent.parent / "make_kept_translator.py"))
    expected = json.loads(folder.with_suffix(".json").read_text())
    model = recurra.load(folder)
    assert model.model_hash_ == expected["model_hash"]
    found = model.hypotheses(made["TEXTS"], n_best=2)
    for answers, wanted in zip(found, expected["answers"], strict=True):
        assert [each.text for each in answers] == [each["text"] for each in wanted]
        assert [[list(pair) for pair in each.alignment] for each in answers] == [each["alignment"] for each in wanted]
        np.testing.assert_allclose([each.score for each in answers], [each["score"] for each in wanted], rtol=1e-4)


def test_there_is_a_kept_model_of_this_schema_version() -> None:
    assert f"translator_schema_{SCHEMA_VERSION}" in [folder.name for folder in KEPT]


@pytest.mark.parametrize("folder", [folder for folder in KEPT if folder.is_dir()], ids=lambda folder: folder.name)
def test_a_kept_model_is_small(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < 32_000


def test_an_ensemble_answers_as_one(fitted: Translator, tmp_path: Path) -> None:
    other = Translator(**{**QUICK, "max_epochs": 2, "seed": 3}).fit(ROWS, validation=HELD)
    both = Translator.ensemble([fitted, other])
    assert both.n_parameters_ == fitted.n_parameters_ + other.n_parameters_
    assert both.score(HELD).right > other.score(HELD).right
    both.save(tmp_path / "both")
    assert recurra.load(tmp_path / "both").translate(["a b c"]) == both.translate(["a b c"])
    with pytest.raises(ConfigError, match="an ensemble cannot go on"):
        both.continue_fit(ROWS)
    strange = Translator(**{**QUICK, "max_epochs": 1}).fit([("x y", "y x"), ("x", "x")])
    with pytest.raises(ConfigError, match="one vocabulary"):
        Translator.ensemble([fitted, strange])
    small = Translator(**{**QUICK, "max_epochs": 1, "lowercase": "source"}).fit(ROWS, validation=HELD)
    with pytest.raises(ConfigError, match="one lowercase, got 'none' and 'source'"):
        Translator.ensemble(iter([fitted, small]))
    with pytest.raises(ConfigError, match=r"models\[1\] is no translator but a str"):
        Translator.ensemble([fitted, "other"])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="at least one"):
        Translator.ensemble([])


def test_learning_goes_on_with_the_same_vocabulary(fitted: Translator) -> None:
    model = Translator(**{**QUICK, "max_epochs": 1}).fit(ROWS[:300], validation=HELD)
    first, pieces = model.score(HELD).right, len(model._predictor.wording.source)
    model.set_params(max_epochs=5).continue_fit([*ROWS, ("new symbols", "symbols new")], validation=HELD)
    assert model.score(HELD).right > first
    assert len(model._predictor.wording.source) == pieces
    assert model.reports_["training"].unknown == 4
    with pytest.raises(ConfigError, match=r"hidden_size was 32 .* cannot become 64"):
        model.set_params(hidden_size=64).continue_fit(ROWS)


def test_a_broken_off_fit_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expected: the model of a fit that was not broken off, weight by weight."""
    settings = {**QUICK, "max_epochs": 3, "dropout": 0.2}
    whole = Translator(**settings).fit(ROWS[:200], validation=HELD)
    from recurra.training.translation import TranslationTask

    batches = TranslationTask.batches

    def interrupted(self: TranslationTask, epoch: int) -> Any:
        if epoch == 2:
            raise KeyboardInterrupt
        return batches(self, epoch)

    monkeypatch.setattr(TranslationTask, "batches", interrupted)
    broken = Translator(**settings).fit(ROWS[:200], validation=HELD, resume=tmp_path / "run")
    assert broken.history_.ending == "interrupted"
    monkeypatch.undo()
    again = Translator(**settings).fit(ROWS[:200], validation=HELD, resume=tmp_path / "run")
    assert again.model_hash_ == whole.model_hash_
    with pytest.raises(ConfigError, match="other settings, data or vocabulary"):
        Translator(**settings).fit(ROWS[:201], validation=HELD, resume=tmp_path / "run")


def test_the_same_seed_gives_the_same_model() -> None:
    settings = {**QUICK, "max_epochs": 1, "dropout": 0.3, "recurrent_dropout": 0.2}
    one, again, other = (Translator(**settings, seed=seed).fit(ROWS[:60]) for seed in (1, 1, 2))
    assert one.model_hash_ == again.model_hash_ != other.model_hash_


def test_subwords_of_one_vocabulary_and_of_two() -> None:
    rows = [("der Hund läuft", "the dog runs"), ("die Katze schläft", "the cat sleeps"), ("ein Hund", "a dog")] * 4
    for joint in (None, False):
        model = Translator(vocabulary_size=60, hidden_size=8, embedding_size=8, max_epochs=1, joint=joint).fit(rows)
        assert model.network_.shape.shared is (joint is None)
        assert isinstance(model.translate("der Hund schläft"), str)


def test_the_vocabulary_comes_from_the_training_part_alone() -> None:
    model = Translator(**{**QUICK, "max_epochs": 1}).fit([("a b", "b a"), ("b", "b")], validation=[("a Q", "Q a")])
    assert model.reports_["validation"].unknown == 2


def test_training_may_be_stopped_by_bleu() -> None:
    model = Translator(**{**QUICK, "max_epochs": 2, "validate_on": "bleu"}).fit(ROWS, validation=HELD)
    said = model.translate([source for source, _ in HELD], beam=1)
    expected = 100 - recurra.metrics.bleu(said, [target for _, target in HELD]).score
    assert model.history_.best_loss == pytest.approx(expected)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"units": "runes"}, "units"),
        ({"joint": True, "target_units": "characters"}, "same units"),
        ({"hidden_size": 33}, "hidden_size must be even"),
        ({"source_column": "a", "target_column": "a"}, "two roles"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Translator(**settings).fit(ROWS)


def test_pairs_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(TableError, match="part at line 2"):
        Translator(**QUICK).fit(["a"], ["b", "c"])
    with pytest.raises(TableError, match="none is left"):
        Translator(**{**QUICK, "max_length": 1}).fit([("a b", "b a"), ("a c", "c a")])
    with pytest.raises(NotFittedError):
        Translator().translate("a")
