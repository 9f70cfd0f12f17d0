"""One way from a key to a finding: every canonical metric in every shape, the same wherever it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import RecordError
from evenhand.evidence.answering import EvidenceCounts
from evenhand.findings import Absent, AuditRecord, Finding
from evenhand.keys import Key
from evenhand.metrics import METRICS, names
from evenhand.metrics.answers import answers_of
from evenhand.metrics.answers.answering import Answers
from evenhand.metrics.catalogue.lists import stated
from evenhand.metrics.catalogue.places import LISTS
from evenhand.policy import thresholds
from evenhand.policy.limits import Limit
from evenhand.records import write_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHAPES: tuple[tuple[Any, dict[str, str]], ...] = (
    ((), {}),
    ({"sex": "f"}, {}),
    (["sex"], {}),
    (["race", "sex"], {}),
    ({"race": "a", "sex": "m"}, {}),
    ((), {"class": "1"}),
    (["sex"], {"class": "1"}),
    ({"sex": "f"}, {"class": "x"}),
    (["sex"], {"vs": "overall"}),
    (["race"], {"vs": "rest"}),
    (["sex"], {"vs": "m"}),
    (["sex"], {"given": "race"}),
    (["sex"], {"given": "race=b"}),
    ((), {"of": "original"}),
    ({"race": "b"}, {"of": "original"}),
    (["race"], {"of": "original"}),
)
"""Overall, a group, a feature, a crossing, a class, against something else, within a control, of the original."""


def rows(n: int = 240) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, n)
    score = np.round(np.clip(0.35 * truth + 0.6 * rng.random(n), 0, 1), 2)
    groups = {"race": rng.choice(["a", "b", "c"], n, p=[0.5, 0.4, 0.1]), "sex": rng.choice(["f", "m"], n)}
    return {"y_true": truth, "y_score": score, "sensitive_features": groups}


def made(name: str) -> AuditRecord:
    told, rng = rows(), np.random.default_rng(5)
    n = len(told["y_true"])
    if name == "binary":
        return eh.audit_predictions(**told, favourable=0)
    if name == "weighted":
        return eh.audit_predictions(**told, sample_weight=rng.uniform(0.5, 2, n))
    if name == "original":
        return eh.audit_predictions(**told, original_score=np.clip(told["y_score"] + rng.normal(0, 0.2, n), 0, 1))
    groups = told["sensitive_features"]
    if name == "multiclass":
        truth = rng.choice(["x", "y", "z"], n)
        said, before = (np.where(rng.random(n) < 0.7, truth, rng.choice(["x", "y", "z"], n)) for _ in range(2))
        return eh.audit_predictions(truth, said, original_pred=before, sensitive_features=groups)
    truth = rng.normal(size=n)
    return eh.audit_predictions(truth, truth + rng.normal(size=n), task="regression", sensitive_features=groups)


SOME = [4, pytest.param(1, marks=pytest.mark.slow)]
"""One key of so many; all of them take a minute and more."""
RECORDS = ("binary", "weighted", "multiclass", "original", "regression")


@pytest.fixture(scope="module", params=RECORDS)
def record(request: pytest.FixtureRequest) -> AuditRecord:
    return made(request.param)


def keys(of: int = 1) -> Iterator[Key]:
    """Yield all keys, or one `of` so many: of each metric other shapes than of the next."""
    for at, name in enumerate(names()):
        for columns, more in SHAPES[at % of :: of]:
            yield Key.of(name, columns, **more)


def same(one: Finding, other: Finding) -> bool:
    """Whether two findings say the same; who states them, and the note of an audit, may differ."""
    return replace(one, audit="", note="") == replace(other, audit="", note="")


@pytest.mark.parametrize("of", SOME)
def test_every_key_is_answered_alike_by_record_gate_and_counts(record: AuditRecord, of: int) -> None:
    """Each key has one finding, to the bit, or one sentence why not, whoever asks."""
    from evenhand.policy import judging

    counted = answers_of(record, record.level)
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.001}}})
    answered = 0
    for key in keys(of):
        found = record.find(key)
        (judgement,) = judging.judge_limit(Limit(key, at_least=0.0), record, policy, None)
        if isinstance(found, Absent):
            assert record.get(key) is None, key
            assert judgement.finding is None, key
            assert str(judgement.sentence) == str(found.reason), key
            continue
        answered += 1
        assert judgement.finding == found == record[str(key)], key
        again = counted(found.key)
        if record.stated(key) is not None and isinstance(again, Finding) and "weights" not in str(record.tallies[0]):
            assert same(again, found), key
        if record.stated(key) is None:
            assert again is not None
            assert same(again, found) if isinstance(again, Finding) else False, key
    assert answered > (20 if record.provenance["data"].get("task") == "regression" else 300) / of  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "key", ["roc_auc_difference[sex;vs=rest]", "recall[sex=x]", "macro_f1", "no_such", "recall[sex]", "flip_rate"]
)
def test_what_cannot_be_said_is_refused_with_the_gates_sentence(key: str) -> None:
    record = made("binary")
    found = record.find(key)
    assert isinstance(found, Absent)
    with pytest.raises(RecordError) as refused:
        record[key]
    assert str(found.reason) in str(refused.value)


@pytest.mark.parametrize(
    "key",
    [
        "negative_predictive_value", "recall_difference[sex;vs=m]", "generalized_entropy", "tpr_difference[race,sex]",
        "false_discovery_rate_difference[sex]", "npv[race=b]", "recall_difference[sex;given=race]",
        "favourable_rate_group_min[race]",
    ],
)  # fmt: skip
def test_what_counts_say_is_there(key: str) -> None:
    found = made("binary")[key]
    assert found.estimate is not None
    assert found.interval is not None


@pytest.mark.parametrize("of", SOME)
def test_counts_of_evidence_and_of_the_record_say_the_same(monkeypatch: pytest.MonkeyPatch, of: int) -> None:
    """What an audit can state from evidence, the record says afterwards."""
    from evenhand.audits.catalogue import AUDITS
    from evenhand.audits.statement import Audit, not_applicable

    kept: list[Answers] = []

    def keeping(evidence: Any) -> Any:
        kept.append(Answers(EvidenceCounts(evidence), evidence.options.level))
        return not_applicable("")

    monkeypatch.setitem(AUDITS._loaded, "compression", Audit(keeping, frozenset({"binary", "multiclass"})))
    for name in ("binary", "multiclass", "original"):
        record = made(name)
        of_record = answers_of(record, record.level)
        compared = 0
        for key in keys(of):
            mine, other = kept[-1](key), of_record(key)
            if isinstance(mine, Finding) and isinstance(other, Finding):
                compared += 1
                assert replace(mine, note=other.note) == other, key
        assert compared > 300 / of


def test_a_sweep_asks_the_same() -> None:
    """At the threshold in use the counts by score say what the audit's decisions say."""
    record = made("binary")
    edges, in_use = record.provenance["score_edges"], record.provenance["subject"]["threshold"]  # type: ignore[index, call-overload]
    there = thresholds.at_threshold(record, edges.index(in_use))  # type: ignore[union-attr, arg-type]
    compared = 0
    for key in keys():
        mine, other = there.find(key), answers_of(record, record.level)(key)
        if isinstance(mine, Finding):
            compared += 1
            assert mine == other, key
        else:
            assert isinstance(other, Absent) and mine.reason == other.reason, key
    assert compared > 300


def test_compare_and_list_ask_the_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = made("binary")
    fewer = replace(record, findings=tuple(f for f in record.findings if f.key.metric != "recall_difference"))
    write_record(tmp_path / "old.json", fewer)
    write_record(tmp_path / "new.json", record)
    assert exit_code(["compare", str(tmp_path / "old.json"), str(tmp_path / "new.json"), "--all"]) == 0
    told = capsys.readouterr().out
    assert "new  " not in told
    assert "gone  " not in told
    assert exit_code(["list", "metrics", str(tmp_path / "new.json")]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert {name.partition("[")[0] for name in lines} == {*names()}
    assert lines["flip_rate[;of=original]"].strip() == str(record.find("flip_rate[;of=original]").reason)  # type: ignore[union-attr]
    assert lines["negative_predictive_value"].strip().startswith(f"{record['npv'].estimate:.3f}")


def test_the_page_shows_what_counts_say(tmp_path: Path) -> None:
    """A record without stated disparities shows the same conflicts between definitions."""
    from evenhand.report.sections.fairness import in_conflict

    record = made("binary")
    fewer = replace(record, findings=tuple(f for f in record.findings if not f.key.metric.endswith("_difference")))
    assert in_conflict(fewer, None) == in_conflict(record, None)


def test_every_list_names_metrics_that_are_there() -> None:
    for place in LISTS:
        assert stated(place)
        assert not {*stated(place)} - {*names()}, place


def test_one_entry_is_a_metric_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from evenhand.metrics.catalogue.entry import ALL, FP, Metric

    entry = Metric(
        "undue_share", "Undue share", "rate", "lower_is_better", "FP / n", "The share of rows taken wrongly.",
        numerator=(FP,), denominator=ALL, shown=("overall", "group", "gap", "column"),
    )  # fmt: skip
    monkeypatch.setitem(METRICS, entry.name, entry)
    record = made("binary")
    for key in ("undue_share", "undue_share[sex=f]", "undue_share_difference[race]", "undue_share_group_max[sex]"):
        assert record.stated(key) is not None
    verdict = eh.judge(record, eh.load_policy({"limits": {"undue_share_ratio[sex]": {"at_least": 0.1}}}))
    assert verdict.judgements[0].finding is not None
    page = eh.render(record, verdict)
    assert "The share of rows taken wrongly." in page
    assert "Undue share" in page


def custom() -> AuditRecord:
    def jac(y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        return float((y_true & y_pred).sum() / (y_true | y_pred).sum())

    return eh.audit_predictions(**rows(), metrics={"jac": jac})


def test_a_custom_metric_has_gaps_ratios_and_extremes_that_can_be_limited() -> None:
    record = custom()
    groups = [record[f"jac[sex={sex}]"].estimate or 0 for sex in "fm"]
    wanted = {
        "difference": max(groups) - min(groups),
        "ratio": min(groups) / max(groups),
        "group_min": min(groups),
        "group_max": max(groups),
    }
    for how, value in wanted.items():
        found = record[f"jac_{how}[sex]"]
        assert found.estimate == pytest.approx(value)
        assert found.interval is not None
        assert found.interval.low is not None
        assert found.interval.low <= value <= (found.interval.high or np.inf)
        assert "square-and-add" in found.note or how in ("group_min", "group_max")
    limits = {"jac_difference[sex]": {"at_most": 0.9}, "jac_group_min[sex]": {"at_least": 0.9}}
    verdict = eh.judge(record, eh.load_policy({"custom_metrics": ["jac"], "limits": limits}))
    assert {str(j.key): j.status for j in verdict.judgements} == {
        "jac_difference[sex]": "passed",
        "jac_group_min[sex]": "failed",
    }
    with pytest.raises(eh.EvenhandError, match="no such metric"):
        eh.load_policy({"limits": limits})


def test_no_limit_rests_on_a_gap_whose_groups_have_no_interval() -> None:
    """A metric that is the same in every resample of a group says nothing of how sure its gap is."""
    record = eh.audit_predictions(**rows(), metrics={"always": lambda y_true, y_pred, sample_weight=None: 0.5})
    found = record["always_difference[sex]"]
    assert found.estimate == 0
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (None, None)
    policy = eh.load_policy({"custom_metrics": ["always"], "limits": {"always_difference[sex]": {"at_most": 0.1}}})
    assert eh.judge(record, policy).status == "undecided"
