"""A smaller network that learns from the original's opinion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from evenhand.errors import InputError, raise_all

if TYPE_CHECKING:
    from evenhand.compression.recipe import Bench
    from evenhand.findings import Plain
    from evenhand.training import Lesson, TabularModel


@dataclass(frozen=True, slots=True)
class Distillation:
    """A student of its own size is trained on the softened probabilities of the original, mixed with the labels.

    Source: Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network".

    Raises
    ------
    InputError
        Without neurons, with a temperature not above 0, or a share outside [0, 1].
    """

    hidden: tuple[int, ...] = (16,)
    """Neurons of the student's hidden layers."""
    epochs: int = 60
    """Passes over the training rows; the epoch that does best on the check rows is kept."""
    temperature: float = 2.0
    """Logits of both are divided by it: above 1 the teacher's doubts count for more."""
    labels: float = 0.1
    """Share of the label in what the student is to answer, from 0 (the teacher alone) to 1."""
    learning_rate: float = 5e-3
    """Of AdamW, at the beginning."""

    floor: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        problems = []
        if isinstance(self.hidden, (int, float)):
            object.__setattr__(self, "hidden", (int(self.hidden),))
        if not self.hidden or any(width < 1 for width in self.hidden):
            problems.append(f"A student needs one neuron at least in each hidden layer, not {self.hidden!r}.")
        if not 0 < self.temperature < float("inf") or not 0 <= self.labels <= 1 or not self.learning_rate > 0:
            problems.append(
                "Distillation needs a temperature and a learning rate above 0 and a share of labels in [0, 1], not "
                f"{self.temperature!r}, {self.learning_rate!r} and {self.labels!r}."
            )
        if self.epochs < 1:
            problems.append(f"Distillation needs one epoch at least, not {self.epochs}.")
        raise_all(InputError, problems)

    def describe(self) -> dict[str, Plain]:
        """Return the settings as plain values."""
        return {
            "recipe": "distillation",
            "hidden": list(self.hidden),
            "epochs": self.epochs,
            "temperature": self.temperature,
            "labels": self.labels,
        }

    def apply(self, model: TabularModel, bench: Bench) -> TabularModel:
        """Return the student."""
        import torch

        from evenhand.compression.tuning import lessons
        from evenhand.training.loop import Course, run
        from evenhand.training.networks import NetworkPlan

        bench.say(f"distilling into a student of {' and '.join(map(str, self.hidden))} neurons")
        plan = NetworkPlan(model.plan.columns, tuple(self.hidden), model.plan.activation)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(bench.seed)
            student = plan.build()
        lesson, check = (self._taught(model, part) for part in lessons(model, bench))
        course = Course(self.epochs, learning_rate=self.learning_rate, temperature=self.temperature, seed=bench.seed)
        taught = run(student, lesson, check, course, progress=bench.epochs).network
        return model.with_network(taught, self.describe(), plan=plan)

    def _taught(self, model: TabularModel, lesson: Lesson) -> Lesson:
        """Return the lesson with the teacher's softened probabilities mixed into the labels."""
        import numpy as np

        from evenhand.subjects.outputs import sigmoid
        from evenhand.training.model import logits

        teacher = sigmoid(logits(model.network, lesson.columns) / self.temperature)
        mixed = self.labels * lesson.target + (1 - self.labels) * teacher
        return replace(lesson, target=mixed.astype(np.float32))
