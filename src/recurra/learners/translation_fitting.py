"""From pairs of texts and settings to a trained translating network; the steps in their order."""

import copy
import hashlib
import os
from dataclasses import dataclass, replace

from recurra.data.text import (
    EncodedPairs,
    PieceOptions,
    Pieces,
    SentencePairs,
    TextReport,
    build_pieces,
    encode_pairs,
)
from recurra.decoding import DecodingOptions
from recurra.errors import NonFiniteLossError
from recurra.learners.fitting import on_device, seeded, training_options
from recurra.learners.translation_schema import TranslatorConfig
from recurra.metrics.text import bleu
from recurra.models.translation import TranslationNetwork, TranslationShape
from recurra.prediction.translation import TranslationPredictor, Wording
from recurra.training import History, RunFolder, Trainer, build_progress
from recurra.training.translation import TranslationTask

Folder = str | os.PathLike[str]


@dataclass(frozen=True)
class FittedTranslator:
    """Everything that fit learned.

    Args:
        predictor: the trained network and its vocabularies.
        history: the training run.
        reports: what became of the pairs of the training and of the validation part.
        error: the error that ended training early, if one did.
    """

    predictor: TranslationPredictor
    history: History
    reports: dict[str, TextReport]
    error: NonFiniteLossError | None = None


def fit_translator(
    training: SentencePairs,
    validation: SentencePairs,
    config: TranslatorConfig,
    resume: Folder | None = None,
    start: TranslationPredictor | None = None,
) -> FittedTranslator:
    """Learn the vocabularies from the training part, number the pairs, train, and keep the best weights.

    Args:
        training: pairs to learn from.
        validation: pairs that decide when training stops.
        config: the settings.
        resume: a folder from which a run that was broken off goes on.
        start: a trained predictor to go on from, with its vocabularies.
    """
    lower = config.lowercase != "none", config.lowercase == "both"
    training = training.lower(*lower)
    source, target = (start.wording.source, start.wording.target) if start else build_vocabularies(training, config)
    wording = Wording(source, target, config.lowercase, config.max_length)
    learned = encode_pairs(training, source, target, config.max_length, config.too_long)
    held = encode_pairs(validation.lower(*lower), source, target, config.max_length, config.too_long)
    network = _network(wording, config, start)
    by_bleu = config.validate_on == "bleu"
    task = TranslationTask(
        network,
        learned,
        held,
        tokens=config.batch_tokens,
        smoothing=config.label_smoothing,
        seed=config.seed,
        validate=(lambda: 100.0 - greedy_bleu(network, wording, validation, config)) if by_bleu else None,
    )
    options = replace(training_options(config), average=config.average)
    folder = None if resume is None else RunFolder(resume, run_fingerprint(config, network, wording, learned, held))
    trainer = Trainer(network, task, options, build_progress(config.progress), folder)
    error = None
    with seeded(config):
        try:
            trainer.run()
        except NonFiniteLossError as problem:
            error = problem
    predictor = TranslationPredictor([network.to("cpu").eval().freeze()], wording, source is target)
    reports = {"training": learned.report, "validation": held.report}
    return FittedTranslator(predictor, trainer.history, reports, error)


def build_vocabularies(training: SentencePairs, config: TranslatorConfig) -> tuple[Pieces, Pieces]:
    """The vocabularies of both sides, from the training part alone; one and the same if they are joint."""
    options = PieceOptions(config.units, config.vocabulary_size, config.subword_method)
    if config.is_joint:
        both = build_pieces([*training.source, *training.target], options)
        return both, both
    target = replace(options, units=config.units_of_target)
    return build_pieces(training.source, options), build_pieces(training.target, target)


def _network(wording: Wording, config: TranslatorConfig, start: TranslationPredictor | None) -> TranslationNetwork:
    """The network with its starting weights, drawn from the seed or taken over."""
    shape = TranslationShape(
        source_size=len(wording.source),
        target_size=len(wording.target),
        shared=wording.source is wording.target,
        cell=config.cell,
        embedding_size=config.embedding_size,
        hidden_size=config.hidden_size,
        encoder_layers=config.encoder_layers,
        decoder_layers=config.decoder_layers,
        attention=config.attention,
        input_feeding=config.input_feeding,
        dropout=config.dropout,
        recurrent_dropout=config.recurrent_dropout,
    )
    with seeded(config):
        network = TranslationNetwork(shape, config.backend)
    if start is not None:
        network.load_state_dict(start.networks[0].state_dict())
    return on_device(network, config.device)


def greedy_bleu(network: TranslationNetwork, wording: Wording, pairs: SentencePairs, config: TranslatorConfig) -> float:
    """BLEU of greedy answers, for the validation part during training."""
    here = network if config.device == "cpu" else copy.deepcopy(network).to("cpu")
    predictor = TranslationPredictor([here], wording, wording.source is wording.target)
    answers = predictor.translate(pairs.source, DecodingOptions(beam=1, no_repeat=config.no_repeat))
    said = [found[0].text if found else "" for found in answers]
    return bleu(said, pairs.target, lowercase=config.lowercase == "both").score


def run_fingerprint(
    config: TranslatorConfig, network: TranslationNetwork, wording: Wording, *parts: EncodedPairs
) -> str:
    """SHA-256 over all that a training run depends on: settings, first weights, vocabularies and pairs."""
    settings = config.model_dump_json(exclude={"progress", "beam", "length_penalty", "coverage_penalty", "no_repeat"})
    digest = hashlib.sha256(settings.encode())
    for weights in network.state_dict().values():
        digest.update(weights.cpu().numpy().tobytes())
    for pieces in (wording.source, wording.target):
        digest.update(repr(pieces.to_config()).encode())
        blob = pieces.to_blob()
        digest.update(b"" if blob is None else blob.tobytes())
    for part in parts:
        for side in (part.source, part.target):
            for numbers in side:
                digest.update(numbers.tobytes() + b"|")
    return digest.hexdigest()
