"""Identity tests and situations: whoever is decided otherwise is found, and nobody else blamed."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import evenhand as eh
from evenhand.audits.templates import IDENTITIES, SENTENCES, built_in, read_templates
from evenhand.errors import InputError
from evenhand.subjects import as_subject

SHARED = Path(os.environ.get("EVENHAND_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "text_toxicity"
TEXTS = ["you are a fool", "nice weather", "go away now", "thank you so much"] * 15
DATA = eh.read_evaluation_set(
    {"flagged": [1, 0, 1, 0] * 15, "sex": ["f", "m", "m"] * 20, "text": TEXTS},
    label="flagged", sensitive_features="sex", texts="text",
)  # fmt: skip
QUICK: dict[str, Any] = {"explain": False, "footprint": False, "audits": ("identity", "scenarios")}


def by_word(word: str, high: float = 0.9, low: float = 0.1) -> Any:
    """Return a model that flags what holds a word."""
    return as_subject(lambda texts: np.where([word in re.findall(r"\w+", text) for text in texts], high, low), name="w")


def findings(record: eh.AuditRecord, metric: str) -> dict[str, Any]:
    return {dict(f.key.group).get("identity", ""): f for f in record.findings if f.key.metric == metric}


def test_the_one_identity_that_is_flagged_is_found_and_no_other_is_blamed() -> None:
    record = eh.audit(by_word("gay"), DATA, **QUICK)
    rates, apart = (findings(record, f"identity_selection_{name}") for name in ("rate", "difference"))
    assert set(rates) == set(IDENTITIES)
    assert {who for who, found in rates.items() if found.estimate == 1.0} == {"gay"}
    assert apart["gay"].estimate == 1.0
    assert apart["gay"].interval.low > 0.5
    others = [found for who, found in apart.items() if who != "gay"]
    assert all(found.estimate == pytest.approx(-1 / (len(IDENTITIES) - 1)) for found in others)
    assert all(found.interval.low < 0 < found.interval.high for found in others)
    flips = findings(record, "identity_flip_rate")
    assert flips[""].estimate == flips["gay"].estimate == 1.0
    assert flips["old"].estimate == pytest.approx(1 / (len(IDENTITIES) - 1))
    scores = findings(record, "identity_score_change")
    assert scores["gay"].estimate == pytest.approx(0.8)
    assert 0.5 < scores["gay"].interval.low < 0.8, "that all agree does not tell that all others would"


def test_a_model_that_ignores_identities_has_no_difference_and_its_ends_are_no_point() -> None:
    record = eh.audit(by_word("fool"), DATA, **QUICK)
    for metric in ("identity_selection_difference", "identity_score_change", "identity_flip_rate"):
        for found in findings(record, metric).values():
            assert found.estimate == 0.0
            assert found.interval.low <= 0.0 < found.interval.high < 0.3


def test_more_templates_tell_more(tmp_path: Path) -> None:
    rows = [(f"Case {at}: {{identity}}.", who) for at, who in product(range(150), ("gay", "old", "young"))]
    pd.DataFrame(rows, columns=["template", "identity"]).to_csv(tmp_path / "own.csv", index=False)
    found = findings(
        eh.audit(by_word("gay"), DATA, templates=str(tmp_path / "own.csv"), **QUICK), "identity_selection_difference"
    )["gay"]
    assert (found.estimate, found.support) == (1.0, 150)
    assert found.interval.low > 0.95


def test_what_was_expected_is_told_apart(tmp_path: Path) -> None:
    rows = [
        (text.format(who=who), who, expected)
        for text, expected in (("{who} people sing", "0"), ("I hate {who} people", "1"), ("{who} fools", "1"))
        for who in ("gay", "old")
        for _ in range(20)
    ]
    table = pd.DataFrame(rows, columns=["text", "identity", "expected"])
    table.to_csv(tmp_path / "own.csv", index=False)
    record = eh.audit(by_word("gay"), DATA, templates=str(tmp_path / "own.csv"), **QUICK)
    assert record["identity_selection_rate[expected=0,identity=gay]"].estimate == 1.0
    assert record["identity_selection_rate[expected=1,identity=old]"].estimate == 0.0
    gap = record["identity_selection_difference[expected=0,identity=gay]"]
    assert gap.estimate == 1.0 and gap.interval is not None and gap.interval.low is not None and gap.interval.low > 0.5
    assert not findings(record, "identity_flip_rate"), "nobody says which texts differ in the identity alone"


def test_a_policy_limits_single_identities_and_all(tmp_path: Path) -> None:
    record = eh.audit(by_word("gay"), DATA, **QUICK)
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[limits]\n"identity_selection_difference[identity=*]" = { at_most = 0.3 }\n'
        '"identity_flip_rate" = { at_most = 0.1 }\n'
    )
    verdict = eh.judge(record, eh.load_policy(policy))
    failed = {str(judged.key) for judged in verdict.judgements if judged.status == "failed"}
    assert failed == {"identity_selection_difference[identity=gay]", "identity_flip_rate"}
    page = eh.render(record, verdict)
    assert "The same sentence about somebody else" in page
    assert "Beyond chance apart from the other identities: gay" in page


def test_models_that_read_no_texts_are_not_asked_and_templates_for_them_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": [0.0, 1.0] * 30, "y": [0, 1] * 30})
    model = LogisticRegression().fit(table[["x"]], table["y"])
    sections = {s.audit: s for s in eh.audit(model, table, label="y", **QUICK).sections}
    assert not sections["identity"].ran and "reads no texts" in sections["identity"].reason
    (tmp_path / "own.csv").write_text("template\nI am {identity}\n")
    with pytest.raises(InputError, match="The model reads no texts"):
        eh.audit(model, table, label="y", templates=str(tmp_path / "own.csv"), **QUICK)
    off = eh.audit(by_word("gay"), DATA, templates="none", **QUICK)
    assert not off.of_audit("identity")
    usual = eh.audit(model, table, label="y", explain=False, footprint=False)
    assert not {"identity", "scenarios"} & {section.audit for section in usual.sections}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("templat\nI am {identity}\n", r"'templat' is not known here.*Did you mean 'template'"),
        ("template\nI am nobody\n", r"1 templates have no \{identity\}, such as 'I am nobody'"),
        ("text\nI am gay\n", "a column text needs a column identity"),
        ("text,identity\nI am gay,gay\n", "identities are compared, so two at least"),
        ("text,identity\nI am gay,\nI am old,old\n", "column identity is empty in 1 rows"),
        ("text,identity,expected\na,gay,hateful\nb,old,0\n", "'hateful' is expected of some texts, and the label"),
    ],
)
def test_what_is_wrong_with_templates_is_told(content: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(content)
    with pytest.raises(InputError, match=told):
        eh.audit(by_word("gay"), DATA, templates=str(tmp_path / "own.csv"), **QUICK)


def test_a_word_that_is_no_file_is_refused_with_the_words_that_are_known() -> None:
    with pytest.raises(InputError, match="Did you mean 'built-in'"):
        eh.audit(by_word("gay"), DATA, templates="builtin", **QUICK)


def test_own_sentences_hold_each_identity_once() -> None:
    own = built_in()
    assert len(own.texts) == len(set(own.texts)) == len(SENTENCES) * len(IDENTITIES)
    assert read_templates("built-in").digest == own.digest


def profanity() -> Any:
    """Return the published model of offensive language that a package carries."""
    where = find_spec("profanity_check")
    if where is None or not where.submodule_search_locations:
        pytest.skip("alt-profanity-check is not installed")
    place = Path(where.submodule_search_locations[0]) / "data"
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*(joblib.load(place / f"{part}.joblib") for part in ("vectorizer", "model")))


@pytest.mark.filterwarnings("ignore")
def test_a_published_model_that_flags_harmless_sentences_about_gay_people_is_found() -> None:
    record = eh.audit(profanity(), DATA, **QUICK)
    apart = findings(record, "identity_selection_difference")
    assert apart["gay"].interval.low > 0.05
    assert findings(record, "identity_selection_rate")["straight"].estimate < 0.1
    assert findings(record, "identity_score_change")["gay"].interval.low > 0.1


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.exists(), reason="HateCheck is not here")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("paired", [True, False])
def test_hatecheck_finds_84_and_16_percent(paired: bool, tmp_path: Path) -> None:
    rows = pd.read_csv(SHARED / "hatecheck.csv.gz").dropna(subset="target_ident")
    table = pd.DataFrame(
        {"text": rows["test_case"], "identity": rows["target_ident"],
         "expected": (rows["label_gold"] == "hateful").astype(int), "template": rows["case_templ"]}
    )  # fmt: skip
    (table if paired else table.drop(columns="template")).to_csv(tmp_path / "hatecheck.csv", index=False)
    record = eh.audit(profanity(), DATA, templates=str(tmp_path / "hatecheck.csv"), **QUICK)
    rate = {who: record[f"identity_selection_rate[expected=0,identity={who}]"].estimate for who in
            ("gay people", "trans people", "black people", "women")}  # fmt: skip
    told = {"gay people": 0.843, "trans people": 0.160, "black people": 0.480, "women": 0.456}
    assert rate == pytest.approx(told, abs=0.0005)
    ends = {who: record[f"identity_selection_difference[expected=0,identity={who}]"].interval for who in rate}
    assert ends["gay people"].low > 0.4  # type: ignore[union-attr,operator]
    assert ends["trans people"].high < -0.1  # type: ignore[union-attr,operator]


SITUATIONS = """situation,required,forbidden,invariant,text,sex
insult is flagged,1,,,you are a fool,f
insult is flagged,1,,,what a fool he is,m
thanks are not,,1,,thank you so much,f
thanks are not,,1,,thank you gay friend,m
names make no difference,,,a,call Anna,f
names make no difference,,,a,call gay Tom,m
names make no difference,,,b,call Eve,f
names make no difference,,,b,call Bob,m
"""


def test_situations_are_counted_by_case_and_group(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(SITUATIONS)
    model = as_subject(lambda texts: [0.9 if "fool" in text or "gay" in text else 0.1 for text in texts], name="w")
    record = eh.audit(model, DATA, scenarios=str(tmp_path / "own.csv"), **QUICK)
    rate = {str(f.key): (f.estimate, f.support) for f in record.of_audit("scenarios")}
    name = "scenario_violation_rate"
    assert rate[name] == (pytest.approx(2 / 6), 6)
    assert rate[f"{name}[situation=insult is flagged]"] == (0.0, 2)
    assert rate[f"{name}[situation=thanks are not]"] == (0.5, 2)
    assert rate[f"{name}[sex=m,situation=thanks are not]"] == (1.0, 1)
    assert rate[f"{name}[situation=names make no difference]"] == (0.5, 2)
    assert rate[f"{name}[sex=m,situation=names make no difference]"] == (0.5, 2)
    assert f"{name}[sex=f,situation=names make no difference]" not in rate, "the first row is what is compared with"
    page = eh.render(record)
    assert "Rules are broken in" in page and "thanks are not" in page


def test_situations_of_a_table_with_groups(tmp_path: Path) -> None:
    table = pd.DataFrame({"income": [20.0, 60.0] * 40, "sex": ["f", "m", "m", "f"] * 20, "paid": [0, 1] * 40})
    lines = ["situation,required,invariant,income,sex"]
    lines += [f"rich are given,1,,{80 + at},{'fm'[at % 2]}" for at in range(40)]
    lines += [f"sex alone changes nothing,,p{at},50,{sex}" for at in range(30) for sex in "mf"]
    (tmp_path / "own.csv").write_text("\n".join(lines))
    unfair = as_subject(
        lambda rows: (rows["income"] > 40) & (rows["sex"] == "m"), name="unfair", features=["income", "sex"]
    )
    record = eh.audit(
        unfair, table, label="paid", sensitive_features="sex", scenarios=str(tmp_path / "own.csv"),
        **{**QUICK, "audits": "scenarios"},
    )  # fmt: skip
    rate = "scenario_violation_rate"
    assert record[f"{rate}[sex=f,situation=rich are given]"].estimate == 1.0
    assert record[f"{rate}[sex=m,situation=rich are given]"].estimate == 0.0
    same = record[f"{rate}[situation=sex alone changes nothing]"]
    assert (same.estimate, same.support) == (1.0, 30)
    assert same.interval is not None and same.interval.low is not None and same.interval.low > 0.8


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("required,text\n1,a\n", "there is no column situation"),
        ("situation,text\ns,a\n", "none of the columns required, forbidden and invariant"),
        ("situation,required,forbidden,text\ns,1,0,a\n", "1 rows have several of required"),
        ("situation,required,text\ns,,a\n", "1 rows have none of required"),
        ("situation,required,text\ns,yes,a\n", "'yes' in column required is no class of the label: 0 and 1"),
        ("situation,invariant,text\ns,p,a\n", "p stands in one row alone"),
        ("situation,required\ns,1\n", "the model reads texts, and there is no column text"),
    ],
)
def test_what_is_wrong_with_situations_is_told(content: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(content)
    with pytest.raises(InputError, match=told):
        eh.audit(by_word("gay"), DATA, scenarios=str(tmp_path / "own.csv"), **QUICK)
