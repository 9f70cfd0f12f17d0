"""What a model under audit is to predict, and what a user declares about its output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.errors import ModelError, argument, quoted, raise_all
from evenhand.subjects.outputs import threshold_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.findings import Task

DeclaredKind: TypeAlias = Literal["probability", "logit", "ranking", "label"]
"""What a user may declare a model's output to be; "log-odds" is another word for a logit."""
Decide: TypeAlias = Callable[[object], object]
"""From what a model returns for a batch to one decision a row, in the classes of the label."""

KINDS: Final = ("probability", "logit", "log-odds", "ranking", "label")
_MOST_LISTED: Final = 6


@dataclass(frozen=True, slots=True)
class Target:
    """What a model under audit is to predict."""

    task: Task = "binary"
    """What the label is."""
    classes: tuple[object, ...] = (0, 1)
    """The negative and the positive value, all classes in order, or the names of several labels; none for numbers."""
    horizon: float | None = None
    """By when an event makes a row positive, where rows were followed in time."""

    @property
    def words(self) -> str:
        """The label in a sentence."""
        if self.task in ("regression", "ranking"):
            return "the label is a number"
        return f"the label's classes are {listed(self.classes)}"

    @property
    def ordered(self) -> bool:
        """Whether a score of "class 1" can only be of the positive class; False where 0 and 1 are its values turned."""
        return self.task != "binary" or place(0, self.classes) != 1


@dataclass(frozen=True, slots=True)
class Declared:
    """What a user declares about the output of a model; None where nothing is declared.

    Raises ModelError for a threshold that is no finite number, an unknown kind of scores, or a `decide` that cannot
    be called; all together.
    """

    threshold: float | None = None
    """A score at or above it is predicted positive."""
    positive: object = None
    """The class of the model that stands for the positive class of the label."""
    score_kind: DeclaredKind | None = None
    """The kind of its output."""
    decide: Decide | None = None
    """From its output to decisions in the label's classes."""

    def __post_init__(self) -> None:
        if str(self.score_kind) == "log-odds":
            object.__setattr__(self, "score_kind", "logit")
        raise_all(ModelError, self._problems())

    def over(self, other: Declared) -> Declared:
        """Return these declarations, and those of another where nothing is declared here."""
        pairs = ((getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        return Declared(*(new if old is None or new is not None else old for new, old in pairs))

    def _problems(self) -> Iterator[str]:
        given = self.threshold
        if given is not None and (wrong := threshold_problem(given, "ranking")):
            yield wrong
        if self.score_kind is not None and self.score_kind not in KINDS:
            yield f"score_kind takes {', '.join(KINDS)}, not {quoted(self.score_kind)}."
        if self.decide is not None and not callable(self.decide):
            yield (
                f"{argument('decide')} takes a function from the model's output to decisions, not "
                f"{quoted(self.decide)}."
            )
        if self.decide is not None and (given is not None or self.score_kind not in (None, "label")):
            yield (
                f"{argument('decide')} makes the decisions, so neither {argument('threshold')} nor "
                f"{argument('score_kind')} is of use with it."
            )


def place(value: object, classes: Sequence[object]) -> int | None:
    """Return where a value is among classes: equal, else written the same; None where it is none of them."""
    plain = value.item() if hasattr(value, "item") else value
    equal = next((at for at, each in enumerate(classes) if plain == each), None)
    return next((at for at, each in enumerate(classes) if str(plain) == str(each)), None) if equal is None else equal


def no_classes_named(name: str) -> ModelError:
    """Return the error of scores that may be of either class, as their model names none and 0 is the positive one."""
    return ModelError(
        f"Model '{name}' names no classes, so its scores may be of 1 or of 0, the positive class. Pass positive= with "
        "the one that they are of."
    )


def listed(values: Sequence[object]) -> str:
    """Return values in a sentence: 0, 1 and 2."""
    told = [quoted(value, 40) for value in values[:_MOST_LISTED]]
    if len(values) > _MOST_LISTED:
        return f"{', '.join(told)} and {len(values) - _MOST_LISTED:,} more"
    return f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else "".join(told)
