"""A failed limit, and what can be done about it: mortgage decisions, and incomes of the census where they are at hand.

Run it with: python examples/mitigation.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import evenhand as eh
from evenhand.messages import message_from_plain
from evenhand.mitigation import mitigated
from evenhand.report.mitigated import left_out
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.mitigation import Mitigated

ADULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "adult"
KINDS = ("threshold", "group_thresholds", "threshold_optimizer", "grid_search")


def mortgage() -> Mitigated:
    """Return what can be done for a strict model of mortgage approvals, which approves minorities far less often.

    Seven of eight applicants are approved, so that approving everybody is right as often as any model: what is to be
    kept is balanced accuracy. There are few rows, so that most of them judge.
    """
    loans = eh.load_loanapp()
    table = loans.table.assign(origin=loans.table["race"].where(loans.table["race"] == "white", "minority"))
    rows = eh.read_evaluation_set(
        table[[*loans.features, "origin", "approve"]], label="approve", sensitive_features="origin"
    )
    parts = eh.split(rows, {"train": 0.3, "rest": 0.7})
    fitted = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=500, class_weight="balanced"))
    fitted.fit(parts["train"].X, parts["train"].y_true)
    policy = {"limits": {"selection_rate_ratio[origin]": {"at_least": 0.8}, "accuracy": {"at_least": 0.8}}}
    strict = as_subject(fitted, threshold=0.75, positive=1)
    return _tried(strict, parts["rest"], policy, performance="balanced_accuracy", shares=(0.25, 0.15, 0.6))


def census(places: list[Path]) -> Mitigated:
    """Return what can be done for a model of incomes that finds far fewer women than men."""
    rows = eh.read_evaluation_set(
        pd.concat([pd.read_csv(place) for place in places], ignore_index=True).rename(columns=str.strip),
        label="income", pos_label=">50K", sensitive_features="sex", exclude=("fnlwgt",),
    )  # fmt: skip
    parts = eh.split(rows, {"train": 0.3, "rest": 0.7})
    numbers = [column for column in rows.features if pd.api.types.is_numeric_dtype(rows.table[column])]
    model = HistGradientBoostingClassifier(random_state=0).fit(parts["train"].table[numbers], parts["train"].y_true)
    policy = {"limits": {"demographic_parity_difference[sex]": {"at_most": 0.08}, "accuracy": {"at_least": 0.8}}}
    return _tried(as_subject(model, positive=1), parts["rest"], policy)


def _tried(model: object, rows: EvaluationSet, policy: dict[str, object], **settings: Any) -> Mitigated:
    return mitigated(model, rows, policy, candidates=KINDS, audits="performance", footprint=False, **settings)


def tell(title: str, made: Mitigated) -> None:
    """Print what was chosen, whether it is recommended, its price, and who gains and loses."""
    record = made.record
    facts = record.provenance["mitigation"]
    chosen = next(each for each in facts["candidates"] if each["chosen"])
    print(f"{title}: the deployed model {facts['before']}")
    print(f"  chosen of {len(facts['candidates'])}: {chosen['name']}, {'' if made.recommended else 'not '}recommended")
    print(f"  {message_from_plain(facts['why'])}")
    if aside := left_out(facts):
        print(f"  {aside}")
    if facts["infeasible"]:
        print(f"  {message_from_plain(facts['infeasible'])}")
    if facts.get("groups"):
        price = record["accuracy_change[;of=original]"]
        assert price.estimate is not None
        assert price.interval is not None
        print(f"  price: accuracy {price.estimate:+.3f} [{price.interval.low:+.3f}, {price.interval.high:+.3f}]")
    for group in facts.get("groups", []):
        told = f"{group['gained']:>4} gain and {group['lost']:>4} lose a favourable decision, of {group['rows']:,}"
        print(f"  {group['feature']}={group['group']:<10} {told}")
    if made.needs_sensitive:
        print("  It decides by the group, which can be unlawful: see docs/how-to/mitigate.md.")


def main() -> None:
    """Tell it of the mortgage data, and of the census where its files lie beside the checkout."""
    tell("Mortgages", mortgage())
    if places := sorted(ADULT.glob("*.csv.gz")):
        tell("Census", census(places))


if __name__ == "__main__":
    main()
