"""Records changed by hand, with a digest that fits: each is refused in a sentence, or judged by its counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.hostile.records import KINDS, finding, forged, honest, tally

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import RecordError
from evenhand.policy.deriving import derive, derived, examined

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.records import Document

    Edit = Callable[[Document], object]

GAP = "selection_rate_difference[sex]"
LATENCY = {"audit": "compression", "direction": "lower_is_better", "unit": "seconds", "support": 0}


def put(key: str, **values: object) -> Edit:
    return lambda document: finding(document, key).update(values)


def ends(key: str, part: str = "interval", **values: object) -> Edit:
    return lambda document: finding(document, key)[part].update(values)


def cell(columns: str, *at: int, model: str = "subject", of: str = "counts", by: float = 1) -> Edit:
    def edit(document: Document) -> None:
        cells = tally(document, columns, model)[of]
        for place in at[:-1]:
            cells = cells[place]
        cells[at[-1]] += by

    return edit


def moved(columns: str, model: str = "subject", of: str = "counts", by: float = 1) -> Edit:
    """Move rows from one decision to another, so that no total changes."""

    def edit(document: Document) -> None:
        cells = tally(document, columns, model)[of][0][1]
        while isinstance(cells[0], list):
            cells = cells[0]
        cells[0], cells[1] = cells[0] - by, cells[1] + by

    return edit


def without(columns: str, model: str = "subject", *parts: str) -> Edit:
    def edit(document: Document) -> None:
        held = tally(document, columns, model)
        for part in parts:
            held.pop(part)
        if not parts:
            document["tallies"].remove(held)

    return edit


def no_clusters(document: Document) -> None:
    for part in document["tallies"]:
        part.pop("moments", None)
        part.pop("clusters", None)


def data(**values: object) -> Edit:
    return lambda document: document["provenance"]["data"].update(values)


def twice(document: Document) -> None:
    document["findings"].append(finding(document, "accuracy") | {"estimate": 0.99})


def alias(document: Document) -> None:
    document["findings"].append(finding(document, "recall") | {"key": "true_positive_rate", "estimate": 0.99})


def swap(key: str, part: str = "interval") -> Edit:
    def edit(document: Document) -> None:
        held = finding(document, key)[part]
        held["low"], held["high"] = held["high"], held["low"]

    return edit


def volatile(key: str, **values: object) -> Edit:
    return lambda document: document["measurements"]["findings"].append(
        {"key": key, "estimate": 0.01, **LATENCY, **values}
    )


def roles(**values: object) -> Edit:
    return lambda document: document["provenance"]["data"]["roles"].update(values)


def named(document: Document) -> None:
    tally(document, "sex")["groups"] = [["F"], ["F"]]


def added(document: Document) -> None:
    part = tally(document, "sex")
    part["groups"].append(["X"])
    part["counts"].append([[1, 0], [0, 0]])


def one_group(document: Document) -> None:
    finding(document, GAP)["groups"][0]["estimate"] = 0.5


def ragged(document: Document) -> None:
    tally(document, "sex")["counts"][0] = [[1, 2], [3]]


def texts(document: Document) -> None:
    tally(document, "sex")["counts"][0][0][0] = "7"


def not_run(document: Document) -> None:
    next(part for part in document["sections"] if part["audit"] == "fairness")["ran"] = False


def renamed(document: Document) -> None:
    tally(document, "sex", "joint")["groups"].reverse()


def no_counts(document: Document) -> None:
    document["tallies"] = []


def shifted(document: Document) -> None:
    finding(document, GAP)["estimate"] -= 1e-6


def score_of_group(document: Document) -> None:
    finding(document, "mean_score_difference[sex]")["groups"][0]["estimate"] = 0.5


def highest(document: Document) -> None:
    next(found for found in document["findings"] if found["key"].endswith(";vs=highest]"))["estimate"] = 0.9


def steady_too(document: Document) -> None:
    volatile("latency[;batch=1]")(document)
    document["findings"].append(document["measurements"]["findings"][-1])


FORGED: dict[str, tuple[str, Edit]] = {
    "estimate": ("scores", put(GAP, estimate=0.01)),
    "estimate of all rows": ("scores", put("accuracy", estimate=0.99)),
    "estimate in the sixth digit": ("scores", shifted),
    "estimate undefined": ("scores", lambda d: (put(GAP, estimate=None)(d), finding(d, GAP).pop("interval"))),
    "support": ("scores", put(GAP, support=40_000)),
    "high end": ("scores", ends(GAP, high=0.4)),
    "low end": ("scores", ends("accuracy", low=0.1)),
    "both ends at the estimate": ("scores", lambda d: ends("accuracy", low=finding(d, "accuracy")["estimate"])(d)),
    "open end": ("scores", ends("accuracy", high=None)),
    "no interval": ("scores", lambda d: finding(d, "accuracy").pop("interval")),
    "ends exchanged": ("scores", swap(GAP)),
    "ends of a score's interval exchanged": ("scores", swap("roc_auc")),
    "estimate outside its interval": ("scores", put("roc_auc", estimate=1.0)),
    "estimate outside its range": ("scores", put("brier_score", estimate=-0.2)),
    "unadjusted end": ("scores", ends(GAP, "unadjusted", low=0.0)),
    "critical values": ("scores", put(GAP, critical=[0.1, 0.1])),
    "level": ("scores", ends("accuracy", level=0.5)),
    "level of a score's interval": ("scores", ends("roc_auc", level=0.5)),
    "level of the record": ("scores", lambda d: d["provenance"]["options"].update(level=0.5)),
    "group's value": ("scores", one_group),
    "group left out of a disparity": ("scores", lambda d: finding(d, GAP)["groups"].pop()),
    "group's value of a score": ("scores", score_of_group),
    "component": ("scores", put("equalized_odds_difference[sex]", component="precision")),
    "direction": ("scores", put("accuracy", direction="lower_is_better")),
    "unit": ("scores", put("accuracy", unit="bytes")),
    "undefined groups": ("scores", put(GAP, undefined_groups=["F"])),
    "withheld": ("scores", put("accuracy", withheld=True)),
    "key twice": ("scores", twice),
    "key twice by another name": ("scores", alias),
    "audit that did not run": ("scores", not_run),
    "counts of one feature": ("scores", moved("sex")),
    "counts of all rows": ("scores", moved("")),
    "counts of a crossing": ("scores", moved("race,sex")),
    "one row more": ("scores", cell("sex", 0, 1, 1)),
    "counts below 0": ("scores", cell("sex", 0, 1, 1, by=-10_000)),
    "counts by score": ("scores", cell("", 0, 1, 3, model="scores")),
    "thresholds of scores": ("scores", lambda d: d["provenance"]["score_edges"].pop()),
    "thresholds out of order": ("scores", lambda d: d["provenance"]["score_edges"].reverse()),
    "threshold": ("scores", lambda d: d["provenance"]["subject"].update(threshold=0.123)),
    "group named twice": ("scores", named),
    "group without rows of the whole": ("scores", added),
    "ragged counts": ("scores", ragged),
    "counts that are texts": ("scores", texts),
    "no counts of a feature": ("scores", without("sex")),
    "no counts of all rows": ("scores", without("")),
    "no counts of a crossing": ("scores", without("race,sex")),
    "no counts": ("scores", no_counts),
    "number of rows": ("scores", data(rows=40_000)),
    "feature left out": ("scores", data(sensitive_features=["race"])),
    "feature put in": ("scores", data(sensitive_features=["age", "race", "sex"])),
    "classes put in": ("scores", data(classes=["0", "1", "2"])),
    "favourable": ("favourable", data(favourable=1)),
    "positive": ("favourable", data(positive=0)),
    "joint counts": ("compressed", moved("sex", "joint")),
    "joint counts of all rows": ("compressed", cell("", 0, 1, 0, 1, model="joint")),
    "counts of the original": ("compressed", moved("race", "original")),
    "joint groups exchanged": ("compressed", renamed),
    "no joint counts": ("compressed", without("sex", "joint")),
    "flip rate": ("compressed", put("flip_rate[;of=original]", estimate=0.0)),
    "change of a rate": ("compressed", ends("accuracy_change[;of=original]", low=-0.001)),
    "impact ratio": ("compressed", highest),
    "index of inequality": ("compressed", put("between_group_theil[sex]", estimate=0.0)),
    "gap in a stratum": ("compressed", put("selection_rate_difference[sex;given=job]", estimate=0.0)),
    "counts of strata": ("compressed", moved("sex,job", "strata")),
    "no counts of strata": ("compressed", without("sex,job", "strata")),
    "weights": ("weighted", cell("sex", 0, 1, 1, of="weights", by=5.0)),
    "weights of all rows": ("weighted", moved("", of="weights", by=2.0)),
    "weights below 0": ("weighted", cell("sex", 0, 1, 1, of="weights", by=-1e6)),
    "squared weights": ("weighted", cell("sex", 0, 1, 1, of="squared_weights", by=-3.0)),
    "squared weights of all rows": ("weighted", cell("", 0, 1, 1, of="squared_weights", by=-9.0)),
    "no weights": ("weighted", without("sex", "subject", "weights", "squared_weights")),
    "joint weights": ("weighted", cell("sex", 0, 1, 1, 1, model="joint", of="weights", by=1.0)),
    "clusters that are rows": ("clustered", roles(cluster=None)),
    "cluster declared": ("scores", roles(cluster="household")),
    "clusters that keep nothing": ("clustered", no_clusters),
    "clusters that keep numbers alone": ("clustered", without("sex", "subject", "moments")),
    "sums over clusters": ("clustered", cell("sex", 0, 3, 3, of="moments", by=-20.0)),
    "sums over clusters that are not symmetric": ("clustered", cell("sex", 0, 0, 3, of="moments")),
    "sums over clusters below their rows": ("clustered", cell("", 0, 0, 0, of="moments", by=-1e5)),
    "number of clusters": ("clustered", cell("sex", 0, of="clusters", by=30)),
    "more clusters than rows": ("clustered", cell("sex", 0, of="clusters", by=100_000)),
    "joint sums over clusters": ("clustered", cell("sex", 0, 0, 0, model="joint", of="moments", by=2.0)),
    "joint number of clusters": ("clustered", cell("sex", 0, 0, model="joint", of="clusters", by=-3)),
    "sums over weighted clusters": ("weighted clusters", cell("race", 1, 3, 3, of="moments", by=0.5)),
    "interval of clusters": ("clustered", ends("accuracy", low=0.7)),
    "estimate of clusters": ("clustered", put("accuracy", estimate=0.99)),
    "class's recall": ("classes", put("recall[;class=1]", estimate=0.9)),
    "counts of a class": ("classes", cell("sex", 0, 2, 2)),
    "agreement of both models": ("classes", cell("sex", 0, 1, 1, 1, model="joint")),
    "accuracy of several classes": ("clustered classes", put("accuracy", estimate=0.9)),
    "volatile": ("scores", volatile("accuracy")),
    "volatile of a new key": ("scores", volatile("selection_rate_difference[age]")),
    "volatile custom metric": ("scores", volatile("g_mean")),
    "volatile by another name": ("scores", volatile("demographic_parity_difference[sex]")),
    "volatile twice": ("scores", lambda d: (volatile("latency[;batch=1]")(d), volatile("latency[;batch=1]")(d))),
    "volatile and steady": ("scores", steady_too),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_record_is_refused(
    name: str, tmp_path: Path, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, edit = FORGED[name]
    place = forged(kind, edit, tmp_path / "audit.json")
    assert exit_code(["gate", str(place), "--policy", str(policy)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "bug" not in said
    assert "Audit again" in said or "breaks the schema" in said


@pytest.mark.parametrize("name", ["estimate", "volatile", "sums over clusters", "no counts", "key twice"])
def test_verify_reports_a_forged_record_and_does_not_stop_at_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, edit = FORGED[name]
    assert exit_code(["verify", str(forged(kind, edit, tmp_path / "audit.json"))]) == 1
    said = capsys.readouterr().out
    assert "differs    findings: " in said
    assert "same       record: digest" in said


@pytest.mark.parametrize("verb", ["report", "sweep", "compare", "python", "pytest"])
def test_whatever_judges_derives(verb: str, tmp_path: Path, policy: Path) -> None:
    place = forged("scores", FORGED["estimate"][1], tmp_path / "audit.json")
    if verb in ("python", "pytest"):
        from evenhand.pytest_plugin import assert_policy

        judge: Any = assert_policy if verb == "pytest" else eh.judge
        with pytest.raises(RecordError, match="contradicts itself"):
            judge(eh.read_record(place), eh.load_policy(policy))
        return
    more = {"report": ["-o", str(tmp_path / "page.html")], "sweep": [], "compare": [str(place)]}[verb]
    assert exit_code([verb, str(place), *more, "--policy", str(policy)]) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_derived_is_what_the_audit_stated(kind: str, tmp_path: Path) -> None:
    record = honest(kind)
    assert derived(record).findings == record.findings
    eh.write_record(tmp_path / "audit.json", record)
    assert derived(eh.read_record(tmp_path / "audit.json")).findings == record.findings


def test_an_honest_record_says_what_counts_cannot() -> None:
    found = derive(honest("compressed"))
    claims = {key.metric for key in found.claims}
    assert {"roc_auc", "brier_score", "p_value"} <= claims
    assert not {"accuracy", "selection_rate_difference", "flip_rate", "recall_change", "kl_divergence"} & claims


def test_a_finding_that_was_dropped_is_judged_all_the_same(tmp_path: Path) -> None:
    limits = {"limits": {"selection_rate[sex=*]": {"at_least": 0.99}, GAP: {"at_most": 0.001}}}
    wanted = eh.judge(honest("scores"), eh.load_policy(limits))

    def edit(document: Document) -> None:
        gone = ("selection_rate[sex=M]", GAP)
        document["findings"] = [found for found in document["findings"] if found["key"] not in gone]

    found = eh.judge(eh.read_record(forged("scores", edit, tmp_path / "audit.json")), eh.load_policy(limits))
    assert [(str(part.key), part.status) for part in found.judgements] == [
        (str(part.key), part.status) for part in wanted.judgements
    ]


def test_an_interval_of_an_earlier_method_is_computed_again_and_said(tmp_path: Path) -> None:
    def edit(document: Document) -> None:
        finding(document, "accuracy")["interval"] |= {"low": 0.2, "high": 0.95, "method": "wald"}

    record = eh.read_record(forged("scores", edit, tmp_path / "audit.json"))
    verdict = eh.judge(record, eh.load_policy({"limits": {"accuracy": {"at_least": 0.1}}}))
    assert verdict.judgements[0].finding == honest("scores")["accuracy"]
    assert any("1 interval was made by an earlier method" in remark for remark in verdict.remarks)


def test_a_record_of_an_earlier_version_keeps_none_of_its_intervals(tmp_path: Path) -> None:
    def edit(document: Document) -> None:
        document["provenance"]["versions"]["evenhand"] = "0.0.1"
        finding(document, "accuracy")["interval"]["low"] = 0.5

    found, problems = examined(eh.read_record(forged("scores", edit, tmp_path / "audit.json")))
    assert not problems
    assert found.anew == 1
    assert found.record["accuracy"].interval == honest("scores")["accuracy"].interval


def test_a_reader_refuses_what_the_digest_does_not_cover(tmp_path: Path) -> None:
    place = forged("scores", FORGED["volatile"][1], tmp_path / "audit.json")
    with pytest.raises(RecordError, match=r"'accuracy' is among the measurements.*Audit again"):
        eh.read_record(place)
    assert json.loads(place.read_text("utf-8"))["measurements"]["findings"]


def test_sums_over_clusters_that_are_too_many_leave_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("audits.auditing", "policy.contradictions"):
        monkeypatch.setattr(f"evenhand.{module}.MOST_MOMENTS", 50)
    honest.cache_clear()
    record = honest("clustered")
    monkeypatch.undo()
    honest.cache_clear()
    for module in ("audits.auditing", "policy.contradictions"):
        monkeypatch.setattr(f"evenhand.{module}.MOST_MOMENTS", 50)
    found, problems = examined(record)
    assert not problems
    claims = {str(key) for key in found.claims}
    assert "selection_rate_difference[race,sex]" in claims
    assert "accuracy" not in claims
    monkeypatch.undo()
    with pytest.raises(RecordError, match="were left out, though they are few"):
        derived(record)


def test_verify_says_what_was_derived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    eh.write_record(tmp_path / "audit.json", honest("scores"))
    assert exit_code(["verify", str(tmp_path / "audit.json")]) == 0
    said = capsys.readouterr().out
    assert "were derived from the counts" in said
    assert "are claims, which counts cannot say: roc_auc" in said
