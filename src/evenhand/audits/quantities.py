"""Metrics of rows, such as those of scores and of predicted numbers: how each is measured for any grouping."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from evenhand.audits.by_group import Quantity, of_scores, over_rows
from evenhand.metrics import METRICS, SCORES, Tally, measure
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.values.multilabel import f1_over_labels, hamming_loss, subset_accuracy
from evenhand.metrics.values.ranking import exposure, exposure_to_merit
from evenhand.metrics.values.regression import NUMBERS, SHARES, measure_numbers
from evenhand.metrics.values.transcripts import OF_TRANSCRIPTS, measure_transcripts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.metrics import Measured

OF_LABELS: Final = ("hamming_loss", "subset_accuracy", "micro_f1", "macro_f1")
"""The metrics of several labels together."""
OF_LISTS: Final = ("exposure", "exposure_to_merit")
"""The metrics of ranked items that every group has."""


def quantities(evidence: Evidence, metric: str) -> Iterator[Quantity]:
    """Yield how a metric of rows is measured: once, or for each label; nothing where the rows do not give it.

    Parameters
    ----------
    evidence : Evidence
        The rows, and their predictions.
    metric : str
        Its canonical name.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.audits.from_predictions import given_evidence
    >>> from evenhand.evidence.options import EvidenceOptions
    >>> data = eh.load_loanapp()
    >>> evidence = given_evidence(data, y_score=data.y_true * 0.5, options=EvidenceOptions())
    >>> [quantity.measure(None).estimate.tolist() for quantity in quantities(evidence, "roc_auc")]
    [[1.0]]
    """
    of_task = {
        "binary": of_binary_scores,
        "regression": of_numbers,
        "multilabel": of_labels,
        "ranking": of_items,
        "transcription": of_transcripts,
    }.get(evidence.data.task)
    if of_task is not None:
        yield from of_task(evidence, metric)


def of_binary_scores(evidence: Evidence, metric: str) -> Iterator[Quantity]:
    """Yield a metric of scores of two classes; calibration is that of probabilities."""
    said = evidence.predictions
    claims = said.kind == "probability" or metric not in stated("calibration")
    if metric in SCORES and said.y_score is not None and claims:
        yield Quantity(metric, of_scores(evidence, metric), "score")


def of_numbers(evidence: Evidence, metric: str) -> Iterator[Quantity]:
    """Yield a metric of predicted numbers."""
    said, data = evidence.predictions, evidence.data
    if metric in NUMBERS:
        compute = partial(
            measure_numbers, metric, said.y_true, said.y_pred,
            level=evidence.options.level, weight=data.sample_weight, clusters=data.clusters,
        )  # fmt: skip
        yield Quantity(metric, over_rows(evidence, compute), "share" if metric in SHARES else "number")


def of_labels(evidence: Evidence, metric: str) -> Iterator[Quantity]:
    """Yield a metric of several labels together, or a rate of each label."""
    said, level = evidence.predictions, evidence.options.level
    whole: dict[str, Callable[..., Measured]] = {"hamming_loss": hamming_loss, "subset_accuracy": subset_accuracy}
    compute = whole.get(metric, partial(f1_over_labels, metric))
    if metric in OF_LABELS:
        yield Quantity(metric, over_rows(evidence, partial(compute, said.y_true, said.y_pred, level=level)))
    elif metric in METRICS and METRICS[metric].counted and METRICS[metric].task == "binary":
        for place, name in enumerate(evidence.data.classes):
            rates = over_rows(evidence, partial(_of_label, evidence, metric, place))
            yield Quantity(metric, rates, qualifiers={"class": str(name)})


def of_items(evidence: Evidence, metric: str) -> Iterator[Quantity]:
    """Yield the exposure of ranked items, plain or per merit."""
    relevance, score, level = evidence.predictions.y_true, evidence.predictions.y_pred, evidence.options.level
    if metric not in OF_LISTS:
        return
    query = evidence.data.table[evidence.data.roles.query].to_numpy()
    if metric == "exposure":
        yield Quantity(metric, over_rows(evidence, partial(exposure, score, query, level=level)), "score")
    else:
        merit = partial(exposure_to_merit, relevance, score, query, level=level)
        yield Quantity(metric, over_rows(evidence, merit), "number")


def of_transcripts(evidence: Evidence, metric: str) -> Iterator[Quantity]:
    """Yield an error rate of transcripts."""
    data = evidence.data
    if metric in OF_TRANSCRIPTS:
        compute = partial(
            measure_transcripts, metric, evidence.predictions.y_pred,
            level=evidence.options.level, weight=data.sample_weight, clusters=data.clusters,
        )  # fmt: skip
        yield Quantity(metric, over_rows(evidence, compute), "share")


def _of_label(evidence: Evidence, metric: str, place: int, codes: NDArray[np.int32], groups: int) -> Measured:
    data, said = evidence.data, evidence.predictions
    true, decided = said.y_true[:, place], said.y_pred[:, place]
    tally = Tally.count(true, decided, codes, groups, data.sample_weight, clusters=data.clusters)
    return measure(metric, tally, evidence.options.level)
