"""Low-rank factorization: a wide layer as the product of two thin ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import NetworkModel


@dataclass(frozen=True, slots=True)
class LowRank(Declared):
    """Each linear layer (out, in) of which rank r keeps enough is written as (out, r) times (r, in).

    r is the least rank whose largest singular values hold `energy` of the sum of all their squares (Eckart and Young
    1936). A layer stays whole where r * (in + out) is no less than in * out. The network is fine-tuned on training
    rows afterwards.

    Examples
    --------
    >>> LowRank(energy=0.95).describe()
    {'recipe': 'low_rank', 'energy': 0.95, 'epochs': 10}
    """

    energy: float = setting(0.9, "Share of the squared singular values that is kept.", above=0, below=1)
    epochs: int = setting(10, "Passes over the training rows in fine-tuning, at most.", least=0)

    floor: ClassVar[float] = 0.5

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {"recipe": "low_rank", "energy": self.energy, "epochs": self.epochs}

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel:
        """Return the factorized, fine-tuned model."""
        from evenhand.compression.factors import factorized
        from evenhand.compression.tuning import tune
        from evenhand.training.resized import changed_plan

        bench.say(f"writing layers as products that keep {self.energy:.0%}")
        network, ranks = factorized(model.network, self.energy)
        plan = changed_plan(model.plan, network, ranks)
        said: dict[str, Plain] = {**self.describe(), "ranks": dict(ranks)}
        return model.with_network(tune(network, model, bench, self.epochs), said, plan=plan)
