"""Every declared setting is reached from Python, from evenhand.toml and by a flag, and is the same in each."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from importlib import import_module, metadata, reload
from pathlib import Path
from typing import Any

import click
import pytest

import evenhand as eh
from evenhand.audits import AUDITS, Audit, AuditOptions, Statement
from evenhand.audits.arguments import SAID as SAID_OF_OUTPUT
from evenhand.audits.arguments import AuditSettings
from evenhand.audits.options import options
from evenhand.cli.flags import said
from evenhand.cli.settings import TABLES, known, read_settings
from evenhand.data.lm_logs.samples import LogReading
from evenhand.data.roles import ArraySettings, Reading, Roles, RoleSettings, Scoring, Shares
from evenhand.errors import InputError, worded
from evenhand.evidence.options import EvidenceOptions
from evenhand.settings import Declared, Setting, fits, setting, settings_of
from evenhand.training import TabularClassifier, TrainingConfig
from evenhand.training.schedule import Schedule

NO_FLAG = {
    ("split", "train"): "The parts are taken in proportion of what --test-share leaves.",
    ("split", "validation"): "The parts are taken in proportion of what --test-share leaves.",
    ("split", "seed"): "--seed of evenhand train is the seed of the split and of the fit.",
}
PYTHON_ALONE = {"metrics", "others", "train_fn"}
VERB = {"data": "audit", "split": "train", "train": "train", "audit": "audit"}
SAID: dict[str, tuple[object, list[str]]] = {
    "network": ("wide_deep", ["wide_deep"]),
    "budget": (15.0, ["15s"]),
    "proxies": ({"race": ("p_a", "p_b")}, ["race=p_a,p_b"]),
    "bins": ({"age": [25.0, 40.0]}, ["age=25,40"]),
    "value_labels": ({"RAC1P": {"3": "Alaska Native", "1": "White"}}, ["RAC1P=3=Alaska Native", "RAC1P=1=White"]),
    "quantiles": ((0.1, 0.5), ["0.1,0.5"]),
    "cohorts": ({"old": "age >= 60"}, ["old=age >= 60"]),
    "feature_words": ({"dti": "debts"}, ["dti=debts"]),
    "actionable": ({"income": "increase", "job": "any"}, ["income=increase", "job"]),
    "counterfactual": ({"sex": ("job", "hours")}, ["sex=job,hours"]),
    "monotone": ({"income": "increase", "debt": "decrease"}, ["income", "debt=decrease"]),
    "group_shares": ({"race": {"a": 0.2, "b": 0.8}}, ["race={a=0.2, b=0.8}"]),
    "population": ({"sex": {"f": 0.5, "m": 0.5}}, ["sex={f=0.5, m=0.5}"]),
    "group_errors": ({"race": {"a": {"a": 0.9, "b": 0.1}}}, ["race={a={a=0.9, b=0.1}}"]),
    "decision_thresholds": ((0.1, 0.5), ["0.1,0.5"]),
    "synonyms": ({"film": ("movie", "picture")}, ["film=movie,picture"]),
}
"""Values that are not made from the type alone, and how they are written behind the flag."""

EACH = [(table, key, *found) for table in TABLES for key, found in known(table).items()]
each = pytest.mark.parametrize(("table", "key", "name", "declared"), EACH, ids=lambda part: str(part)[:30])


def value_of(declared: Setting) -> tuple[Any, list[str]]:
    """Return a value that is not the default, and how it is written behind the flag."""
    if declared.name in SAID:
        return SAID[declared.name]
    if declared.type is bool:
        return (not declared.default), []
    if others := [word for word in declared.choices if word != declared.default]:
        return others[0], [others[0]]
    if tuple in [getattr(part, "__origin__", part) for part in declared.types]:
        return ((3, 5), ["3,5"]) if fits(declared.type, (3, 5)) else (("a, b", "c"), ["a, b", "c"])
    found = 0.25 if float in declared.types else int(declared.default or 0) + 1 if int in declared.types else "it"  # type: ignore[call-overload]
    return found, [str(found)]


def parsed(table: str, arguments: list[str]) -> dict[str, Any]:
    verb: click.Command = import_module(f"evenhand.cli.{VERB[table]}_verb").command
    return verb.make_context(verb.name, ["rows.csv", *arguments]).params


def record_of(table: str, name: str) -> type[Declared]:
    records: dict[str, tuple[type[Declared], ...]] = {
        "data": (Roles, Reading, Scoring, LogReading), "split": (Shares,), "train": (TrainingConfig,),
        "audit": (AuditOptions,),
    }  # fmt: skip
    return next(record for record in records[table] if table == "audit" or name in settings_of(record))


def held(table: str, name: str, values: dict[str, Any]) -> object:
    """Return what the record that declares a setting holds when it is made from these values."""
    record = record_of(table, name)
    made = record(**values)
    audit = options()[name][0] if table == "audit" else ""
    return getattr(made.own[audit] if audit else made, known(table)[key_of(table, name)][1].name)  # type: ignore[attr-defined]


def key_of(table: str, name: str) -> str:
    return next(key for key, (other, _) in known(table).items() if other == name)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(part)}" for name, part in value.items()) + "}"
    return json.dumps(list(value) if isinstance(value, tuple) else value)


@each
def test_a_setting_is_the_same_in_python_in_the_file_and_behind_its_flag(
    table: str, key: str, name: str, declared: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # paths in the file are relative to it
    value, words = value_of(declared)
    assert declared.problem(value) is None
    wanted = held(table, name, {name: value})
    assert wanted == value != declared.default
    (tmp_path / "evenhand.toml").write_text(f"[{table}]\n{key} = {toml(value)}\n", encoding="utf-8")
    assert held(table, name, dict(getattr(read_settings(Path("evenhand.toml")), table))) == wanted
    if (table, key) in NO_FLAG:
        return
    flag = declared.flag if value is not False else f"--no-{declared.flag[2:]}"
    arguments = [flag] if not words else [part for word in words for part in (flag, word)]
    assert held(table, name, said(parsed(table, arguments), {name: declared})) == wanted
    assert said(parsed(table, []), {name: declared}) == {}, "a flag that is not given leaves the file and the default"


@each
def test_what_is_out_of_range_is_refused_everywhere_in_the_same_words(
    table: str, key: str, name: str, declared: Setting, tmp_path: Path
) -> None:
    bounds = (declared.least, declared.above, declared.below, declared.most)
    if bounds == (None,) * 4 and not declared.choices:
        return
    low = declared.least if declared.least is not None else declared.above
    wrong: Any = (int if int in declared.types else float)(low) - 1 if low is not None else "nonsense"
    wrong = (int(wrong),) if declared.default == () or isinstance(declared.default, tuple) else wrong
    problem = declared.problem(wrong)
    assert problem is not None
    with pytest.raises(InputError) as told:
        held(table, name, {name: wrong})
    assert problem in told.value.marked
    (tmp_path / "evenhand.toml").write_text(f"[{table}]\n{key} = {toml(wrong)}\n", encoding="utf-8")
    with pytest.raises(InputError) as told:
        read_settings(tmp_path / "evenhand.toml")
    assert worded(problem) in str(told.value)
    if (table, key) not in NO_FLAG:
        written = str(wrong[0]) if isinstance(wrong, tuple) else str(wrong)
        with pytest.raises((click.BadParameter, InputError)):
            parsed(table, [f"{declared.flag}={written}"])


def test_settings_that_python_alone_reaches_say_why() -> None:
    alone = {name for name, (_, declared) in options().items() if declared.only}
    assert alone == PYTHON_ALONE
    assert all(declared.only.endswith(".") for _, declared in options().values() if declared.only)


def test_keywords_are_those_of_the_records() -> None:
    roles = {**settings_of(Roles), **settings_of(Reading)}
    assert set(RoleSettings.__annotations__) == {*roles, *(declared.key for declared in roles.values())}
    own = {name for name, (audit, _) in options().items() if audit in {"", *AUDITS.own}}
    assert set(AuditSettings.__annotations__) == {*RoleSettings.__annotations__, *SAID_OF_OUTPUT, *own, "name"}
    assert set(settings_of(Reading)) <= set(ArraySettings.__annotations__)
    assert list(TabularClassifier().get_params()) == sorted(settings_of(TrainingConfig))
    for name, declared in settings_of(TrainingConfig).items():
        assert TabularClassifier().get_params()[name] == declared.default
    shared = settings_of(Schedule).keys() - {"batch_size"}  # a fit takes one by its rows where none is chosen
    assert all(settings_of(Schedule)[name].default == settings_of(TrainingConfig)[name].default for name in shared)


def test_every_setting_has_one_line_and_flags_are_their_own() -> None:
    for _, _, _, declared in EACH:
        assert declared.help[0].isupper() or declared.help.split()[0] in declared.choices, declared.name
        assert declared.help.endswith("."), declared.name
        assert declared.default is None or declared.problem(declared.default) is None, declared.name
    for verb in ("audit", "train", "compress", "count"):
        flags = [flag for param in import_module(f"evenhand.cli.{verb}_verb").command.params for flag in param.opts]
        assert len(flags) == len(set(flags)), verb


def test_a_classifier_is_cloned_and_searched_with_every_setting() -> None:
    from sklearn.base import clone

    model = TabularClassifier(clip=1.0, heads=2, focal_gamma=1.0, precision="bfloat16", shift=1)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(shift=3).get_params()["shift"] == 3
    with pytest.raises(InputError, match=r"no training setting 'hiden'\. Did you mean 'hidden'"):
        TabularClassifier(hiden=(3,))


def test_options_reach_the_audit_that_declares_them_flat_or_together() -> None:
    flat, together = AuditOptions(adjust="bh"), AuditOptions(chance={"adjust": "bh"})
    assert flat == together
    assert flat.updated({"level": 0.9}).own["chance"].adjust == "bh"  # type: ignore[attr-defined]
    with pytest.raises(InputError) as told:
        AuditOptions(adjust="b", level=2, intersections=0)
    assert len(told.value.problems) == 3
    with pytest.raises(InputError, match=r"The chance audit knows no option 'adjst'\. Did you mean 'adjust'"):
        AuditOptions(chance={"adjst": "bh"})
    with pytest.raises(InputError, match=r"audit\(\) knows no option 'explain_row'\. Did you mean 'explain_rows'"):
        AuditOptions(explain_row=3)


def test_options_are_on_record_and_come_back() -> None:
    y, group = [0, 1] * 40, {"sex": ["f", "m"] * 40}
    record = eh.audit_predictions(y, y, sensitive_features=group, options=AuditOptions(pooling=True), level=0.9)
    told: Any = record.provenance["options"]
    assert told["pooling"] is True
    assert told["level"] == 0.9
    assert AuditOptions(**told).on_record() == told


@dataclass(frozen=True, slots=True)
class NearOptions(Declared):
    """Options of an audit that a package brings."""

    margin: float = setting(0.1, "How near is near.", above=0)
    adjust: bool = setting(False, "A name that is taken.")


def near(evidence: object) -> Statement:
    """State nothing."""
    return Statement((), f"margin {evidence.options.of(NearOptions).margin}")  # type: ignore[attr-defined]


NEAR = Audit(near, frozenset({"binary"}), NearOptions)


def test_options_of_a_package_are_reached_by_file_flag_and_keyword(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    point = metadata.EntryPoint("near", f"{__name__}:NEAR", "evenhand.audits")
    monkeypatch.setattr(point.__class__, "load", lambda self: NEAR)
    usual = metadata.entry_points
    monkeypatch.setattr(
        metadata, "entry_points", lambda **what: (point,) if what == {"group": "evenhand.audits"} else usual(**what)
    )
    assert options()["margin"] == ("near", settings_of(NearOptions)["margin"])
    assert options()["near_adjust"] == ("near", settings_of(NearOptions)["adjust"])
    assert options()["adjust"][0] == "chance"
    (tmp_path / "evenhand.toml").write_text("[audit]\nnear_adjust = true\n[audit.near]\nmargin = 0.2\n")
    read = read_settings(tmp_path / "evenhand.toml").audit
    assert AuditOptions(**read).own["near"] == NearOptions(0.2, True)
    (tmp_path / "evenhand.toml").write_text("[audit.near]\nmargn = 0.2\n[audit.far]\nx = 1\n")
    with pytest.raises(InputError) as told:
        read_settings(tmp_path / "evenhand.toml")
    assert len(told.value.problems) == 2
    verb = reload(import_module("evenhand.cli.audit_verb"))
    found = verb.command.make_context("audit", ["rows.csv", "--margin", "0.3", "--near-adjust"]).params
    assert AuditOptions(**said(found, verb.OPTIONS)).own["near"] == NearOptions(0.3, True)
    y = [0, 1] * 20
    record = eh.audit_predictions(y, y, margin=0.4)
    assert next(section.reason for section in record.sections if section.audit == "near") == "margin 0.4"
    assert record.provenance["options"]["margin"] == 0.4  # type: ignore[call-overload, index]
    AUDITS._loaded.pop("near")
    monkeypatch.undo()
    reload(verb)


def test_evidence_alone_has_the_usual_options_of_every_audit() -> None:
    from evenhand.audits.chance import ChanceOptions

    assert EvidenceOptions().of(ChanceOptions) == ChanceOptions()
    assert replace(EvidenceOptions(), level=0.9).level == 0.9
