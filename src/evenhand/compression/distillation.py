"""A smaller network that learns from the original's opinion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from evenhand.errors import ModelError
from evenhand.settings import Declared, setting
from evenhand.training.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import Dataset, NetworkModel
    from evenhand.training.config import Loss
    from evenhand.training.target import Target


@dataclass(frozen=True, slots=True)
class Distillation(Declared):
    """A student of any size is trained on the softened probabilities of the original, mixed with the labels.

    Source: Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network"; with `states`, the input of
    the student's last layer is fitted to the teacher's (Romero et al. 2015, "FitNets").

    Examples
    --------
    >>> Distillation(hidden=(8,), epochs=20).describe()["hidden"]
    [8]
    """

    hidden: tuple[int, ...] = setting(
        (16,), "Neurons of the student's hidden layers, where no other network is named.", least=1
    )
    epochs: int = setting(
        60, "Passes over the training rows; the epoch that does best on the check rows is kept.", least=1
    )
    temperature: float = setting(
        2.0, "Logits of both are divided by it: above 1 the teacher's doubts count for more.", above=0
    )
    labels: float = setting(
        0.1, "Share of the label in the student's target: 0 for the teacher alone.", least=0, most=1
    )
    learning_rate: float = setting(5e-3, "Of AdamW, at the beginning.", above=0)
    student: Plan | Callable[..., object] | None = None
    """The student's network: a plan, or a torch module that takes what the teacher takes and learns on from the weights
    that it has; by default the network of the teacher with layers of `hidden` neurons."""
    states: float = setting(0.0, "Weight of the hidden states in the loss; 0 ignores them.", least=0)

    floor: ClassVar[float] = 0.5
    trains_anew: ClassVar[bool] = True
    """Without training there is no student, so nothing can be told apart."""

    def contradictions(self) -> Iterator[str]:
        """Yield errors of settings that are incompatible."""
        if not self.hidden:
            yield "A student has one hidden layer at least, such as hidden = (16,)."

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        more: dict[str, Plain] = {} if (plan := self._own_plan(0)) is None else {"student": plan.to_plain()}
        more |= {"states": self.states} if self.states else {}
        return {
            "recipe": "distillation", "hidden": list(self.hidden), "epochs": self.epochs,
            "temperature": self.temperature, "labels": self.labels, **more,
        }  # fmt: skip

    def apply(self, model: NetworkModel, bench: Bench) -> NetworkModel:
        """Return the student."""
        import torch

        from evenhand.compression.tuning import datasets
        from evenhand.training.lists import learn
        from evenhand.training.schedule import Schedule

        plan = self._plan_of(model)
        bench.say("distilling into a smaller network")
        bench.tuned.append("student")
        dataset, check = (self._taught(model, part) for part in datasets(model, bench))
        matched = (
            0 if not self.states else dataset.target.reshape(len(dataset.target), -1).shape[1] - model.plan.outputs
        )
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(bench.seed)
            student = plan.build()
            if matched:
                from evenhand.compression.states import Telling

                student = Telling(student, model.preprocessing.shape, matched, self.states)
        schedule = Schedule(
            self.epochs, learning_rate=self.learning_rate, temperature=self.temperature, seed=bench.seed,
            matched=matched, seconds=bench.seconds, target=model.target, loss=_loss(model),
        )  # fmt: skip
        taught = learn(student, dataset, check, schedule, progress=bench.epochs).network
        return model.with_network(taught.student if matched else taught, self.describe(), plan=plan, pruned=[])  # type: ignore[arg-type]

    def _own_plan(self, outputs: int) -> Plan | None:
        """Return the plan of the student that was given: a module's is to give `outputs` logits."""
        from evenhand.training.given import GivenPlan

        if self.student is None or hasattr(self.student, "build"):
            return cast("Plan | None", self.student)
        return GivenPlan(outputs, cast("nn.Module", self.student), type(self.student).__name__)

    def _plan_of(self, model: NetworkModel) -> Plan:
        """Return the plan of the student."""
        from evenhand.training.given import given_model
        from evenhand.training.image_networks import ImagePlan
        from evenhand.training.networks import NetworkPlan
        from evenhand.training.text_networks import TextPlan

        student = self._own_plan(model.plan.outputs)
        if student is not None:
            if student.outputs != model.plan.outputs:
                raise ModelError(
                    f"The student has {student.outputs} logits and its teacher {model.plan.outputs}: name a "
                    "network of as many."
                )
            if student is not self.student:  # a module says nothing of what it takes and gives
                given_model(student.build(), model.preprocessing, outputs=student.outputs)
            return student
        base = getattr(model.plan, "base", model.plan)
        base = getattr(base, "members", (base,))[0]
        if isinstance(base, (ImagePlan, TextPlan)):
            return base.narrower(tuple(self.hidden))
        if isinstance(base, NetworkPlan):
            return NetworkPlan(base.columns, tuple(self.hidden), base.activation, outputs=base.outputs)
        raise ModelError(f"Which student '{model.name}' is to have is not clear: name its network by student=.")

    def _taught(self, model: NetworkModel, dataset: Dataset) -> Dataset:
        """Return the dataset with the teacher's softened probabilities mixed into the labels, and its hidden states."""
        import numpy as np

        from evenhand.training.model import logits, probabilities

        if model.target is not None:
            return self._taught_numbers(model, model.target, dataset)
        teacher = probabilities(logits(model.network, dataset.columns) / self.temperature, model.name)
        mixed = self.labels * dataset.target + (1 - self.labels) * teacher
        if self.states:
            from evenhand.compression.states import hidden_states

            held = hidden_states(model.network, dataset.columns)
            mixed = np.column_stack([mixed, np.sqrt(self.states) * held])
        return replace(dataset, target=mixed.astype(np.float32))

    def _taught_numbers(self, model: NetworkModel, target: Target, dataset: Dataset) -> Dataset:
        """Return the dataset with the teacher's numbers; labels are mixed in where an output is one number.

        Quantiles, and scores of lists, are the teacher's alone: a label is no quantile, and no score.
        """
        import numpy as np

        from evenhand.training.lists import listed
        from evenhand.training.model import logits
        from evenhand.training.target import raised

        ranking = target.task == "ranking"
        if self.states and ranking:
            raise ModelError("Hidden states are not taught for rankings: leave out states=.")
        said = logits(listed(model.network) if ranking else model.network, dataset.columns)
        said = raised(said) if target.quantiles else said
        if not (ranking or target.quantiles):
            said = self.labels * dataset.target + (1 - self.labels) * said
        if self.states:
            from evenhand.compression.states import hidden_states

            held = hidden_states(model.network, dataset.columns)
            said = np.column_stack([said, np.sqrt(self.states) * held])
        return replace(dataset, target=said.astype(np.float32))


def _loss(model: NetworkModel) -> Loss:
    """Return by what a student is compared with its teacher: cross-entropy of classes, squares of numbers."""
    return "auto" if model.target is None else "mse"
