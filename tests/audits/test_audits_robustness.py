"""Decisions on corrupted rows: planted brittle groups are found, and what is stated is what the rows show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import AUDITS, AuditOptions
from evenhand.audits.options import options
from evenhand.cli.audit_verb import command as audit_verb
from evenhand.cli.flags import said
from evenhand.cli.settings import read_settings
from evenhand.data import EvaluationSet, read_evaluation_set
from evenhand.errors import InputError
from evenhand.evidence import Evidence
from evenhand.keys import Key
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data.roles import RoleSettings


def people(rows: int = 3_000, seed: int = 0, sensitive: tuple[str, ...] = ("sex",)) -> EvaluationSet:
    """Honest and fragile say the same of everybody; the label follows them."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 1, rows)
    table = pd.DataFrame(
        {
            "honest": honest,
            "fragile": honest + rng.normal(0, 0.02, rows),
            "months": rng.integers(1, 60, rows),
            "job": rng.choice(["clerk", "nurse", "farmer"], rows),
            "sex": rng.choice(["f", "m"], rows),
            "race": rng.choice(["a", "b", "c"], rows),
        }
    )
    table["paid"] = (honest + rng.normal(0, 0.3, rows) > 0).astype(int)
    return read_evaluation_set(table, label="paid", favourable=1, sensitive_features=sensitive, use_sensitive=True)


def brittle(rows: pd.DataFrame) -> np.ndarray:
    """Reads the fragile column of women ten times as steeply, so that little noise there turns their decisions."""
    noise = 8 * (rows["fragile"] - rows["honest"])
    return np.asarray(1 / (1 + np.exp(-(rows["honest"] + np.where(rows["sex"] == "f", noise, 0.0)))))


def plain(rows: pd.DataFrame) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-rows["honest"] - 0.01 * rows["months"] + 0.3)))


@pytest.fixture(scope="module")
def record() -> eh.AuditRecord:
    return eh.audit(brittle, people(sensitive=("sex", "race")), audits="robustness", robustness=True)


def test_it_runs_where_it_is_asked_for_alone() -> None:
    data = people(60)
    for more, wanted in ({}, False), ({"robustness": True}, True), ({"everything": True}, True):
        evidence = Evidence(as_subject(plain), data, options=AuditOptions(**more))
        assert AUDITS["robustness"].wanted(evidence) is wanted
    assert AUDITS["robustness"].tasks == {"binary", "multiclass", "regression"}


def test_a_planted_brittle_group_is_found(record: eh.AuditRecord) -> None:
    for severity in (1, 2, 3):
        gap = record[f"corrupted_flip_rate_difference[sex;corruption=noise;severity={severity}]"]
        assert gap.interval is not None
        assert (gap.interval.low or 0) > 0
        assert gap.furthest[-1].group == "f"
    worst = record["corrupted_flip_rate_difference[sex;corruption=worst;severity=1]"]
    noise = record["corrupted_flip_rate_difference[sex;corruption=noise;severity=1]"]
    assert worst.estimate == noise.estimate
    assert 0 < worst.interval.low < noise.interval.low  # type: ignore[operator, union-attr]
    lost = record["corrupted_accuracy_change_difference[sex;corruption=noise;severity=3]"]
    assert (lost.interval.low or 0) > 0  # type: ignore[union-attr]
    wider = record["corrupted_recall_difference_change[sex;corruption=noise;severity=3]"]
    assert (wider.interval.low or 0) > 0  # type: ignore[union-attr]
    race = record["corrupted_flip_rate_difference[race;corruption=noise;severity=1]"]
    assert race.interval is not None
    assert race.interval.low == 0


def test_every_interval_says_what_it_holds_together_with(record: eh.AuditRecord) -> None:
    for finding in record.findings:
        if finding.interval is not None and finding.key.qualifier("severity"):
            parts = 18 if finding.key.qualifier("corruption") == "worst" else 3
            assert finding.interval.method.endswith(f", bonferroni over {parts}"), finding
            assert finding.interval.method.count("bonferroni") == 1, finding


def test_what_does_not_reach_the_model_turns_nothing(record: eh.AuditRecord) -> None:
    for name in ("units", "categories"):  # only months and jobs are amounts and categories, and it reads neither
        found = record[f"corrupted_flip_rate[;corruption={name};severity=3]"]
        assert (found.estimate, found.support) == (0.0, 3_000)


def test_the_curve_of_a_known_model_rises_and_is_what_theory_says() -> None:
    """Of a normal score cut at its mean, noise of s standard deviations turns arctan(s) / pi of the decisions."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"x": rng.normal(0, 1, 20_000), "sex": rng.choice(["f", "m"], 20_000)})
    table["y"] = (table["x"] > 0).astype(int)
    data = read_evaluation_set(table, label="y", sensitive_features="sex")
    record = eh.audit(lambda X: (X["x"] + 4) / 8, data, audits="robustness", threshold=0.5)
    found = [record[f"corrupted_flip_rate[;corruption=noise;severity={at}]"] for at in (1, 2, 3)]
    for finding, amount in zip(found, (0.1, 0.25, 0.5), strict=True):
        wanted = np.arctan(amount) / np.pi
        assert finding.estimate == pytest.approx(wanted, abs=0.006)
        assert finding.interval is not None
    assert found[0].estimate < found[1].estimate < found[2].estimate  # type: ignore[operator]


def test_immutable_columns_are_the_sensitive_ones_unless_others_are_named() -> None:
    data = people(400)
    seen: list[pd.DataFrame] = []

    def model(rows: pd.DataFrame) -> np.ndarray:
        seen.append(rows)
        return plain(rows)

    eh.audit(model, data, audits="robustness")
    whole = [rows for rows in seen if len(rows) == 400]
    assert all((rows["sex"] == data.table["sex"]).all() for rows in whole)
    assert any((rows["job"] != data.table["job"]).any() for rows in whole)
    seen.clear()
    told = eh.audit(model, data, audits="robustness", immutable=["honest", "job"]).sections[0].reason
    whole = [rows for rows in seen if len(rows) == 400]
    assert all((rows["honest"] == data.table["honest"]).all() and (rows["job"] == data.table["job"]).all()
               for rows in whole)  # fmt: skip
    assert any((rows["sex"] != data.table["sex"]).any() for rows in whole)
    assert "Never changed: honest, job." in told
    with pytest.raises(InputError, match=r"there is no column 'jop'.*job"):
        eh.audit(model, data, audits="robustness", immutable=["jop"])


def test_two_audits_are_the_same_to_the_byte() -> None:
    data = people(500)
    made = [
        json.dumps([repr(finding) for finding in eh.audit(brittle, data, audits="robustness", seed=3).findings])
        for _ in range(2)
    ]
    assert made[0] == made[1]


def test_ranges_come_from_training_rows_where_they_are_given() -> None:
    data, others = people(300), people(300, seed=1)
    told = [
        eh.audit(plain, data, audits="robustness", robustness_rows=100, **more).sections[0].reason  # type: ignore[arg-type]
        for more in ({"members": others.table}, {"background": others.table}, {})
    ]
    assert "learned from the rows that the model was fitted on" in told[0]
    assert "learned from the background rows" in told[1]
    assert "the evaluation rows themselves" in told[2]
    assert all("100 of 300 rows" in each for each in told)


def test_a_compressed_model_is_compared_with_its_original_on_the_same_corrupted_rows() -> None:
    record = eh.audit(brittle, people(), audits="robustness", original=plain)
    for severity in ("1", "3"):
        key = Key.of("corrupted_flip_rate_change", of="original", corruption="noise", severity=severity)
        assert (record[key].interval.low or 0) > 0  # type: ignore[union-attr]
    women = record["corrupted_flip_rate_change[sex=f;corruption=noise;of=original;severity=1]"].estimate
    men = record["corrupted_flip_rate_change[sex=m;corruption=noise;of=original;severity=1]"].estimate
    assert (women or 0) > (men or 0) + 0.05
    alike = eh.audit(plain, people(500), audits="robustness", original=plain)
    same = alike["corrupted_flip_rate_change[;corruption=noise;of=original;severity=3]"]
    assert same.estimate == 0


def test_a_model_that_cannot_answer_is_not_asked_on() -> None:
    data = people(300)
    edges = data.table["months"].max()

    def strict(rows: pd.DataFrame) -> np.ndarray:
        if (rows["months"] > edges).any():
            raise ValueError("months of somebody: 613")
        return plain(rows)

    record = eh.audit(strict, data, audits="robustness")
    names = {finding.key.qualifier("corruption") for finding in record.findings}
    assert "units" not in names
    assert "noise" in names
    assert (
        "Left out: amounts in another unit. The model does not answer rows that are corrupted so."
        in record.sections[0].reason
    )
    assert "613" not in record.sections[0].reason


def test_numbers_move_and_errors_grow() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(10, 2, 2_000), "sex": rng.choice(["f", "m"], 2_000)})
    table["y"] = 3 * table["x"] + rng.normal(0, 1, 2_000)
    data = read_evaluation_set(table, label="y", sensitive_features="sex", task="regression")
    record = eh.audit(lambda X: 3 * X["x"], data, audits="robustness")
    spread = table["x"].std()
    moved = record["corrupted_prediction_distance[;corruption=noise;severity=3]"]
    assert moved.estimate == pytest.approx(3 * 0.5 * spread * np.sqrt(2 / np.pi), rel=0.05)
    grown = record["corrupted_mean_absolute_error_change[;corruption=noise;severity=3]"]
    assert (grown.interval.low or 0) > 0  # type: ignore[union-attr]
    assert record["corrupted_prediction_distance_difference[sex;corruption=noise;severity=3]"].estimate is not None


def test_several_classes_flip_and_lose() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(0, 1, 1_500), "sex": rng.choice(["f", "m"], 1_500)})
    table["y"] = np.digitize(table["x"], [-0.5, 0.5])
    data = read_evaluation_set(table, label="y", sensitive_features="sex", task="multiclass")

    def scores(rows: pd.DataFrame) -> np.ndarray:
        far = -np.abs(rows["x"].to_numpy()[:, None] - np.array([-1.0, 0.0, 1.0]))
        return np.asarray(np.exp(far) / np.exp(far).sum(axis=1, keepdims=True))

    record = eh.audit(scores, data, audits="robustness")
    flips = record["corrupted_flip_rate[;corruption=noise;severity=3]"]
    lost = record["corrupted_accuracy_change[;corruption=noise;severity=3]"]
    assert flips.estimate == pytest.approx(-lost.estimate, abs=1e-9)  # type: ignore[operator]  # it was right everywhere
    assert (flips.estimate or 0) > 0.1


def test_rows_near_the_threshold_are_counted_by_group() -> None:
    data = people(4_000)
    record = eh.audit(plain, data, audits="robustness")
    near = record["near_threshold_share"]
    assert 0 < (near.estimate or 0) < 0.5
    assert "Within" in near.note
    parts = [record[f"near_threshold_share[sex={sex}]"] for sex in ("f", "m")]
    assert near.estimate == pytest.approx(
        sum((part.estimate or 0) * part.support for part in parts) / sum(part.support for part in parts)
    )


def test_images_of_real_digits() -> None:
    sklearn = pytest.importorskip("sklearn.datasets")
    from sklearn.linear_model import LogisticRegression

    digits = sklearn.load_digits()
    images = (digits.images / 16).astype(np.float32)
    model = LogisticRegression(max_iter=200).fit(images[:900].reshape(900, -1), digits.target[:900] >= 5)
    rng = np.random.default_rng(0)
    table = {"y": (digits.target[1400:] >= 5).astype(int), "pen": rng.choice(["a", "b"], len(digits.target) - 1400)}
    data = read_evaluation_set(table, label="y", sensitive_features="pen", inputs=images[1400:])

    def predict(batch: np.ndarray) -> np.ndarray:
        return np.asarray(model.predict_proba(batch.reshape(len(batch), -1))[:, 1])

    record = eh.audit(predict, data, audits="robustness")
    rates = {
        name: [record[f"corrupted_flip_rate[;corruption={name};severity={at}]"].estimate or 0 for at in (1, 2, 3)]
        for name in ("noise", "blur", "shift", "rotation", "occlusion", "contrast")
    }
    assert all(found[0] <= found[2] for found in rates.values())
    assert rates["shift"][2] > 0.1
    worst = record["corrupted_flip_rate[;corruption=worst;severity=3]"].estimate
    assert worst == max(
        record[f"corrupted_flip_rate[;corruption={name};severity=3]"].estimate or 0
        for name in {f.key.qualifier("corruption") for f in record.findings} - {"worst", None}
    )


def test_texts_with_a_table_of_synonyms() -> None:
    rng = np.random.default_rng(0)
    good = rng.random(600) < 0.5
    texts = ["a good and quiet film" if each else "a bad and loud film" for each in good]
    table = {"y": good.astype(int), "site": rng.choice(["a", "b"], 600)}
    data = read_evaluation_set(table, label="y", sensitive_features="site", inputs=texts)

    def predict(batch: list[str]) -> list[float]:
        return [0.9 if "good" in text else 0.1 for text in batch]

    record = eh.audit(predict, data, audits="robustness", synonyms={"good": ["fine"]})
    assert record["corrupted_flip_rate[;corruption=synonyms;severity=3]"].estimate == pytest.approx(good.mean())
    assert record["corrupted_flip_rate[;corruption=case;severity=3]"].estimate == pytest.approx(good.mean())
    left = eh.audit(predict, data, audits="robustness")
    assert "Left out: other words that say the same. No table of synonyms was given." in left.sections[0].reason


def test_a_table_of_synonyms_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "words.toml").write_text('good = ["fine", "decent"]\nbad = "poor"\n', encoding="utf-8")
    (tmp_path / "words.json").write_text('{"good": ["fine", "decent"], "bad": ["poor"]}', encoding="utf-8")
    (tmp_path / "evenhand.toml").write_text('[audit]\nsynonyms = "words.toml"\n', encoding="utf-8")
    wanted = AuditOptions(synonyms={"good": ["fine", "decent"], "bad": ["poor"]}).on_record()
    assert wanted["synonyms"] == {"good": ("fine", "decent"), "bad": ("poor",)}
    for given in (tmp_path / "words.toml", str(tmp_path / "words.json")):
        assert AuditOptions(synonyms=given).on_record() == wanted, "the words are on record, and no path"
    settings = read_settings(tmp_path / "evenhand.toml").audit
    assert AuditOptions(**settings).on_record() == wanted, "from any folder"
    monkeypatch.chdir(tmp_path)
    declared = options()["synonyms"][1]
    for words in (["--synonyms", "words.toml"], ["--synonyms", "good=fine,decent", "--synonyms", "bad=poor"]):
        told = audit_verb.make_context("audit", ["rows.csv", *words]).params
        assert AuditOptions(**said(told, {"synonyms": declared})).on_record() == wanted


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("absent.toml", None, "there is no such file"),
        ("words.csv", "good,fine", "neither a .toml nor a .json file"),
        ("words.toml", "good = [", "words.toml"),
        ("words.toml", "good = 3", r"words.toml: 'good' must have a list of words .* not 3\."),
        ("words.json", '["good"]', "must be a table of words"),
        ("words.json", '{"good": ["fine", 1]}', "'good' must have a list of words"),
    ],
)
def test_a_file_that_is_no_table_of_synonyms_is_refused_in_a_sentence(
    name: str, text: str | None, told: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told) as wrong:
        AuditOptions(synonyms=str(tmp_path / name))
    assert "\n" not in str(wrong.value)


def test_a_word_whose_synonyms_are_no_list_is_named() -> None:
    with pytest.raises(InputError, match="'good' must have a list of words that say the same"):
        AuditOptions(synonyms={"good": 3})


def test_without_a_model_there_is_nobody_to_ask() -> None:
    record = eh.audit_predictions([1, 0, 1, 0], [1, 0, 0, 0], sensitive_features={"sex": list("fmfm")})
    assert not [finding for finding in record.findings if finding.audit == "robustness"]


def test_a_policy_can_limit_what_turns(record: eh.AuditRecord, tmp_path: Path) -> None:
    place = tmp_path / "policy.toml"
    place.write_text(
        """
[limits]
"corrupted_flip_rate[;corruption=worst;severity=1]" = { at_most = 0.5 }
"corrupted_flip_rate_difference[sex;corruption=worst;severity=1]" = { at_most = 0.02 }
"corrupted_flip_rate[race=*;corruption=noise;severity=1]" = { at_most = 0.9 }
"corrupted_recall_difference_change[sex;corruption=noise;severity=3]" = { at_most = 0.5 }
"near_threshold_share_difference[sex]" = { at_most = 0.9 }
""",
        encoding="utf-8",
    )
    verdict = eh.judge(record, eh.load_policy(place))
    said = [judgement.status for judgement in verdict.judgements]
    assert said.count("failed") == 1
    assert said.count("passed") == len(said) - 1 == 6
    assert "Flip rate under corruption difference" in eh.render(record, verdict)


def test_weights_and_clusters_count() -> None:
    data = people(1_200)
    table = data.table.assign(weight=np.where(data.table["sex"] == "f", 3.0, 1.0), home=np.arange(1_200) // 4)
    roles: RoleSettings = {"label": "paid", "sensitive_features": ["sex"], "use_sensitive": True}
    of_weights: RoleSettings = {**roles, "sample_weight": "weight", "exclude": ["home"]}
    of_homes: RoleSettings = {**roles, "cluster": "home", "exclude": ["weight"]}
    weighted = eh.audit(brittle, table, audits="robustness", **of_weights)
    parts = {sex: weighted[f"corrupted_flip_rate[sex={sex};corruption=noise;severity=2]"] for sex in ("f", "m")}
    sizes = {sex: part.support * (3 if sex == "f" else 1) for sex, part in parts.items()}
    whole = weighted["corrupted_flip_rate[;corruption=noise;severity=2]"]
    wanted = sum((parts[sex].estimate or 0) * sizes[sex] for sex in parts) / sum(sizes.values())
    assert whole.estimate == pytest.approx(wanted)
    clustered = eh.audit(brittle, table, audits="robustness", **of_homes)
    same = clustered["corrupted_flip_rate[;corruption=noise;severity=2]"]
    assert same.interval is not None
    assert "cluster" in same.interval.method


def test_a_model_behind_http_is_asked_only_where_the_audit_is_named() -> None:
    data = people(60)
    evidence = Evidence(as_subject(plain), data, options=AuditOptions(robustness=True))
    evidence.spared = True
    said = AUDITS["robustness"].run(evidence)
    assert not said.ran
    assert "name the audit" in said.reason


def test_a_forest_decides_ties_on_corrupted_rows_as_it_does_on_others() -> None:
    """Its scores are tenths, and it decides for 0 at one half; a row that is not changed does not turn."""
    ensemble = pytest.importorskip("sklearn.ensemble")
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(0, 1, 800), "z": rng.normal(0, 1, 800), "job": rng.choice(["a", "b"], 800)})
    label = (table["x"] + rng.normal(0, 1, 800) > 0).astype(int)
    forest = ensemble.RandomForestClassifier(10, random_state=0).fit(table[["x", "z"]].assign(z=0.0), label)
    assert (forest.predict_proba(table[["x", "z"]])[:, 1] == 0.5).any()
    data = read_evaluation_set(table.assign(y=label), label="y", sensitive_features="job")
    record = eh.audit(forest, data, audits="robustness", immutable=["x"])
    rates = [finding.estimate for finding in record.findings if finding.key.metric == "corrupted_flip_rate"]
    assert rates
    assert not any(rates)
    subject = as_subject(forest)
    evidence = Evidence(subject, data)
    before = evidence.predictions.threshold
    AUDITS["robustness"].run(evidence)
    assert float(evidence.subject.threshold) == before
