"""What the output of a network is, as declared, and how it is read for a label."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError, did_you_mean
from evenhand.subjects.outputs import kind_of, to_class_scores, to_numbers, to_score
from evenhand.subjects.target import no_classes_named, place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from evenhand.subjects.protocol import OutputKind, ScoreKind
    from evenhand.subjects.target import Target

OUTPUTS: Final = ("probability", "logit", "ranking")
"""The kinds of a network's output."""


class NetworkOutput:
    """The declared output of a network that names no classes.

    `name`: the model's name, for the sentences; `output`: the kind; `positive_index`: the column of the positive class;
    `positive`: the class that one column, or the second of two, is of: the greater one where it is not given. Raises
    ModelError for an unknown kind.
    """

    def __init__(self, name: str, output: OutputKind, positive_index: int | None, positive: object) -> None:
        if output not in OUTPUTS:
            raise ModelError(f"output takes {', '.join(OUTPUTS)}, not {output!r}.{did_you_mean(str(output), OUTPUTS)}")
        self.name = name
        self.output: OutputKind = output
        self.positive_index = positive_index
        self.positive = positive
        self.score_kind: ScoreKind = "ranking" if output == "ranking" else "probability"
        self._turned = False

    @property
    def turned(self) -> bool:
        """Whether it is the score of the class that is not the positive one."""
        return self._turned

    def bound(self, target: Target) -> NetworkOutput:
        """Return the output for a label of two classes.

        Raises ModelError where the label's classes are turned, or are not those of `positive`.
        """
        twin = copy.copy(self)
        if self.positive is None and not target.ordered and self.positive_index is None:
            raise no_classes_named(self.name)
        if self.positive is not None:
            at = place(self.positive, target.classes)
            if at is None:
                raise ModelError(f"Model '{self.name}' was opened with positive={self.positive!r}, and {target.words}.")
            twin._turned = at == 0
        if twin._turned and self.output == "ranking":
            raise ModelError(
                f"Model '{self.name}' ranks by {self.positive!r}, which is not the positive class: return the score of "
                "the positive class, with a threshold on its own scale."
            )
        return twin

    def scores(self, raw: object, rows: int) -> NDArray[np.float64]:
        """Return the score of the positive class of each row, shape (n,)."""
        import numpy as np

        self.score_kind = kind_of(np.asarray(raw), self.output)
        found = to_score(raw, self.output, rows, self.name, self.positive_index)
        return 1.0 - found if self._turned else found

    def classes(self, raw: object, rows: int, exclusive: bool) -> NDArray[np.generic]:
        """Return scores of classes, (n, C), of which a row has one where `exclusive`; or whole numbers as decisions."""
        import numpy as np

        said = np.asarray(raw)
        if exclusive and said.shape in ((rows,), (rows, 1)) and said.dtype.kind in "iu":
            return said.reshape(rows)
        return to_class_scores(said, self.output, rows, self.name, exclusive)

    def numbers(self, raw: object, rows: int) -> NDArray[np.float64]:
        """Return one number a row, shape (n,)."""
        return to_numbers(raw, self.output, rows, self.name)
