"""Structured pruning: whole neurons are taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.errors import ModelError
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class NeuronPruning(Declared):
    """A share of the neurons of every hidden layer is taken out, so that the layers become smaller.

    The neurons that matter least on training rows are removed, the next layer is refitted, and the whole
    network is fine-tuned on training rows. Parameters, file and multiplications really become fewer.

    Examples
    --------
    >>> NeuronPruning(0.75).describe()
    {'recipe': 'neuron_pruning', 'share': 0.75, 'epochs': 20, 'rows': 4096}
    """

    share: float = setting(0.5, "Of a layer of w neurons floor(share * w) are taken out.", above=0, below=1)
    epochs: int = setting(20, "Passes over the training rows in fine-tuning, at most.", least=0)
    rows: int = setting(
        4096, "Training rows by which neurons are weighed, drawn by the seed; all when there are fewer.", least=1
    )
    by_group: bool = setting(
        False, "Whether a neuron counts for what it is to the group that needs it most, of the columns to balance by, "
        "and not for what it is to all rows together.",
    )  # fmt: skip

    floor: ClassVar[float] = 0.5

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        more: dict[str, Plain] = {"by_group": True} if self.by_group else {}
        return {"recipe": "neuron_pruning", "share": self.share, "epochs": self.epochs, "rows": self.rows, **more}

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel:
        """Return the smaller, fine-tuned model."""
        from evenhand.compression.networks import hidden_sizes, without_neurons
        from evenhand.compression.tuning import tune

        bench.say(f"pruning {self.share:.0%} of the neurons")
        rows = bench.prepared(model, self.rows)
        network = without_neurons(model.network, self.share, rows, self._groups(bench))
        said: dict[str, Plain] = {
            **self.describe(),
            "neurons_before": list(hidden_sizes(model.network)),
            "neurons_after": list(hidden_sizes(network)),
        }
        return model.with_network(tune(network, model, bench, self.epochs), said)

    def _groups(self, bench: Bench) -> NDArray[np.int32] | None:
        """Return the group of each row that is drawn, where neurons count by group."""
        if not self.by_group:
            return None
        if not bench.balance:
            raise ModelError("NeuronPruning(by_group=True) weighs neurons group by group: name the columns by balance=")
        return bench.train.grouping(*bench.balance).codes[bench.positions(self.rows)]
