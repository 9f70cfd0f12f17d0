"""Findings of refusals, of rows outside the training rows, and of models that decide otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.uncertainty.part import Part, UncertaintyOptions
from evenhand.messages import joined, message
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

KEPT: Final = (0.9, 0.8, 0.5)
"""Shares of rows that get an answer."""
MOST_ROWS: Final = 10_000
"""Rows that are compared with training rows; of more, as many are drawn."""
REFITS: Final = 4
"""Fits with other seeds, where everything is asked for."""
AS_GOOD: Final = 0.01
"""How much less accurate another model may be that counts as good."""
NO_TRAINING: Final = message(
    "No training rows were given (background or members), so it is not known who is outside of them."
)
OTHER_INPUTS: Final = message("The model reads {inputs}; who is outside the training rows is told of tables alone.")
FEW_TRAINING: Final = message("{n:,} training rows are too few to tell who is outside of them.")
NUMBERS: Final = message("Numbers are not decided: which other models would turn them is not looked for.")
LEFT: Final = message("Less accurate by more than {points:g} points and so left out: {names}.")


def certainty(evidence: Evidence) -> NDArray[np.float64] | None:
    """Return how sure each decision is: far from the threshold, or the greatest probability; None without scores."""
    said = evidence.predictions
    if said.y_score is None or said.kind == "label":
        return None
    if said.y_score.ndim == 2:
        return np.asarray(said.y_score.max(axis=1))
    if said.kind == "ranking":
        return np.abs(said.y_score - said.threshold)
    inside = np.clip([said.threshold, *said.y_score], 1e-9, 1 - 1e-9)
    odds = np.log(inside) - np.log1p(-inside)
    return np.asarray(np.abs(odds[1:] - odds[0]))


def selective(evidence: Evidence) -> Iterator[Finding]:
    """State who is refused an answer where the least certain are, and how often those are right who get one."""
    sure = certainty(evidence)
    if sure is None:
        return
    said, everyone = evidence.predictions, Part(evidence, np.arange(len(sure)))
    right = said.y_pred == said.y_true
    for share in KEPT:
        kept = sure >= np.quantile(sure, 1 - share, method="lower")
        yield from everyone.stated("refused_share", everyone.share("refused_share", ~kept), kept=f"{share:g}")
        part = Part(evidence, np.flatnonzero(kept))
        yield from part.stated(
            "retained_accuracy", part.share("retained_accuracy", right[kept]), kept=f"{share:g}",
            hows=("difference", "group_min"),
        )  # fmt: skip


def distribution(evidence: Evidence) -> tuple[tuple[Finding, ...], str]:
    """Return the share of each group outside the training rows, or why it is not known."""
    training = evidence.background if evidence.members is None else evidence.members
    if evidence.asked and evidence.reads != "table":
        return (), message(OTHER_INPUTS, inputs=evidence.reads)
    if training is None or not evidence.asked:
        return (), NO_TRAINING
    from evenhand.evidence.predictions import columns_read
    from evenhand.probing.uncertainty.outside import outside

    columns, rows = list(columns_read(evidence.subject, evidence.data)), np.arange(len(evidence.data))
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng([evidence.options.seed, 15]).choice(rows, MOST_ROWS, replace=False))
    found = outside(evidence.data.table[columns].iloc[rows], training.table[columns], evidence.options.seed)
    if found is None:
        return (), message(FEW_TRAINING, n=len(training))
    part = Part(evidence, rows)
    return tuple(part.stated("outside_share", part.share("outside_share", found.rows))), ""


def disagreement(evidence: Evidence) -> tuple[tuple[Finding, ...], str]:
    """Return whom models that are as good decide otherwise; nothing where there are no others."""
    if evidence.data.task == "regression":
        return (), NUMBERS if evidence.options.of(UncertaintyOptions).others else ""
    from evenhand.evidence.predictions import predict, proven

    said, decided = evidence.predictions, {}
    for name, model in evidence.options.of(UncertaintyOptions).others.items():
        decided[name] = predict(proven(as_subject(model), evidence.data), evidence.data).y_pred
    refit = getattr(evidence.subject, "refit", None)
    if not decided and refit is not None and evidence.options.everything and evidence.members is not None:
        for seed in range(1, REFITS + 1):
            again = refit(evidence.members, evidence.options.seed + seed)
            decided[f"seed {seed}"] = predict(proven(again, evidence.data), evidence.data).y_pred
    if not decided:
        return (), ""
    least = float((said.y_pred == said.y_true).mean()) - AS_GOOD
    good = {name: of for name, of in decided.items() if float((of == said.y_true).mean()) >= least}
    left = [name for name in decided if name not in good]
    words = message(LEFT, points=100 * AS_GOOD, names=joined(", ", left)) if left else ""
    if not good:
        return (), words
    part = Part(evidence, np.arange(len(said.y_pred)))
    turned = np.array([of != said.y_pred for of in good.values()])
    most = turned[int(turned.mean(axis=1).argmax())]
    findings = (
        *part.stated("ambiguity", part.share("ambiguity", np.asarray(turned.any(axis=0)))),
        *part.stated("discrepancy", part.share("discrepancy", most)),
    )
    return findings, words
