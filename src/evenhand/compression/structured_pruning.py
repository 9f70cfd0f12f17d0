"""Structured pruning of any network: channels, neurons and heads are taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class StructuredPruning(Declared):
    """A share of the channels of every convolution, neurons of every layer and heads of every attention is taken out.

    What is tied to them goes with them (found by torch-pruning); the network is then fine-tuned on training rows.
    Parameters, file and multiplications really become fewer. For chains of linear layers `NeuronPruning` comes nearer
    to the original, as it refits the next layer.

    Examples
    --------
    >>> StructuredPruning(share=0.25).describe()["share"]
    0.25
    """

    share: float = setting(
        0.5, "Of each group of c tied channels or neurons floor((1 - share) * c) are left.", least=0, below=1
    )
    epochs: int = setting(5, "Passes over the training rows in fine-tuning, at most.", least=0)
    heads: float = setting(0.0, "Of each attention's heads this share is taken out.", least=0, below=1)
    round_to: int = setting(
        8, "What is left is rounded down to a multiple of it, which products are fast for; 1 for exact shares.", least=1
    )
    steps: int = setting(1, "The share is reached in so many steps, with fine-tuning after each.", least=1)
    learning_rate: float = setting(1e-3, "Of fine-tuning, at the beginning.", above=0)

    floor: ClassVar[float] = 0.3

    def contradictions(self) -> Iterator[str]:
        """Yield errors of settings that are incompatible."""
        if not self.share and not self.heads:
            yield "StructuredPruning takes nothing out: name a share of channels or of heads above 0."

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
    """Return the share of the rest to remove in a step, so that `share` of all is removed after the last."""
    left = [1 - share * at / steps for at in (step - 1, step)]
    return 1 - left[1] / left[0]
