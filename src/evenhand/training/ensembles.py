"""Small ensembles: several networks whose probabilities are averaged, as one network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.errors import InputError, raise_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain
    from evenhand.training.config import TrainingConfig
    from evenhand.training.model import NetworkModel
    from evenhand.training.plan import Plan
    from evenhand.training.schedule import Progress
    from evenhand.training.target import NumberTask


DROPPED: Final = ("counts", "errors", "train_loss", "best_epoch")
"""What is known of the first member only."""


@dataclass(frozen=True, slots=True)
class EnsemblePlan:
    """Networks over the same prepared rows, whose probabilities are averaged."""

    members: tuple[Plan, ...]
    """The networks."""
    numbers: NumberTask | None = None
    """The task, where outputs are of numbers and no logits; of quantiles, those are averaged."""

    @property
    def kind(self) -> str:
        """Which network: an ensemble."""
        return "ensemble"

    @property
    def outputs(self) -> int:
        """Logits, as those of the members."""
        return self.members[0].outputs

    def build(self) -> nn.Module:
        """Return the network; weights are drawn from torch's generator."""
        return averaged([plan.build() for plan in self.members], self.outputs, self.numbers is not None)

    def of(self, network: nn.Module) -> EnsemblePlan:
        """Return the plan of an ensemble whose members differ at most in sizes."""
        members = cast("Any", network).members
        return replace(self, members=tuple(plan.of(member) for plan, member in zip(self.members, members, strict=True)))

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data."""
        more: dict[str, Plain] = {} if self.numbers is None else {"numbers": self.numbers}
        return {"kind": "ensemble", "members": [plan.to_plain() for plan in self.members], **more}


def averaged(members: list[nn.Module], outputs: int, numbers: bool = False) -> nn.Module:
    """Return the network whose probabilities, as logits, or numbers are the mean of those of its members."""
    import torch
    from torch import nn

    from evenhand.training.losses import rising, steps_of

    class Averaged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.members = nn.ModuleList(members)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            logits = torch.stack([member(rows) for member in self.members])
            if numbers:
                return logits.mean(dim=0) if outputs == 1 else steps_of(rising(logits).mean(dim=0))
            if outputs == 1:
                return torch.logit(torch.sigmoid(logits).mean(dim=0), eps=1e-7)
            return torch.log(torch.softmax(logits, dim=-1).mean(dim=0).clamp_min(1e-12))

    return Averaged()


def fit_ensemble(
    train: EvaluationSet,
    validation: EvaluationSet | None = None,
    config: TrainingConfig | None = None,
    members: int = 5,
    progress: Progress | None = None,
    name: str = "ensemble",
) -> NetworkModel:
    """Return one model of several networks, each fitted with a seed, and so a separate draw of resampled rows.

    With ``resample="under"`` each member sees all rows of the rare class and other rows of the common one (Liu, Wu and
    Zhou 2009, "Exploratory undersampling", EasyEnsemble). The threshold is chosen for all together, on validation rows.

    Parameters
    ----------
    train, validation, config, progress, name
        As in `fit`.
    members : int
        How many networks.

    Returns
    -------
    NetworkModel

    Raises
    ------
    InputError
        When there is no member, and as in `fit`.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig
    >>> data = eh.load_loanapp()
    >>> fit_ensemble(data, config=TrainingConfig(epochs=1, hidden=(4,)), members=2, name="two").name
    'two'
    """
    from evenhand.training.config import TrainingConfig
    from evenhand.training.fitting import fit, hold_out
    from evenhand.training.goals import settled
    from evenhand.training.private.plan import of_one_fit

    if members < 1:
        raise InputError(f"An ensemble needs one member at least, not {members}.")
    config = settled(config or TrainingConfig(), train.task)
    raise_all(InputError, of_one_fit(config, "an ensemble is several"))
    fitted, chosen = (train, validation) if validation is not None else hold_out(train, config.seed)
    alone = replace(config, baseline=False)  # the trees are fitted once, for all together
    first = fit(fitted, chosen, alone, progress)
    made = [first] + [
        fit(fitted, chosen, replace(alone, seed=config.seed + at), progress, preparing=first.preprocessing)
        for at in range(1, members)
    ]
    return _together(made, fitted, chosen, config, name)


def _together(
    made: list[NetworkModel], fitted: EvaluationSet, chosen: EvaluationSet, config: TrainingConfig, name: str
) -> NetworkModel:
    """Return the models as one, with one threshold."""
    from evenhand.training.dataset import prepared
    from evenhand.training.model import NetworkModel, logits, quantiles_of
    from evenhand.training.thresholds import choose_threshold
    from evenhand.training.trees.baseline import beside

    first = made[0]
    target = first.target
    plan = EnsemblePlan(tuple(model.plan for model in made), None if target is None else target.task)
    history = {key: value for key, value in first.history.items() if key not in DROPPED}
    model = NetworkModel(
        name=name,
        network=averaged([one.network for one in made], plan.outputs, target is not None),
        plan=plan,
        preprocessing=first.preprocessing,
        threshold=first.threshold,
        history={**history, "members": [one.history["config"] for one in made]},
        fit_row_hashes=first.fit_row_hashes,
        target=target,
        cost=_sum([one.cost or {} for one in made]),
    )
    rows = prepared(model.preprocessing, chosen)
    scores = model.predict_prepared(rows)
    banded = target is not None and target.quantiles
    answers = quantiles_of(logits(model.network, rows), name, target) if banded else scores
    if (trees := beside(answers, fitted, chosen, config)) is not None:
        model.history["baseline"] = trees
    if model.task == "binary":
        model.threshold = choose_threshold(chosen.y_true, scores, config.threshold, chosen.sample_weight)
    return model


def _sum(costs: list[Mapping[str, Plain]]) -> dict[str, Plain]:
    """Return what all fits cost together: times and energy added, the most memory."""
    told: dict[str, Plain] = dict(costs[0])
    for key in ("seconds", "cpu_seconds", "energy_joules"):
        told[key] = sum(cast("float", cost.get(key, 0.0)) for cost in costs)
    return told
