"""Rules over the scores of one model that are to meet a limit, beside the peers' on the same held-out rows.

Of each data set a linear model is fitted on half of the rows; a quarter is for fitting rules over its scores, and the
last quarter is held out. fairlearn's ThresholdOptimizer, AIF360's EqOddsPostprocessing and RejectOptionClassification
and OxonFair's FairPredictor are fitted on all of the second part. `mitigate` fits on one part of it and chooses on the
other, among its rules over scores. Splits differ by their seed. Needs the data sets below EVENHAND_DATA, one that lacks
is left out and named; and the peers: EVENHAND_MITIGATION_PEERS names the Python of an environment with aif360 and
oxonfair. Writes benchmarks/results/mitigation.json and its table in docs/benchmarks.md. Run it with: make bench
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from measuring import DATA, machine, skip, write
from scipy import stats

import evenhand as eh
from evenhand.errors import ModelError
from evenhand.evidence import Evidence, EvidenceOptions
from evenhand.keys import Key
from evenhand.mitigation.alike import KEEP, alike, chosen
from evenhand.mitigation.candidate import Candidate, Problem
from evenhand.mitigation.catalogue import MITIGATIONS
from evenhand.mitigation.estimating import preparation
from evenhand.mitigation.trying import COUNTED, Court, Tried
from evenhand.policy import judge, load_policy
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from collections.abc import Callable

SPLITS: Final = 10
WORKERS: Final = 2
LIMIT: Final = 0.05
LIMITS: Final = {
    "demographic parity": "selection_rate_difference[group]",
    "equal opportunity": "recall_difference[group]",
}
KINDS: Final = ("threshold", "group_thresholds", "threshold_optimizer")
"""Candidates that are rules over the frozen model's scores, as all of the peers' are."""
FIT: Final = 0.55
"""The share of the second part that candidates are fitted on; they are chosen on the rest."""
OURS, BLIND, UNCHANGED, FAIRLEARN = "mitigate", "mitigate, group-blind", "unchanged", "fairlearn ThresholdOptimizer"
ALIKE: Final = "one decision for everybody"
NO_PEERS: Final = (ALIKE, UNCHANGED, OURS, BLIND)
WORTH: Final = 0.02
CONSTRAINTS: Final = {"demographic parity": "demographic_parity", "equal opportunity": "true_positive_rate_parity"}
PEERS: Final = Path(__file__).with_name("mitigation_peers.py")


@dataclass(frozen=True)
class Part:
    """Rows as every method sees them."""

    score: np.ndarray
    y: np.ndarray
    group: np.ndarray

    def take(self, rows: np.ndarray) -> Part:
        """Return some of them."""
        return Part(self.score[rows], self.y[rows], self.group[rows])

    @property
    def table(self) -> eh.EvaluationSet:
        """The rows as an evaluation set."""
        columns = {"score": self.score, "y": self.y, "group": self.group}
        return eh.read_evaluation_set(columns, label="y", sensitive_features="group")


def adult() -> tuple[pd.DataFrame, str, str]:
    """Return rows, label and group."""
    table = pd.read_csv(DATA / "adult" / "adult_train.csv.gz").drop(columns=["fnlwgt", "race"])
    return table.assign(income=(table["income"].str.strip() == ">50K").astype(int)), "income", "sex"


def compas() -> tuple[pd.DataFrame, str, str]:
    """Return rows by ProPublica's filter, of the two largest groups, as AIF360's rules are of two."""
    table = pd.read_csv(DATA / "compas" / "compas-scores-two-years.csv.gz")
    # the positive class is no new crime within two years
    usual = table["days_b_screening_arrest"].between(-30, 30) & (table["is_recid"] != -1)
    table = table[usual & table["race"].isin(["African-American", "Caucasian"])]
    read = ["age", "sex", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count", "c_charge_degree"]
    return table[[*read, "race"]].assign(stayed=1 - table["two_year_recid"]), "stayed", "race"


def german() -> tuple[pd.DataFrame, str, str]:
    """Return rows, label and group."""
    return pd.read_csv(DATA / "german_credit" / "german_credit_decoded.csv.gz"), "class-label", "sex"


def ufrgs() -> tuple[pd.DataFrame, str, str]:
    """Return rows of entrance exams with, as in data of law schools, grades above 3 as the label."""
    table = pd.read_csv(DATA / "ufrgs_admissions" / "ufrgs_admissions.csv.gz")
    return table.drop(columns="gpa").assign(good=(table["gpa"] >= 3).astype(int)), "good", "gender"


SETS: Final[dict[str, Callable[[], tuple[pd.DataFrame, str, str]]]] = {
    "Adult, sex": adult, "COMPAS, race": compas, "German credit, sex": german, "UFRGS admissions, gender": ufrgs,
}  # fmt: skip


def parts(table: pd.DataFrame, label: str, group: str, seed: int) -> tuple[Part, Part]:
    """Return scores of a linear model, which does not read the group, on rows to fit rules on and on held-out rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline

    y, codes = table[label].to_numpy(), pd.factorize(table[group], sort=True)[0]
    kept = {"test_size": 0.5, "random_state": seed}
    strata = 2 * y + codes
    train, rest = train_test_split(np.arange(len(y)), stratify=strata, **kept)
    fitted, held = train_test_split(rest, stratify=strata[rest], **kept)
    X = table.drop(columns=[label, group])
    model = make_pipeline(preparation(X), LogisticRegression(max_iter=300)).fit(X.iloc[train], y[train])
    score = model.predict_proba(X)[:, 1]
    whole = Part(score, y, np.array(["a", "b"])[codes])
    return whole.take(fitted), whole.take(held)


def ours(part: Part, held: Part, key: str, seed: int) -> dict[str, np.ndarray]:
    """Return decisions for held-out rows of what `mitigate` chooses, among all rules and those that need no group."""
    made = eh.split(part.table, {"fit": FIT, "choose": 1 - FIT}, seed=seed)
    policy = load_policy({"limits": {key: {"at_most": LIMIT}}})
    base, goal = as_subject(_score, name="scores", features=["score"]), Key.parse("accuracy")
    asked = tuple((limit, limit.key) for limit in policy.blocking)
    problem = Problem(base, made["fit"], policy, goal, seed, None, asked)
    tried = [_judged(Candidate(UNCHANGED, UNCHANGED, lambda rows, seed: base), problem, made["choose"])]
    tried += [_judged(each, problem, made["choose"]) for kind in KINDS for each in MITIGATIONS[kind].propose(problem)]
    court = Court(made["choose"], policy, goal, EvidenceOptions(intersections=1), COUNTED)
    same = alike(court, tried[0], KEEP)
    found = {OURS: chosen(tried, same, goal)}
    found[BLIND] = chosen([each for each in tried if not each.candidate.needs_sensitive], same, goal)
    rows = held.table
    return {name: Evidence(each.subject or base, rows).predictions.y_pred for name, each in found.items()}


def _judged(candidate: Candidate, problem: Problem, rows: eh.EvaluationSet) -> Tried:
    """Return a candidate made and judged as `mitigate` does, of the three measures that are asked for alone."""
    try:
        made = candidate.make(problem.fit, problem.seed)
    except ModelError as wrong:
        return Tried(candidate, failure=str(wrong))
    decided = Evidence(made, rows).predictions.y_pred
    record = eh.measure(
        rows.y_true, decided, sensitive_features=rows.table["group"], metrics=["accuracy", "selection_rate", "recall"]
    )
    verdict = judge(record, problem.policy)
    return Tried(candidate, made, "", verdict, record["accuracy"], decided)


def one(job: tuple[str, Part, Part]) -> dict[str, dict[str, np.ndarray]]:
    """Return the decisions of a case by limit and method, of what runs here."""
    warnings.filterwarnings("ignore")
    case, part, held = job
    seed = int(case.rsplit("|", 1)[1])
    plain, alike = (held.score >= 0.5).astype(int), np.full(len(held.y), int(part.y.mean() >= 0.5))
    found = {
        limit: {
            ALIKE: alike,
            UNCHANGED: plain,
            FAIRLEARN: fairlearn(part, held, limit, seed),
            **ours(part, held, key, seed),
        }
        for limit, key in LIMITS.items()
    }
    print(f"  {case}", flush=True)
    return found


def _score(rows: pd.DataFrame) -> np.ndarray:
    return rows["score"].to_numpy()


def fairlearn(part: Part, held: Part, limit: str, seed: int) -> np.ndarray:
    """Return decisions of ThresholdOptimizer alone."""
    from fairlearn.postprocessing import ThresholdOptimizer
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Scores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, X: object, y: object) -> Scores:
            self.classes_ = np.array([0, 1])
            return self

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return np.column_stack([1 - X[:, 0], X[:, 0]])

    rule = ThresholdOptimizer(
        estimator=Scores().fit(None, None), constraints=CONSTRAINTS[limit], objective="accuracy_score", prefit=True,
        predict_method="predict_proba",
    )  # fmt: skip
    rule.fit(part.score[:, None], part.y, sensitive_features=part.group)
    return np.asarray(rule.predict(held.score[:, None], sensitive_features=held.group, random_state=seed))


def theirs(cases: dict[str, tuple[Part, Part]]) -> dict[str, dict[str, dict[str, list[int]]]]:
    """Return decisions of the peers of an environment of their own, by case, limit and method, and their versions."""
    python = os.environ.get("EVENHAND_MITIGATION_PEERS") or skip(
        "EVENHAND_MITIGATION_PEERS names no Python with aif360 and oxonfair in it: make bench"
    )
    with tempfile.TemporaryDirectory() as folder:
        given, told = Path(folder) / "cases.npz", Path(folder) / "decisions.json"
        arrays = {
            f"{name}|{which}|{column}": getattr(part, column)
            for name, both in cases.items()
            for which, part in zip(("fit", "held"), both, strict=True)
            for column in ("score", "y", "group")
        }
        np.savez(given, **arrays)
        subprocess.run([python, str(PEERS), str(given), str(told)], check=True)
        return dict(json.loads(told.read_text(encoding="utf-8")))


def figures_of(decided: np.ndarray, held: Part, limit: str) -> dict[str, float]:
    """Return the disparity that the limit is on and the accuracy, by plain arithmetic."""
    among = np.ones(len(held.y), dtype=bool) if limit == "demographic parity" else held.y == 1
    shares = [decided[among & (held.group == group)].mean() for group in ("a", "b")]
    return {"disparity": float(abs(shares[0] - shares[1])), "accuracy": float((decided == held.y).mean())}


def dominated(mine: list[dict[str, float]], other: list[dict[str, float]]) -> bool:
    """Return whether another is better in both beyond the noise of the splits: paired t intervals of 95 %."""
    better = []
    for what, sign in (("disparity", -1.0), ("accuracy", 1.0)):
        gain = sign * (np.array([row[what] for row in other]) - np.array([row[what] for row in mine]))
        spread = gain.std(ddof=1) / np.sqrt(len(gain))
        better.append(gain.mean() - stats.t.ppf(0.975, len(gain) - 1) * spread > 0)
    return all(better)


def main() -> None:
    """Run all methods, write the table and the figures."""
    warnings.filterwarnings("ignore")
    there = {name: read() for name, read in SETS.items() if _present(read)}
    absent = [name for name in SETS if name not in there]
    cases = {f"{name}|{seed}": parts(*held, seed) for name, held in there.items() for seed in range(SPLITS)}
    if not cases:
        skip("none of the data sets is below EVENHAND_DATA")
    others = theirs(cases)
    with ProcessPoolExecutor(WORKERS) as here:
        mine = dict(zip(cases, here.map(one, ((case, *both) for case, both in cases.items())), strict=True))
    found: dict[str, dict[str, dict[str, list[dict[str, float]]]]] = {}
    for case, (_, held) in cases.items():
        for limit in LIMITS:
            for method, decided in {**mine[case][limit], **others[case][limit]}.items():
                rows = found.setdefault(case.rsplit("|", 1)[0], {}).setdefault(limit, {}).setdefault(method, [])
                rows.append(figures_of(np.asarray(decided), held, limit))
    figures: dict[str, Any] = {
        **machine("fairlearn", "scikit-learn"), "peers": others.pop("versions", {}), "limit": LIMIT, "absent": absent,
        "found": found,
    }  # fmt: skip
    write("mitigation", figures, table(found, absent), "Measures decisions on held-out rows; nothing is timed.")


def _present(read: Callable[[], object]) -> bool:
    try:
        read()
    except FileNotFoundError:
        return False
    return True


def table(found: dict[str, dict[str, dict[str, list[dict[str, float]]]]], absent: list[str]) -> list[str]:
    """Return the lines of the page."""
    lines = ["| data, limit of .05 on | method | disparity | splits within the limit | accuracy | dominated by |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name, limits in found.items():
        for limit, methods in limits.items():
            for method, rows in methods.items():
                gaps, right = ([row[what] for row in rows] for what in ("disparity", "accuracy"))
                over = [other for other, theirs in methods.items() if other != method and dominated(rows, theirs)]
                within = sum(gap <= LIMIT for gap in gaps)
                told = [f"{name}: {limit}", method, _mean(gaps), f"{within} of {len(rows)}", _mean(right)]
                lines.append(f"| {' | '.join([*told, ', '.join(over) or '-'])} |")
    lines += ["", _summed_up(OURS, found)]
    return lines + ([f"Left out, as they are not there: {', '.join(absent)}."] if absent else [])


def _summed_up(mine: str, found: dict[str, dict[str, dict[str, list[dict[str, float]]]]]) -> str:
    """Return in how many cases the peers dominate one of our methods, and in how many it is no better than no model."""
    cases = [(f"{name}, {limit}", methods) for name, limits in found.items() for limit, methods in limits.items()]
    over = {
        case: [name for name in methods if name not in NO_PEERS and dominated(methods[mine], methods[name])]
        for case, methods in cases
    }
    worse = "; ".join(f"{case} (by {', '.join(names)})" for case, names in over.items() if names) or "none"
    idle = [case for case, methods in cases if _gain(methods[mine], methods[ALIKE]) < WORTH]
    return (
        f"`{mine}`: dominated by a peer, of {len(cases)} cases: {worse}. Within {WORTH} of the accuracy of one "
        f"decision for everybody: {'; '.join(idle) or 'none'}."
    )


def _gain(mine: list[dict[str, float]], other: list[dict[str, float]]) -> float:
    """Return by how much the mean accuracy is higher."""
    return float(np.mean([row["accuracy"] for row in mine]) - np.mean([row["accuracy"] for row in other]))


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


if __name__ == "__main__":
    main()
