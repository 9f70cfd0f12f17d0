"""Unstructured pruning: the smallest weights become zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.compression.masks import Scope
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class MagnitudePruning(Declared):
    """The smallest weights become zero; the model becomes neither smaller nor faster by it.

    A dense file keeps its zeros and a dense product multiplies them. It is here for studies of what sparsity does to
    groups, and its effect is reported as it is: fewer non-zero weights, the same bytes and time.

    Examples
    --------
    >>> MagnitudePruning(share=0.9).describe()
    {'recipe': 'magnitude_pruning', 'share': 0.9, 'epochs': 20}
    """

    share: float = setting(
        0.8, "Of the weights, biases left aside, floor(share * weights) become zero; 0.5 with 2:4.", above=0, below=1
    )
    epochs: int = setting(
        20, "Passes over the training rows in fine-tuning, at most, all steps together; zeros stay zero.", least=0
    )
    scope: Scope = setting(
        "global", "global: the smallest of all weights; layer: of each layer; 2:4: two of each four inputs of a "
        "neuron, the pattern that some graphics processors multiply faster, and processors do not.",
    )  # fmt: skip
    steps: int = setting(
        1, "Gradual pruning: the share is reached in so many steps, share * (1 - (1 - k / steps)^3), with fine-tuning "
        "after each (Zhu and Gupta 2017, To prune, or not to prune).", least=1,
    )  # fmt: skip

    floor: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        if self.scope == "2:4":
            object.__setattr__(self, "share", 0.5)
        Declared.__post_init__(self)

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        more: dict[str, Plain] = {"scope": self.scope} if self.scope != "global" else {}
        more |= {"steps": self.steps} if self.steps > 1 else {}
        return {"recipe": "magnitude_pruning", "share": self.share, "epochs": self.epochs, **more}

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel:
        """Return the sparse, fine-tuned model."""
        from evenhand.compression.masks import masks_of_largest, sparse, weights_of
        from evenhand.compression.tuning import tune

        network = model.network
        for step in range(1, self.steps + 1):
            share = self.share * (1 - (1 - step / self.steps) ** 3)
            bench.say(f"zeroing {share:.0%} of the weights")
            masks = masks_of_largest(network, share, self.scope)
            network = tune(sparse(network, masks), model, bench, self._epochs_of(step), masks)
        dense = [name for name in weights_of(network) if name not in masks]
        said = self.describe()
        if dense:
            said["left_dense"] = list(dense)
        return model.with_network(network, said)

    def _epochs_of(self, step: int) -> int:
        """Return the epochs of a step, so that all steps together take `epochs`."""
        return self.epochs * step // self.steps - self.epochs * (step - 1) // self.steps
