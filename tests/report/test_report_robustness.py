"""What the page says of decisions that turn under corruption: from the record alone, with the groups that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.report.drawings import Lines, Table
from evenhand.report.sections.catalogue import parts

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.report.view import Part


def part_of(record: eh.AuditRecord) -> Part:
    return next(part for part in parts(record, None)[0] if part.name == "robustness")


def audited(folder: Path, *, brittle: bool, original: bool = False) -> eh.AuditRecord:
    """Return the record as it is read back from its file."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 2_000)
    rows = {"x": x, "twin": x + rng.normal(0, 0.02, 2_000), "sex": rng.choice(["f", "m"], 2_000), "y": (x > 0) * 1}
    data = eh.read_evaluation_set(pd.DataFrame(rows), label="y", sensitive_features="sex", use_sensitive=True)

    def model(table: pd.DataFrame) -> np.ndarray:
        apart = np.where((table["sex"] == "f") & brittle, 8 * (table["twin"] - table["x"]), 0.0)
        return np.asarray(1 / (1 + np.exp(-(table["x"] + apart))))

    before = (lambda table: 1 / (1 + np.exp(-table["x"]))) if original else None
    eh.write_record(folder / "audit.json", eh.audit(model, data, audits="robustness", original=before))
    return eh.read_record(folder / "audit.json")


def test_the_answer_names_the_worst_mild_error_and_whom_it_hits(tmp_path: Path) -> None:
    record = audited(tmp_path, brittle=True)
    part = part_of(record)
    assert part.state == "notable"
    assert part.answer.startswith("Of mild errors the worst is noise: it turns ")
    shares = [f"{100 * (record[f'corrupted_flip_rate[sex={sex};corruption=noise;severity=1]'].estimate or 0):.1f} %"
              for sex in ("f", "m")]  # fmt: skip
    assert f"as noise (mild) shows: f {shares[0]}, m {shares[1]}." in part.answer
    curve, groups = part.blocks[0], part.blocks[1]
    assert isinstance(curve, Lines)
    assert [line.label for line in curve.lines] == ["noise", "rounding", "missing cells"] or len(curve.lines) == 3
    assert isinstance(groups, Table)
    assert groups.rows[0][:2] == ("noise, mild", "sex")
    assert any("An attacker" in said or "an attacker" in said for said in part.lead)


def test_where_all_are_hit_alike_nothing_is_notable(tmp_path: Path) -> None:
    part = part_of(audited(tmp_path, brittle=False))
    assert part.state == "plain"
    assert part.answer.endswith("No gap between groups is beyond what chance shows.")
    assert not [block for block in part.blocks if isinstance(block, Table) and block.name == "robustness-groups"]


def test_who_did_not_ask_is_told_the_flag() -> None:
    record = eh.audit_predictions([1, 0, 1, 0], [1, 0, 0, 0], sensitive_features={"sex": list("fmfm")})
    part = part_of(record)
    assert part.state == "absent"
    assert "--robustness" in part.lead[0]


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_numbers_that_move_are_drawn_in_their_unit(lang: str) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(10, 2, 900), "sex": rng.choice(["f", "m"], 900)})
    table["y"] = 3 * table["x"]
    data = eh.read_evaluation_set(table, label="y", sensitive_features="sex", task="regression")
    record = eh.audit(lambda rows: 3 * rows["x"], data, audits="robustness")
    part = part_of(record)
    assert "it moves predictions by" in part.answer
    assert 'id="robustness"' in eh.render(record, lang=lang)


def test_what_compression_made_brittle_is_in_a_table_of_its_own(tmp_path: Path) -> None:
    record = audited(tmp_path, brittle=True, original=True)
    tables = {block.name: block for block in part_of(record).blocks if isinstance(block, Table)}
    assert ("noise, mild", "sex=f") in [row[:2] for row in tables["robustness-compressed"].rows]
