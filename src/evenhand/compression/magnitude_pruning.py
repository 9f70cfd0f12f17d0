"""Unstructured pruning: the smallest weights become zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.errors import InputError, raise_all

if TYPE_CHECKING:
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import TabularModel


@dataclass(frozen=True, slots=True)
class MagnitudePruning:
    """The smallest weights of all layers become zero; the model becomes neither smaller nor faster by it.

    A dense file keeps its zeros and a dense product multiplies them. It is here for studies of what sparsity does to
    groups, and its effect is reported as it is: fewer non-zero weights, the same bytes and time.

    Raises
    ------
    InputError
        When the share is not above 0 and below 1, or there are fewer than 0 epochs.
    """

    share: float = 0.8
    """Of all weights, biases left aside, floor(share * weights) become zero; above 0, below 1."""
    epochs: int = 20
    """Passes over the training rows in fine-tuning, at most; zeros stay zero."""

    floor: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        problems = []
        if not 0 < self.share < 1:
            problems.append(f"The share of weights to prune must lie above 0 and below 1, not {self.share:g}.")
        if self.epochs < 0:
            problems.append(f"MagnitudePruning needs 0 epochs at least, not {self.epochs}.")
        raise_all(InputError, problems)

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {"recipe": "magnitude_pruning", "share": self.share, "epochs": self.epochs}

    def apply(self, model: TabularModel, bench: Bench) -> TabularModel:
        """Return the sparse, fine-tuned model."""
        from evenhand.compression.networks import masks_of_largest, sparse
        from evenhand.compression.tuning import tune

        bench.say(f"zeroing {self.share:.0%} of the weights")
        masks = masks_of_largest(model.network, self.share)
        network = tune(sparse(model.network, masks), model, bench, self.epochs, masks)
        return model.with_network(network, self.describe())
