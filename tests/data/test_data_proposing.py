"""What columns are proposed to be: on small tables, each clue alone, and on well-known real tables."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from evenhand.data.examples import load_loanapp
from evenhand.data.proposing import propose
from evenhand.data.tables import first_rows
from evenhand.data.vocabulary import protected_by_name
from evenhand.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 60


def table(**columns: object) -> pd.DataFrame:
    """Return rows with an id-free label and whatever is given."""
    rng = np.random.default_rng(0)
    base = {"debt": rng.normal(size=ROWS).round(3), "approved": ["yes", "no"] * (ROWS // 2)}
    return pd.DataFrame({**columns, **base})


def part(frame: pd.DataFrame, column: str) -> str:
    return next(found.part for found in propose(frame).columns if found.name == column)


@pytest.mark.parametrize(
    ("name", "values", "positive", "favourable"),
    [
        ("approved", ["yes", "no"], "yes", "yes"),
        ("denied", ["yes", "no"], "yes", "no"),
        ("loan_status", ["approved", "denied"], "approved", "approved"),
        ("risk_class", ["good", "bad"], "good", "good"),
        ("income", ["<=50K", ">50K"], ">50K", ">50K"),
        ("two_year_recid", [0, 1], 1, 0),
        ("y", [True, False], True, None),
        ("label", [0, 1], 1, None),
        ("class", [1, 2], None, None),
        ("拒绝", ["是", "否"], "是", "否"),
    ],
)
def test_words_say_which_value_is_positive_and_which_is_good(
    name: str, values: list[object], positive: object, favourable: object
) -> None:
    found = propose(pd.DataFrame({"debt": range(ROWS), name: values * (ROWS // 2)}))
    assert (found.label, found.positive, found.favourable) == (name, positive, favourable)


def test_what_is_given_wins_and_the_rest_follows_from_it() -> None:
    frame = table(denied=["no", "yes"] * (ROWS // 2), sex=["f", "m"] * (ROWS // 2))
    found = propose(frame, label="denied", favourable="yes", sensitive=["debt"], exclude=["sex"])
    assert (found.label, found.positive, found.favourable) == ("denied", "yes", "yes")
    assert found.named("sensitive") == ("debt",)
    assert len(found.bins["debt"]) == 3
    assert found.named("exclude") == ("sex", "approved")
    assert propose(frame, sensitive=[]).named("sensitive") == ()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"label": "aproved"}, "Did you mean 'approved'"),
        ({"sensitive": ["sx"]}, "no column 'sx'"),
        ({"favourable": "maybe"}, "'no', 'yes'"),
    ],
)
def test_what_is_not_in_the_table_is_refused(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        propose(table(), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sex", "sex"), ("applicantGender", "sex"), ("客户性别", "sex"), ("RAC1P", "race or ethnicity"),
        ("hispan", "race or ethnicity"), ("age_cat", "age"), ("AGEP", "age"), ("MaritalStatus", "marital status"),
        ("foreign-worker", "nationality or origin"), ("国籍", "nationality or origin"), ("religion", "religion"),
        ("has_disability", "disability"), ("package", ""), ("average", ""), ("AgeOfVehicle", ""), ("alternative", ""),
        ("single_family", ""), ("language", ""),
    ],
)  # fmt: skip
def test_protected_characteristics_are_known_by_name(name: str, kind: str) -> None:
    assert protected_by_name(name) == kind


def test_protected_characteristics_are_known_by_values() -> None:
    assert part(table(q7=["Male", "Female"] * (ROWS // 2)), "q7") == "sensitive"
    assert part(table(q7=["White", "Black", "Other"] * (ROWS // 3)), "q7") == "sensitive"
    assert part(table(q7=["F", "M"] * (ROWS // 2)), "q7") == "possible"  # felony and misdemeanour, in court
    assert part(table(q7=["Red", "Blue"] * (ROWS // 2)), "q7") == "input"


def test_ages_get_edges_unless_they_are_groups_already() -> None:
    years = [18 + at for at in range(ROWS)]
    assert propose(table(age=years)).bins == {"age": (25, 45, 65)}
    assert propose(table(age=[*range(20, 40)] * 3)).bins == {}  # 20 values make groups as they are
    both = propose(table(age=years, age_group=["young", "old"] * (ROWS // 2)))
    assert (both.named("sensitive"), both.named("possible"), both.bins) == (("age_group",), ("age",), {})
    assert min(propose(table(birthyear=[1940 + at for at in range(ROWS)])).bins["birthyear"]) > 1940  # type: ignore[type-var]


def test_codes_are_listed_for_a_person_to_name() -> None:
    found = propose(table(RAC1P=[1, 2, 3] * (ROWS // 3), sex=[0, 1] * (ROWS // 2)))
    assert found.codes == {"RAC1P": (1, 2, 3)}


def test_a_feature_of_too_many_groups_is_named_and_not_compared() -> None:
    found = propose(table(native_country=[f"c{at % 30}" for at in range(ROWS)]))
    assert (found.named("sensitive"), found.named("possible")) == ((), ("native_country",))


def test_a_feature_with_missing_values_is_told() -> None:
    assert propose(table(sex=["Female", "Male", None] * (ROWS // 3))).gaps == ("sex",)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("customer_id", [f"A{at}" for at in range(ROWS)], "id"),
        ("id", range(ROWS), "id"),
        ("region_id", [1, 2, 3] * (ROWS // 3), "input"),
        ("Unnamed: 0", range(ROWS), "exclude"),
        ("email", [f"a{at}@b.c" for at in range(ROWS)], "exclude"),
        ("opened", [f"2024-01-{1 + at % 28:02}" for at in range(ROWS)], "exclude"),
        ("opened", [date(2024, 1, 1 + at % 28) for at in range(ROWS)], "input"),
        ("notes", [f"the applicant said on the phone that number {at} was late" for at in range(ROWS)], "exclude"),
        ("bank", ["one bank"] * ROWS, "exclude"),
        ("zip", [str(10000 + at % 9) for at in range(ROWS)], "area"),
        ("fnlwgt", range(100, 100 + ROWS), "weight"),
        ("score", np.linspace(0, 1, ROWS), "score"),
        ("credit_score", range(300, 300 + ROWS), "input"),
        ("prediction", ["no", "yes"] * (ROWS // 2), "prediction"),
        ("prediction", ["a", "b"] * (ROWS // 2), "input"),
        ("rejected", [0, 1] * (ROWS // 2), "exclude"),
        ("tags", [["a"], ["b"]] * (ROWS // 2), "exclude"),
    ],
)
def test_other_columns_are_known_by_name_and_values(name: str, values: object, expected: str) -> None:
    found = propose(table(**{name: list(values)}), label="approved")  # type: ignore[call-overload]
    assert next(column.part for column in found.columns if column.name == name) == expected


def test_probabilities_are_decided_at_a_half_and_other_scores_by_a_person() -> None:
    assert propose(table(score=np.linspace(0, 1, ROWS))).threshold == 0.5
    ranks = propose(table(decile_score=[1, 2, 3, 4, 5, 6] * (ROWS // 6)))
    assert (ranks.one("score"), ranks.threshold, ranks.probabilities) == ("decile_score", None, False)


def test_decisions_are_the_label_only_where_nothing_else_is() -> None:
    decided = ["yes", "no"] * (ROWS // 2)
    assert propose(table(decision=decided)).label == "approved"
    assert propose(pd.DataFrame({"debt": range(ROWS), "decision": decided})).label == "decision"
    assert propose(pd.DataFrame({"debt": range(ROWS), "amount": range(ROWS)})).label is None


def test_amounts_and_several_classes_are_tasks_of_their_own() -> None:
    amounts = propose(pd.DataFrame({"sex": ["f", "m"] * 30, "gpa": np.linspace(0, 4, ROWS)}))
    assert (amounts.label, amounts.task, amounts.positive) == ("gpa", "regression", None)
    classes = propose(pd.DataFrame({"sex": ["f", "m"] * 30, "outcome": ["a", "b", "c"] * 20}))
    assert (classes.label, classes.task, classes.classes) == ("outcome", "multiclass", ("a", "b", "c"))


def test_mortgage_decisions_that_ship_with_a_package() -> None:
    frame = load_loanapp().table
    found = propose(frame)
    assert (found.label, found.positive, found.favourable) == ("approve", 1, 1)
    assert {"race", "sex"} <= set(found.named("sensitive"))


KNOWN = {
    "adult/adult_test.csv.gz": ("income", ">50K", ">50K", {"age", "marital_status", "race", "sex"}, {"native_country"}),
    "compas/compas-scores-two-years.csv.gz": ("two_year_recid", 1, 0, {"sex", "age_cat", "race"}, {"age"}),
    "german_credit/german_credit_decoded.csv.gz": (
        "class-label", 1, None, {"age", "foreign-worker", "sex", "marital-status"}, set(),
    ),
    "german_credit/german_credit_uci_codes.csv.gz": (
        "class", None, None, {"personal_status_sex", "age", "foreign_worker"}, set(),
    ),
    "hmda_boston/hmda_aer.csv.gz": ("deny", "yes", "no", {"afam", "single"}, set()),
    "dutch_census/dutch_census.csv.gz": (
        "occupation", 1, None, {"sex", "age", "citizenship", "country_birth", "marital_status"}, set(),
    ),
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize("file", sorted(KNOWN))
def test_well_known_tables(file: str, shared: Path) -> None:
    label, positive, favourable, sensitive, possible = KNOWN[file]
    found = propose(first_rows(shared / file, 5000), file)
    assert (found.label, found.positive, found.favourable) == (label, positive, favourable)
    assert set(found.named("sensitive")) == sensitive
    assert possible <= set(found.named("possible"))


@pytest.mark.shared
def test_a_known_table_gives_its_scores_ids_and_dates(shared: Path) -> None:
    found = propose(first_rows(shared / "compas/compas-scores-two-years.csv.gz", 5000))
    assert (found.one("score"), found.one("id")) == ("decile_score", "id")
    assert {"c_jail_in", "is_recid", "violent_recid"} <= set(found.named("exclude"))


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "parquet", "feather", "jsonl"])
def test_no_more_rows_are_read_than_asked_for(ending: str, tmp_path: Path) -> None:
    frame, place = table(), tmp_path / f"rows.{ending}"
    if ending in ("parquet", "feather"):
        pytest.importorskip("pyarrow")
    if ending == "parquet":
        frame.to_parquet(place, row_group_size=7)
    elif ending == "feather":
        frame.to_feather(place)
    elif ending == "jsonl":
        frame.to_json(place, orient="records", lines=True)
    else:
        frame.to_csv(place, index=False, sep="\t" if ending == "tsv" else ",")
    pd.testing.assert_frame_equal(first_rows(place, 10), frame.head(10), check_dtype=False)
    assert len(first_rows(place, 1000)) == ROWS


def test_a_broken_row_beyond_those_that_are_read_is_no_error(tmp_path: Path) -> None:
    place = tmp_path / "rows.csv"
    place.write_text("a,b\n" + "1,2\n" * 50_000 + "1,2,3,4\n")
    assert len(first_rows(place, 20)) == 20
