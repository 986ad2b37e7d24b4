"""The translator's schema: constructor, fields and defaults are one, and every field explains itself."""

import inspect

from recurra import Translator
from recurra.learners.parameters import validate
from recurra.learners.translation_schema import TranslatorConfig


def test_constructor_and_schema_agree() -> None:
    defaults = {name: p.default for name, p in inspect.signature(Translator).parameters.items()}
    assert defaults == {name: field.default for name, field in TranslatorConfig.model_fields.items()}
    assert all(field.description for field in TranslatorConfig.model_fields.values())


def test_vocabularies_are_joint_where_both_sides_have_subwords() -> None:
    for settings, joint in (({}, True), ({"target_units": "symbols"}, False), ({"units": "characters"}, False),
                            ({"joint": False}, False), ({"units": "symbols", "joint": True}, True)):  # fmt: skip
        assert validate(TranslatorConfig, settings).is_joint is joint
