"""Which way a model's values are found: the one table, and the reason that is kept with the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from evenhand.errors import InputError, did_you_mean
from evenhand.messages import message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.messages import Place

Method: TypeAlias = Literal[
    "auto", "pairs", "exact", "gradients", "rescale", "shap-permutation", "shap-exact", "shap-kernel", "shap-partition",
    "tree", "linear", "additive",
]  # fmt: skip
"""The methods; ``auto`` takes the first of ``linear``, ``additive``, ``tree`` and ``pairs`` that applies."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way of finding Shapley values.

    Examples
    --------
    >>> from evenhand.explaining import WAYS
    >>> WAYS["linear"].automatic
    True
    """

    meaning: str
    """What it does."""
    holds: str
    """For which models and tables."""
    automatic: bool = False
    """Whether ``auto`` may take it."""
    checked: bool = False
    """Whether it is refused, and the pairs taken instead, when its values do not add up to the user's predict."""
    needs_network: bool = False
    """Whether only a torch network has it; of other models the pairs are taken instead."""


WAYS: Final[Mapping[str, Way]] = {
    "linear": Way(
        "Closed form: weight times the distance to the background's mean, summed within a group of columns.",
        "A linear scikit-learn model directly on numeric columns without missing values.",
        automatic=True,
        checked=True,
    ),
    "additive": Way(
        "Each column varied alone: its function at the row less its mean over the background; tried on mixed rows.",
        "A scikit-learn pipeline with a linear last step behind preprocessing that lets columns be (scaling, imputing, "
        "splines, one-hot coding).",
        automatic=True,
        checked=True,
    ),
    "tree": Way(
        "The values of every leaf in closed form, summed over the trees, against every background row.",
        "A tree ensemble of scikit-learn, XGBoost, LightGBM or CatBoost with two classes or one number, also behind "
        "preprocessing whose columns each come from one feature, on the scale on which its trees add up.",
        automatic=True,
        checked=True,
    ),
    "pairs": Way(
        "Each pair of rows over the columns in which it differs: enumerated where cheap, else random orders and their "
        "reverses.",
        "Any model.",
        automatic=True,
    ),
    "exact": Way(
        "Each pair of rows over the columns in which it differs, all subsets enumerated.",
        "Any model, where no pair differs in more than 18 players.",
    ),
    "gradients": Way(
        "Expected gradients: the slope at points between the row and each background row, times their difference.",
        "A torch network over prepared columns; images above all. Near Shapley values, and told what it misses.",
        needs_network=True,
    ),
    "rescale": Way(
        "DeepLIFT's rescale rule, for all pairs of rows at once.",
        "A chain of linear layers and activations of one number. Adds up, and is off by about a tenth.",
        checked=True,
        needs_network=True,
    ),
    "shap-permutation": Way("shap's PermutationExplainer over the players.", "Any model."),
    "shap-exact": Way("shap's ExactExplainer over the players.", "Any model with few players."),
    "shap-kernel": Way("shap's KernelExplainer over the players, without its selection of ten features.", "Any model."),
    "shap-partition": Way(
        "shap's PartitionExplainer over the players, neighbours joined first: Owen values.",
        "Long texts and large images, whose players stand in a row.",
    ),
}
"""Every way, in the order in which ``auto`` tries those it may take."""


class NotThisWay(Exception):  # noqa: N818 - it is not an error, but the reason why the next way is tried
    """Why a method does not apply to this model: the id and the places of a message."""

    def __init__(self, sentence: str, /, *, notable: bool = False, **places: Place) -> None:
        super().__init__(message(sentence, **places))
        self.notable = notable
        """True when the method seemed to apply and then did not, which is always reported."""


def ways_to_try(method: Method) -> tuple[str, ...]:
    """Return the methods to try, in order; the last one always applies.

    Raises InputError for an unknown method.
    """
    if method == "auto":
        return tuple(name for name, way in WAYS.items() if way.automatic)
    if method not in WAYS:
        known = get_args(Method)
        raise InputError(
            f"method='{method}' is unknown; it is one of {', '.join(known)}.{did_you_mean(str(method), known)}"
        )
    return (method, "pairs") if WAYS[method].checked or WAYS[method].needs_network else (method,)
