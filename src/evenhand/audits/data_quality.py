"""The rows themselves: copies of the label, repeated rows and people, and on request what else may be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.audits.quality_of_columns import (
    constant_columns,
    encoded_columns,
    id_columns,
    label_copies,
    lookalike_values,
    odd_numbers,
)
from evenhand.audits.quality_of_groups import (
    disagreement,
    errors_in_labels,
    label_rates,
    missing_values,
    noise,
    proxies,
    representation,
)
from evenhand.audits.quality_of_rows import Looked, conflicts, drifts, duplicates, orders, repeated_people, seen
from evenhand.audits.statement import EVERY_TASK, Audit, Statement, not_applicable
from evenhand.messages import message, sentences
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.evidence import Evidence
    from evenhand.findings import Finding

NAME: Final = "data_quality"
PLAIN: Final = message("Copies of the label and repeated rows were looked for; --check-data looks for the rest.")
MOST_NOISE: Final = 0.5


@dataclass(frozen=True, slots=True)
class QualityOptions(Declared):
    """Options of this audit."""

    check_data: bool = setting(
        False, "Whether the rows are checked in full: missing values, units, order, encodings, label noise and more."
    )
    population: Mapping[str, Mapping[str, float]] = setting(
        {}, "Shares of a sensitive feature's groups in the population, to compare the rows with: sex={f=0.51, m=0.49}."
    )
    label_noise: float = setting(
        0.05, "Greatest share of each group's labels taken to be wrong, for the bounds on rates.", least=0,
        most=MOST_NOISE,
    )  # fmt: skip
    label_errors: bool = setting(
        False, "Whether labels that look wrong are counted, by models of the other rows; needs the extra data-audit."
    )
    annotators: tuple[str, ...] = setting(
        (), "Column of what one person labelled, where several did.", flag="--annotator"
    )
    votes: tuple[str, ...] = setting(
        (), "Column of how many people gave a label, where several labelled a row.", flag="--vote"
    )

    @property
    def asked(self) -> bool:
        """Whether more is asked for than what every audit looks for."""
        return bool(self.check_data or self.population or self.label_errors or self.annotators or self.votes)


def data_quality(evidence: Evidence) -> Statement:
    """State copies of the label and repeated rows; on request missing values, units, order, drift and label noise."""
    data, options = evidence.data, evidence.options.of(QualityOptions)
    if data.frequency is not None:
        return not_applicable("A table of counts holds no rows to check.")
    if data.graded:
        return not_applicable("Answers of a language model are graded here; there are no columns to check.")
    looked = Looked.at(evidence)
    found = [
        *label_copies(looked), *duplicates(looked), *repeated_people(looked), *constant_columns(looked),
        *seen(looked, near=False),
    ]  # fmt: skip
    if not looked.of_model:
        found += [*label_rates(evidence), *proxies(looked)]
    everything = options.check_data or evidence.options.everything
    if everything:
        found += _whole(looked)
    if everything or options.population:
        found += representation(evidence, options.population)
    if options.label_errors:
        found += errors_in_labels(looked)
    if options.annotators or options.votes:
        found += disagreement(evidence, options.annotators, options.votes)
    if everything and looked.decided:
        found += noise(evidence, options.label_noise)
    return Statement(tuple(found), sentences() if everything else PLAIN)


def _whole(looked: Looked) -> Iterator[Finding]:
    """State all that is looked for on request."""
    yield from id_columns(looked)
    yield from conflicts(looked)
    yield from seen(looked, near=True)
    yield from orders(looked)
    yield from drifts(looked)
    yield from encoded_columns(looked)
    yield from odd_numbers(looked)
    yield from lookalike_values(looked)
    yield from missing_values(looked)


AUDIT: Final = Audit(data_quality, EVERY_TASK, options=QualityOptions)
