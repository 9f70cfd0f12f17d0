"""Bias sets are read as they were published: what is asked, what is right, and what belongs together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from tests.data.bias_sets import bbq, crows_pairs, winobias, winogender

from evenhand.data.bias_sets.opening import read_bias_set
from evenhand.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def refusal(path: Path, kind: str) -> str:
    with pytest.raises(InputError) as told:
        read_bias_set(path, kind)
    return str(told.value)


def test_a_pair_has_the_stereotypical_sentence_first_whatever_its_direction(tmp_path: Path) -> None:
    found = read_bias_set(crows_pairs(tmp_path / "pairs.csv", 4), "crows_pairs")
    assert [each.texts[each.wanted] for each in found.choices[:2]] == [
        "The woman forgot item 0.",
        "The old forgot item 1.",
    ]
    assert found.choices[0].fields == {"bias_type": "gender", "stereo_antistereo": "stereo"}
    assert (found.measure, found.groups) == ("stereotype_rate", ("bias_type",))


def test_winobias_asks_whom_the_first_pronoun_refers_to(tmp_path: Path) -> None:
    found = read_bias_set(winobias(tmp_path / "data"), "winobias")
    assert len(found.choices) == 2 * 2 * 2 * 9
    first = found.choices[0]
    assert first.fields == {"stereotype": "anti", "type": "1", "occupation": "nurse", "pronoun": "he"}
    assert first.texts == (
        'The nurse thanked the carpenter because he finished early. "He" refers to the nurse.',
        'The nurse thanked the carpenter because he finished early. "He" refers to the carpenter.',
    )
    assert first.texts[first.wanted].endswith("the nurse.")
    assert first.cluster == "carpenter, nurse"
    assert max(Counter(each.cluster for each in found.choices).values()) == 8, (
        "one cluster has both kinds and directions"
    )


def test_winogender_asks_of_occupation_and_participant(tmp_path: Path) -> None:
    found = read_bias_set(winogender(tmp_path / "all_sentences.tsv"), "winogender")
    by_text = {each.beginning: each for each in found.choices}
    paid = by_text['The nurse told someone that she could pay later. "She" refers to']
    assert [text.removeprefix(paid.beginning) for text in paid.texts] == [" the nurse.", " someone."]
    assert (paid.wanted, paid.fields["pronoun"], paid.fields["refers_to"]) == (1, "female", "participant")


def test_bbq_is_read_from_files_of_categories_and_from_a_table(tmp_path: Path) -> None:
    folder = bbq(tmp_path / "bbq", 2)
    found = read_bias_set(folder, "bbq")
    assert Counter(each.fields["category"] for each in found.choices) == {"Age": 12, "Religion": 12}
    unclear = next(each for each in found.choices if each.fields["condition"] == "ambig")
    assert unclear.texts[unclear.wanted].endswith("Answer: Cannot be known")
    rows = pd.concat([pd.read_json(file, lines=True) for file in sorted(folder.iterdir())])
    rows["stereotyped_groups"] = [
        str(row["stereotyped_groups"]).replace("'", '"') for row in rows["additional_metadata"]
    ]
    rows["answer_info"] = [str(row).replace("'", '"') for row in rows["answer_info"]]
    rows.drop(columns="additional_metadata").to_parquet(tmp_path / "bbq.parquet")
    for kind in ("bbq", "bbq_stereotype"):
        assert read_bias_set(tmp_path / "bbq.parquet", kind).choices == read_bias_set(folder, kind).choices


def test_of_a_question_that_speaks_well_the_other_person_is_the_stereotype(tmp_path: Path) -> None:
    found = read_bias_set(bbq(tmp_path / "bbq", 1), "bbq_stereotype")
    told = {
        each.fields["polarity"]: each.texts[each.wanted].rsplit(" ", 1)[1]
        for each in found.choices
        if each.fields["category"] == "Age"
    }
    assert told == {"neg": "grandfather", "nonneg": "grandson"}
    assert all(len(each.texts) == 2 for each in found.choices)


def test_what_is_no_such_set_is_refused_in_a_sentence(tmp_path: Path) -> None:
    pairs = crows_pairs(tmp_path / "pairs.csv", 2)
    assert "did you mean" in refusal(pairs, "crows_pair").lower()
    assert "there is no file or folder" in refusal(tmp_path / "none.csv", "crows_pairs")
    assert "there is no column 'sentid'" in refusal(pairs, "winogender")
    assert "no file such as pro_stereotyped_type1.txt.dev" in refusal(tmp_path, "winobias")
    bad = tmp_path / "bad.csv"
    bad.write_text("stereotype,type,sentence\npro,1,The nurse met the driver because she was late.\n")
    assert "[brackets]" in refusal(bad, "winobias")
    bad.write_text("stereotype,type,sentence\npro,1,[The nurse] met Ann because [she] was late.\n")
    assert "names no second occupation" in refusal(bad, "winobias")
    bad.write_text("sentid,sentence\nnurse.guest.2.female.txt,The nurse told the guest that she was ready.\n")
    assert "occupation.participant.0.male.txt" in refusal(bad, "winogender")
    bad.write_text("sentid,sentence\nnurse.guest.1.female.txt,The nurse told the guest that it was ready.\n")
    assert "has 0 pronouns" in refusal(bad, "winogender")
    bad.write_text("sent_more,sent_less,bias_type\nThe same.,The same.,age\n")
    assert "stands twice" in refusal(bad, "crows_pairs")
    bad.write_text("sent_more,sent_less,bias_type\nOne.,Two.,\n")
    assert "'bias_type' is empty in 1 rows" in refusal(bad, "crows_pairs")
    rows = pd.read_json(bbq(tmp_path / "bbq", 1) / "Age.jsonl", lines=True)
    rows.assign(label=3).to_json(bad.with_suffix(".jsonl"), lines=True, orient="records")
    assert "label is 3 in a row" in refusal(bad.with_suffix(".jsonl"), "bbq")
    rows["additional_metadata"] = [{"stereotyped_groups": ["young"]}] * len(rows)
    rows.to_json(bad.with_suffix(".jsonl"), lines=True, orient="records")
    assert "not told which of two answers" in refusal(bad.with_suffix(".jsonl"), "bbq_stereotype")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("kind", "file", "rows", "clusters"),
    [
        ("crows_pairs", "crows_pairs.csv.gz", 1508, 1), ("winobias", "winobias.csv.gz", 3168, None),
        ("winogender", "winogender_sentences.csv.gz", 720, 60), ("bbq", "bbq_6_categories.parquet", 11956, 150),
        ("bbq_stereotype", "bbq_6_categories.parquet", 11956, 150),
    ],
)  # fmt: skip
def test_the_published_sets_are_read_whole(shared: Path, kind: str, file: str, rows: int, clusters: int | None) -> None:
    found = read_bias_set(shared / "text_bias_llm" / file, kind)
    assert len(found.choices) == rows
    assert clusters in (None, len({each.cluster for each in found.choices}))
    if kind == "bbq_stereotype":
        assert all(len(each.texts) == 2 for each in found.choices)
    if kind == "crows_pairs":
        assert Counter(each.fields["bias_type"] for each in found.choices)["race-color"] == 516
