"""Records forged so that nothing would be derived from counts: each is refused, or judged by what is left."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
from tests.hostile.records import finding, forged, tally

import evenhand as eh
from evenhand.cli.main import exit_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.records import Document

    Edit = Callable[[Document], object]

GAP = "selection_rate_difference[sex]"


def stated(document: Document, key: str, value: float) -> None:
    """State a value with a narrow interval, and its groups with none."""
    found = finding(document, key)
    found["estimate"], found["groups"] = value, []
    for part in ("interval", "unadjusted"):
        if part in found:
            found[part] |= {"low": value - 0.005, "high": value + 0.005}


def lie(document: Document) -> None:
    stated(document, "accuracy", 0.99)
    stated(document, GAP, 0.01)
    kept = document["findings"]
    document["findings"] = [found for found in kept if not found["key"].startswith("selection_rate[sex=")]


def copied(document: Document, key: str, new: str, **values: object) -> None:
    document["findings"].append(deepcopy(finding(document, key)) | {"key": new} | values)
    stated(document, new, 0.01)


def without(keep: Callable[[Document], bool] = lambda part: False) -> Edit:
    """Keep some counts only, and lie."""

    def edit(document: Document) -> None:
        lie(document)
        document["tallies"] = [part for part in document["tallies"] if keep(part)]

    return edit


def no_data(edit: Edit) -> Edit:
    return lambda document: (edit(document), document["provenance"].pop("data"))


def of_data(**values: object) -> Edit:
    return lambda document: (lie(document), document["provenance"]["data"].update(values))


def dropped(*names: str, edit: Edit = lie) -> Edit:
    def drop(document: Document) -> None:
        edit(document)
        for name in names:
            document["provenance"]["data"].pop(name)

    return drop


def feature_unnamed(document: Document) -> None:
    """Drop a feature and its counts, and keep what was stated of it."""
    without(lambda part: "sex" not in part["columns"])(document)
    document["provenance"]["data"]["sensitive_features"] = ["race"]


def other_axes(document: Document) -> None:
    lie(document)
    for part in document["tallies"]:
        part["axes"] = ["group", *(f"{axis} " for axis in part["axes"][1:])]


def group_sizes(document: Document) -> None:
    """Keep the counts of a regression: rows a group."""
    without(lambda part: part["model"] == "subject")(document)
    document["provenance"]["data"]["task"] = "regression"
    for part in document["tallies"]:
        part["counts"], part["axes"] = [sum(map(sum, cells)) for cells in part["counts"]], ["group"]
        for name in ("weights", "squared_weights", "clusters", "moments"):
            part.pop(name, None)


def renamed_model(document: Document) -> None:
    lie(document)
    for part in document["tallies"]:
        part["model"] = {"subject": "attributions"}.get(part["model"], part["model"])


def renamed_feature(document: Document) -> None:
    """Rename a feature in the counts, not in the findings."""
    for part in document["tallies"]:
        part["columns"] = ["gender" if name == "sex" else name for name in part["columns"]]
    document["provenance"]["data"]["sensitive_features"] = ["race", "gender"]


def renamed_group(document: Document) -> None:
    for part in document["tallies"]:
        part["groups"] = [["X" if name == "F" else name for name in group] for group in part["groups"]]


def swapped_groups(document: Document) -> None:
    for part in document["tallies"]:
        if part["columns"] == ["sex"]:
            part["groups"].reverse()


def unrecorded(where: str, value: object) -> Edit:
    """Leave a feature unnamed, and write nonsense where features that nobody recorded are declared."""

    def edit(document: Document) -> None:
        feature_unnamed(document)
        held = document["provenance"]
        (held["options"] if where == "group_shares" else held["data"]["roles"])[where] = value

    return edit


def other_audit(document: Document) -> None:
    """State a gap of a feature that is not there as of an audit that estimates unknown groups."""
    copied(document, GAP, "selection_rate_difference[age]", audit="unobserved_groups")
    next(part for part in document["sections"] if part["audit"] == "unobserved_groups")["ran"] = True


def version_1(edit: Edit) -> Edit:
    return lambda document: (edit(document), document.update(schema_version=1))


def bare_weights(document: Document) -> None:
    lie(document)
    for part in document["tallies"]:
        part.pop("weights", None)
        part.pop("squared_weights", None)


def frequencies(document: Document) -> None:
    lie(document)
    document["provenance"]["data"]["roles"]["frequency"] = "n"


def no_controls(document: Document) -> None:
    stated(document, f"{GAP[:-1]};given=job]", 0.01)
    document["tallies"] = [part for part in document["tallies"] if part["model"] != "strata"]
    document["provenance"]["data"]["control_features"] = []


def one_class_less(document: Document) -> None:
    document["provenance"]["data"]["classes"].pop()


def empty_counts(document: Document) -> None:
    lie(document)
    for part in document["tallies"]:
        part["counts"], part["groups"] = [], []


def zeros(document: Document) -> None:
    lie(document)
    tally(document)["counts"] = [[[0, 0], [0, 0]]]


FORGED: dict[str, tuple[str, Edit]] = {
    "no rows": ("scores", no_data(without())),
    "no rows, counts by score": ("scores", no_data(without(lambda part: part["model"] == "scores"))),
    "no rows, counts of the subject": ("compressed", no_data(without(lambda part: part["model"] == "subject"))),
    "no rows, all counts": ("weighted", no_data(lie)),
    "no rows, honest": ("clustered", no_data(lambda document: None)),
    "no rows, version 1": ("scores", version_1(no_data(without()))),
    "version 1": ("decisions", version_1(lie)),
    "version 1 without counts": ("decisions", version_1(without())),
    "version 1 of clusters": ("clustered", version_1(lie)),
    "feature unnamed": ("decisions", feature_unnamed),
    "feature unnamed, with clusters": ("clustered", feature_unnamed),
    "feature unnamed, of classes": ("decisions", lambda d: (feature_unnamed(d), of_data(task="multiclass")(d))),
    "feature of no rows": ("scores", lambda d: copied(d, GAP, "selection_rate_difference[age]")),
    "feature of another audit": ("scores", other_audit),
    "feature renamed in counts": ("decisions", renamed_feature),
    "group renamed in counts": ("weighted", renamed_group),
    "groups exchanged in counts": ("weighted clusters", swapped_groups),
    "control of no rows": ("compressed", lambda d: copied(d, GAP, f"{GAP[:-1]};given=age]")),
    "control unnamed": ("compressed", no_controls),
    "regression": ("decisions", of_data(task="regression")),
    "regression, with its counts": ("decisions", group_sizes),
    "regression, of weights": ("weighted", group_sizes),
    "ranking": ("scores", of_data(task="ranking")),
    "several labels": ("scores", of_data(task="multilabel")),
    "unknown task": ("scores", of_data(task="?")),
    "other axes": ("decisions", other_axes),
    "counts of another model": ("decisions", renamed_model),
    "counts of the original alone": ("compressed", without(lambda part: part["model"] == "original")),
    "joint counts alone": ("compressed", without(lambda part: part["model"] == "joint")),
    "crossings alone": ("weighted", without(lambda part: len(part["columns"]) == 2)),
    "counts of nobody": ("scores", zeros),
    "empty counts": ("scores", empty_counts),
    "unrecorded as a number": ("decisions", unrecorded("group_shares", 5)),
    "unrecorded as a list": ("decisions", unrecorded("proxies", ["sex"])),
    "unrecorded as nothing": ("decisions", unrecorded("proxies", None)),
    "options that are a list": ("decisions", lambda d: (lie(d), d["provenance"].update(options=[]))),
    "roles that are a list": ("decisions", of_data(roles=[])),
    "no roles": ("clustered", dropped("roles")),
    "no features": ("decisions", dropped("sensitive_features")),
    "no number of rows": ("decisions", dropped("rows")),
    "weights left out": ("weighted", bare_weights),
    "rows that are counts": ("clustered", frequencies),
    "a class less": ("classes", one_class_less),
    "classes of two": ("scores", of_data(classes=[])),
}


@pytest.mark.parametrize("name", FORGED)
def test_nothing_escapes_what_counts_say(
    name: str, tmp_path: Path, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, edit = FORGED[name]
    assert exit_code(["gate", str(forged(kind, edit, tmp_path / "audit.json")), "--policy", str(policy)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "bug" not in said
    assert "Audit again" in said or "breaks the schema" in said


def test_verify_reports_a_record_of_no_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = forged("scores", FORGED["no rows"][1], tmp_path / "audit.json")
    assert exit_code(["verify", str(place)]) == 1
    assert "does not say of which rows" in capsys.readouterr().out


def test_a_verdict_says_which_figures_are_only_stated(tmp_path: Path) -> None:
    """The area under a curve does not follow from counts of decisions; nothing tells an invented one."""
    place = forged("scores", lambda document: stated(document, "roc_auc", 0.99), tmp_path / "audit.json")
    limits = {"roc_auc": {"at_least": 0.9}, "accuracy": {"at_least": 0.1}}
    verdict = eh.judge(eh.read_record(place), eh.load_policy({"limits": limits}))
    assert [str(remark) for remark in verdict.remarks] == [
        "Stated by the audit, and not derived from its counts: roc_auc."
    ]
    assert eh.judge(eh.read_record(place), eh.load_policy({"limits": {"accuracy": {"at_least": 0.1}}})).remarks == ()
    strict = eh.load_policy({"limits": limits, "require": {"derived": True}})
    assert eh.judge(eh.read_record(place), strict).status == "failed"


def test_a_feature_that_nobody_recorded_is_not_one_that_was_counted(tmp_path: Path) -> None:
    """To declare a feature unrecorded leaves its gap a claim: the verdict says so, and the requirement fails."""

    def edit(document: Document) -> None:
        feature_unnamed(document)
        stated(document, "accuracy", 0.5)
        document["findings"] = [found for found in document["findings"] if found["key"] == GAP]
        document["provenance"]["options"]["group_shares"] = {"sex": {"F": 0.5, "M": 0.5}}

    record = eh.read_record(forged("decisions", edit, tmp_path / "audit.json"))
    limits = {GAP: {"at_most": 0.05}}
    assert any("not derived" in remark for remark in eh.judge(record, eh.load_policy({"limits": limits})).remarks)
    required = eh.load_policy({"limits": limits, "require": {"sensitive_features": ["sex"]}})
    assert eh.judge(record, required).status == "failed"
