"""What people declare: asked for by name, kept apart from what is measured, named where it is absent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.declarations import FRAMEWORKS, QUESTIONS, RULES, read_declarations, skeleton
from evenhand.errors import InputError
from evenhand.records import digest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def record() -> eh.AuditRecord:
    return eh.audit_predictions([1, 0] * 100, [1, 0] * 100, sensitive_features={"sex": ["f", "m", "m", "f"] * 50})


def test_the_skeleton_asks_every_question_and_answers_none(tmp_path: Path) -> None:
    place = tmp_path / "responsibility.toml"
    place.write_text(skeleton())
    assert read_declarations(place) == {}
    for name, question in QUESTIONS.items():
        assert f"# {question}\n{name} = " in place.read_text()


def test_answers_are_texts_dates_and_lists(tmp_path: Path) -> None:
    place = tmp_path / "responsibility.toml"
    place.write_text('owner = " a@example.org "\nreview_date = 2027-01-31\nuses_excluded = ["hiring", "insurance"]\n')
    assert read_declarations(place) == {
        "owner": "a@example.org",
        "review_date": "2027-01-31",
        "uses_excluded": "hiring; insurance",
    }


def test_every_problem_is_told(tmp_path: Path) -> None:
    place = tmp_path / "responsibility.toml"
    place.write_text('ownr = "x"\nstakes = 3\n')
    with pytest.raises(InputError) as told:
        read_declarations(place)
    assert "Did you mean 'owner'?" in str(told.value)
    assert "stakes = 3; an answer is text" in str(told.value)
    with pytest.raises(InputError, match="no such file"):
        read_declarations(tmp_path / "absent.toml")


def test_a_policy_can_require_them(record: eh.AuditRecord) -> None:
    limits = {"accuracy": {"at_least": 0.5}, "declared[human_oversight]": {"required": True}}
    policy = eh.load_policy({"limits": limits})
    assert eh.judge(record, policy).exit_code == 3
    answered = eh.with_declarations(record, {"human_oversight": "An officer reads every refusal."})
    assert eh.judge(answered, policy).exit_code == 0
    assert digest(answered) != digest(record)


def test_the_page_names_what_is_absent(record: eh.AuditRecord) -> None:
    page = eh.render(eh.with_declarations(record, {"owner": "<b>me</b>"}))
    assert "&lt;b&gt;me&lt;/b&gt;" in page
    absent = re.search(r"<th[^>]*>not declared</th><td>(.*?)</td>", page, re.S)
    assert absent is not None
    assert absent[1].startswith("What is the model for?")
    assert "Nothing was declared" in eh.render(record)


def test_init_and_audit_through_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(["init", "--label", "y", "--sensitive", "sex"]) == 0
    place = tmp_path / "responsibility.toml"
    place.write_text(place.read_text().replace('owner = ""', 'owner = "risk@example.org"'))
    rows = ["y,d,sex"] + [f"{at % 2},{at % 2},{'fm'[at % 3 == 0]}" for at in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(rows) + "\n")
    assert exit_code(["audit", "rows.csv", "--prediction", "d"]) == 0
    assert eh.read_record(tmp_path / "audit.json").provenance["declared"] == {"owner": "risk@example.org"}


def test_the_schema_for_editors_knows_every_question(capsys: pytest.CaptureFixture[str]) -> None:
    import json
    import tomllib

    import jsonschema

    assert exit_code(["policy", "schema", "--responsibility"]) == 0
    schema = json.loads(capsys.readouterr().out)
    rules, *answers = schema["properties"].items()
    assert {name: part["description"] for name, part in answers} == dict(QUESTIONS)
    assert (rules[0], rules[1]["items"]["enum"]) == (RULES, list(FRAMEWORKS))
    jsonschema.validate(tomllib.loads(skeleton()), schema)
    jsonschema.validate({"frameworks": ["eu-ai-act"]}, schema)
    for wrong in ({"ownr": "x"}, {"owner": 3}, {"frameworks": "eu-ai-act"}, {"frameworks": ["eu"]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
