"""New York's public summary: rates, ratios, unknown and small categories; no limit, so no verdict."""

from __future__ import annotations

import re

import pytest

import evenhand as eh


def applicants(groups: dict[str | None, tuple[int, int]], **more: object) -> eh.AuditRecord:
    """Return the audit of groups with (applicants, selected); the truth does not matter here."""
    names = [name for name, (rows, _) in groups.items() for _ in range(rows)]
    selected = [int(at < hits) for rows, hits in groups.values() for at in range(rows)]
    truth = [at % 2 for at in range(len(names))]
    values: dict[str, object] = {"favourable": 1, "missing": "group", **more}
    return eh.audit_predictions(truth, selected, sensitive_features={"sex": names}, **values)  # type: ignore[arg-type]


def rows(text: str) -> dict[str, list[str]]:
    found = re.findall(r"^\| ([^|]+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", text, re.M)
    return {name.strip(): [cell.strip() for cell in cells] for name, *cells in found}


def test_the_rules_own_example() -> None:
    """The sample of the final rule: 1,390 men and 1,181 women assessed, 667 and 555 selected."""
    found = rows(eh.render(applicants({"Male": (1390, 667), "Female": (1181, 555)}), None, "ll144"))
    assert found["Male"] == ["1,390", "667", "0.480", "1.000"]
    assert found["Female"] == ["1,181", "555", "0.470", "0.979"]


def test_unknown_and_small_categories() -> None:
    text = eh.render(applicants({"Male": (500, 250), "Female": (490, 200), "X": (10, 9), None: (37, 5)}), None, "ll144")
    found = rows(text)
    assert found["X"] == ["10", "9", "0.900", ""], "counted and shown, without a ratio, and no measure of the others"
    assert found["Male"][3] == "1.000"
    assert "(missing)" not in found
    assert "left out: 37." in text
    assert "without an impact ratio (5-301(d)): X." in text


def test_it_never_says_passed_or_failed() -> None:
    record = applicants({"Male": (500, 400), "Female": (500, 100)})
    verdict = eh.judge(record, eh.load_policy({"limits": {"selection_rate_ratio[sex]": {"at_least": 0.8}}}))
    text = eh.render(record, verdict, "ll144").lower()
    assert verdict.status == "failed"
    assert not re.search(r"pass|fail|undecided|complian", text)


def test_the_fields_that_the_rule_names() -> None:
    record = eh.with_declarations(applicants({"a": (50, 20), "b": (50, 10)}), {"data_origin": "Applications of 2026"})
    text = eh.render(record, None, "ll144")
    for part in (
        "Date of the audit: 20",
        "Applications of 2026",
        "Date of distribution",
        "100 people",
        "unknown category",
    ):
        assert part in text


def test_selection_must_be_declared() -> None:
    with pytest.raises(eh.EvenhandError, match="--favourable"):
        eh.render(applicants({"a": (50, 20), "b": (50, 10)}, favourable=None), None, "ll144")
    with pytest.raises(eh.EvenhandError, match="no sensitive feature"):
        eh.render(eh.audit_predictions([1, 0], [1, 0]), None, "ll144")


def test_every_field_that_the_rule_asks_for_is_there() -> None:
    """6 RCNY 5-303: date, source of the data, unknown categories, applicants, rates, ratios, distribution."""
    record = applicants({"Male": (300, 200), "Female": (200, 100), None: (12, 3)})
    text = eh.render(eh.with_declarations(record, {"data_origin": "Applications of 2026, all of them."}), None, "ll144")
    for field in (
        r"Date of the audit: \d{4}-\d\d-\d\d",
        "Date of distribution of the tool",
        "Source and explanation of the data: Applications of 2026",
        "people",
        "unknown category, left out: 12",
        "applicants \\| selected \\| selection rate \\| impact ratio",
        "independent",
        "six months",
    ):
        assert re.search(field, text), field
    assert not re.search(r"\b(pass|fail|passed|failed|comply|complies)\b", text.lower())


def test_a_tool_that_scores_has_scoring_rates_beside() -> None:
    """Scored 0 to 399; the women, 120 of them, have the least scores, and a few people of no known sex the greatest."""
    sex = [None if at >= 390 else "Male" if at >= 120 else "Female" for at in range(400)]
    for favourable, sign in ((1, 1), (0, -1)):
        record = eh.audit_predictions(
            [at % 2 for at in range(400)],
            y_score=[sign * at / 400 for at in range(400)],
            sensitive_features={"sex": sex},
            favourable=favourable,
            score_kind="ranking",
            threshold=sign * 0.5,
            missing="group",
        )
        text = eh.render(record, None, "ll144")
        assert "| scoring rate | impact ratio of scores |" in text
        assert "above the median of all 400 people in the data (5-301(c))" in text
        cells = {name: re.search(rf"\| {name} \|.*", text)[0].split("|")[6:8] for name in ("Male", "Female")}  # type: ignore[index]
        told = {name: [cell.strip() for cell in found] for name, found in cells.items()}
        # of 390 with a known sex, 190 of 270 men and no woman lie above the median of all 400, whichever way is up
        assert told == {"Male": [f"{190 / 270:.3f}", "1.000"], "Female": ["0.000", "0.000"]}, favourable


def test_a_tool_that_only_decides_has_none() -> None:
    assert "scoring rate" not in eh.render(applicants({"a": (50, 20), "b": (50, 10)}), None, "ll144").lower()
