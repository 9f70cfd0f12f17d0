"""The chosen candidate on rows that took no part in the choice: its model, its record, whether it is recommended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.audits.auditing import run
from evenhand.audits.catalogue import AUDITS
from evenhand.evidence import Evidence
from evenhand.messages import message, message_to_plain
from evenhand.mitigation.recommending import recommended
from evenhand.mitigation.recording import groups, measured
from evenhand.mitigation.seen import seen_by
from evenhand.mitigation.trying import found
from evenhand.policy import judge
from evenhand.training.rows import write_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.audits import AuditOptions
    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord
    from evenhand.mitigation.alike import Alike
    from evenhand.mitigation.trying import Court, Tried
    from evenhand.provenance import MitigationFacts, Provenance
    from evenhand.subjects import Subject

LEFT: Final = message("No candidate does better than the deployed model, which is left as it is.")
KEPT: Final = message(
    "No candidate that keeps enough of its performance does better than the deployed model, which is left as it is."
)


@dataclass(frozen=True, slots=True, eq=False)
class Mitigated:
    """A chosen candidate: its model, and the record of how it was chosen and judged.

    See Also
    --------
    evenhand.mitigation.mitigated : Makes one.
    """

    subject: Subject
    """Its model: the deployed one where nothing else was chosen."""
    record: AuditRecord
    """The audit of it on the rows to judge on, compared with the deployed model; its provenance says what was tried."""
    needs_sensitive: bool
    """Whether the model must be told the sensitive features when it decides."""

    @property
    def recommended(self) -> bool:
        """Whether the judged rows bear it out."""
        return bool(self.record.provenance["mitigation"]["recommended"])

    def save(self, path: str | Path, base: str | Path | None = None) -> AuditRecord:
        """Write the model as one file that `evenhand.open_model` opens, and return the record, which names that file.

        Fingerprints of the rows that it was fitted and chosen on are beside it, in ``<path>.rows.npy``.

        Parameters
        ----------
        path : str or Path
            The file.
        base : str or Path, optional
            The deployed model's file, where the candidate is a rule over its scores.

        Returns
        -------
        AuditRecord
            With size and hash of the file, so that `evenhand.monitoring.releasing.promote` knows it by the record.

        Raises
        ------
        ModelError
            When the model cannot be written.
        """
        from evenhand.subjects.mitigated import save_mitigated
        from evenhand.subjects.mixture import Mixture
        from evenhand.subjects.model_file import file_facts
        from evenhand.subjects.post_processing import PostProcessed

        model = self.subject
        frozen = isinstance(model, PostProcessed) and not isinstance(model.base, Mixture)
        own = getattr(model, "save", None)
        if own is not None and not isinstance(model, PostProcessed):
            own(path)
        else:
            save_mitigated(model, path, base if frozen else None)
            write_rows(Path(path), seen_by(model))
        facts = {**self.record.provenance["subject"], **file_facts(Path(path))}
        return replace(self.record, provenance={**self.record.provenance, "subject": facts})  # type: ignore[typeddict-item]


def judged(
    base: Subject,
    chosen: Tried | None,
    same: Alike | None,
    court: Court,
    rows: EvaluationSet,
    facts: MitigationFacts,
    audits: str | Iterable[str] | None,
    options: AuditOptions,
) -> Mitigated:
    """Return the chosen candidate, audited on the rows to judge on beside the deployed model.

    Parameters
    ----------
    base : Subject
        The deployed model.
    chosen : Tried, optional
        The candidate; none where the deployed model is left as it is.
    same : Alike, optional
        The decision for everybody that it must be better than.
    court : Court
        The policy, the measure of performance and the options of the choice.
    rows : EvaluationSet
        The rows.
    facts : MitigationFacts
        What is told of the choice; what the rows show is added.
    audits : name or names, optional
        Which audits the candidate goes through.
    options : AuditOptions
        Confidence, seed and sizes.
    """
    subject = base if chosen is None or chosen.subject is None else chosen.subject
    names = None if audits is None else (*AUDITS.chosen(audits),)
    if names is not None and chosen is not None:
        names = tuple(name for name in AUDITS if name in {*names, *court.audits, "compression"})
    evidence = Evidence(subject, rows, original=None if chosen is None else base, options=options)
    record = run(evidence, names)
    deployed = run(Evidence(base, rows, options=court.options), court.audits)
    before = judge(deployed, court.policy)
    idle = chosen is not None and same is not None and not same.is_beaten(subject, rows, court)
    yes, why = recommended(record, judge(record, court.policy), before, idle)
    if chosen is None:
        yes, why = False, LEFT if same is None else KEPT
    facts["recommended"], facts["why"], facts["before"] = yes, message_to_plain(why), before.status
    price = [found(each, court.performance) for each in (deployed, record)]
    facts["price"] = [None if each is None else measured(each) for each in price]
    if evidence.original_predictions is not None:
        facts["groups"] = [*groups(evidence.original_predictions.y_pred, evidence.predictions.y_pred, rows)]
    told: Provenance = {**record.provenance, "mitigation": facts}
    return Mitigated(subject, replace(record, provenance=told), chosen is not None and chosen.candidate.needs_sensitive)
