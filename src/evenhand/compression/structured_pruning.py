"""Structured pruning of any network: channels, neurons and heads are taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.errors import InputError, raise_all

if TYPE_CHECKING:
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class StructuredPruning:
    """A share of the channels of every convolution, neurons of every layer and heads of every attention is taken out.

    What is tied to them goes with them (found by torch-pruning); the network is then fine-tuned on training rows.
    Parameters, file and multiplications really become fewer. For chains of linear layers `NeuronPruning` comes nearer
    to the original, as it fits the next layer anew.

    Raises
    ------
    InputError
        When a share does not lie in [0, 1), both are 0, or there are fewer than 0 epochs.
    """

    share: float = 0.5
    """Of each group of c tied channels or neurons floor((1 - share) * c) are left; from 0 to below 1."""
    epochs: int = 5
    """Passes over the training rows in fine-tuning, at most."""
    heads: float = 0.0
    """Of each attention's heads this share is taken out; from 0 to below 1."""
    round_to: int = 8
    """What is left is rounded down to a multiple of it, which products are fast for; 1 for exact shares."""
    steps: int = 1
    """The share is reached in so many steps, with fine-tuning after each."""
    learning_rate: float = 1e-3
    """Of fine-tuning, at the beginning."""

    floor: ClassVar[float] = 0.3

    def __post_init__(self) -> None:
        problems = [
            f"The share of {what} to prune must lie in [0, 1), not {value:g}."
            for what, value in (("channels", self.share), ("heads", self.heads))
            if not 0 <= value < 1
        ]
        if not problems and not self.share and not self.heads:
            problems.append("StructuredPruning takes nothing out: name a share of channels or of heads above 0.")
        if self.epochs < 0 or self.round_to < 1 or self.steps < 1 or not self.learning_rate > 0:
            problems.append(
                "StructuredPruning needs 0 epochs, a multiple of 1, 1 step and a learning rate above 0 at least, not "
                f"{self.epochs}, {self.round_to}, {self.steps} and {self.learning_rate:g}."
            )
        raise_all(InputError, problems)

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {
            "recipe": "structured_pruning", "share": self.share, "heads": self.heads, "epochs": self.epochs,
            "round_to": self.round_to, "steps": self.steps, "learning_rate": self.learning_rate,
        }  # fmt: skip

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel:
        """Return the smaller, fine-tuned model."""
        from evenhand.compression.structures import without_structures
        from evenhand.compression.tuning import tune
        from evenhand.training.resized import changed_plan

        network, history = model.network, list(model.pruned)
        for step in range(1, self.steps + 1):
            share, heads = (_of_step(whole, step, self.steps) for whole in (self.share, self.heads))
            bench.say(f"taking out {share:.0%} of the channels and {heads:.0%} of the heads")
            round_to = self.round_to if self.round_to > 1 else None
            network, went = without_structures(network, model.preprocessing.shape, share, heads, round_to)
            history += went
            epochs = self.epochs * step // self.steps - self.epochs * (step - 1) // self.steps
            network = tune(network, model, bench, epochs, learning_rate=self.learning_rate)
        plan = changed_plan(model.plan, network)
        return model.with_network(network, self.describe(), plan=plan, pruned=history)


def _of_step(share: float, step: int, steps: int) -> float:
    """Return the share of what is left that goes in a step, so that `share` of all has gone after the last."""
    left = [1 - share * at / steps for at in (step - 1, step)]
    return 1 - left[1] / left[0]
