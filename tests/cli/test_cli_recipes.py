"""Recipes as they are written on the command line."""

from __future__ import annotations

import pytest

from evenhand.cli.compress_verb import parse_recipe
from evenhand.compression import Distillation, Int8, MagnitudePruning, NeuronPruning, Recipe
from evenhand.errors import InputError


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("int8", Int8()),
        ("int8=256", Int8(256)),
        ("int8:kind=dynamic", Int8(kind="dynamic")),
        ("neuron_pruning=0.25:epochs=3", NeuronPruning(0.25, epochs=3)),
        ("magnitude_pruning:scope=2:4:epochs=0", MagnitudePruning(scope="2:4", epochs=0)),
        ("distillation=32x16:states=0.5", Distillation((32, 16), states=0.5)),
        ("distillation=8", Distillation((8,))),
    ],
)
def test_a_recipe_is_its_name_a_value_and_settings(text: str, recipe: Recipe) -> None:
    assert parse_recipe(text) == recipe


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("int9", "There is no recipe 'int9'. Did you mean 'int8'"),
        ("int8:kid=dynamic", "int8 has no setting 'kid'. Did you mean 'kind'"),
        ("int8:kind=fast", "There is no kind 'fast'; known are static, dynamic, weights"),
        ("neuron_pruning=much", "--recipe neuron_pruning=much"),
        ("neuron_pruning=1.5", "share must be a number in (0, 1), such as 0.5, not 1.5"),
    ],
)
def test_what_is_no_recipe_is_told(text: str, said: str) -> None:
    with pytest.raises(InputError) as told:
        parse_recipe(text)
    assert said in str(told.value)
