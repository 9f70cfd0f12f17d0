"""Logs of language models: what is read, paired and refused."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.data.lm_logs import harness, inspect_eval, inspect_header, inspect_sample

from evenhand.data.lm_logs.graded import read_lm_logs
from evenhand.data.lm_logs.samples import LogReading
from evenhand.data.roles import Roles
from evenhand.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def right(*scores: float, **more: object) -> list[dict[str, object]]:
    return [{"acc": score, **more} for score in scores]


def refusal(*logs: Path, **how: object) -> str:
    with pytest.raises(InputError) as raised:
        read_lm_logs(*logs, how=LogReading(**how))  # type: ignore[arg-type]
    return str(raised.value)


def test_harness_is_paired_by_document_and_grouped_by_task(tmp_path: Path) -> None:
    new = harness(tmp_path / "new" / "int4", {"arc": right(1, 0, 1), "boolq": right(1, 1)}, model="int4")
    old = harness(tmp_path / "old", {"boolq": right(0, 1), "arc": right(1, 1, 1)})
    data = read_lm_logs(new.parent, old)
    assert data.roles.sensitive_features == ("task",)
    assert data.roles.cluster is None, "one answer a document: rows are independent"
    assert data.table["answer"].tolist() == ["right", "wrong", "right", "right", "right"]
    assert data.table["original answer"].tolist() == ["right", "right", "right", "wrong", "right"]
    assert data.table["suite"].unique().tolist() == ["suite_a"]
    assert data.features == (), "a model reads none of these columns"
    assert data.graded
    logs = data.provenance["logs"]
    assert isinstance(logs, dict)
    assert (logs["model"], logs["original_model"], logs["metrics"]) == ("int4", "base", {"arc": "acc", "boolq": "acc"})


def test_fields_of_documents_make_groups(tmp_path: Path) -> None:
    rows = [{"acc": 1.0, "doc": {"subject": name, "level": 3}} for name in ("law", "law", "art")]
    data = read_lm_logs(harness(tmp_path, {"mmlu": rows}), roles=Roles(sensitive_features=("subject", "level")))
    assert data.grouping("subject").names == ("art", "law")
    with pytest.raises(InputError, match=r"no document has a field 'subjet' of texts or numbers"):
        read_lm_logs(tmp_path, roles=Roles(sensitive_features=("subjet",)))


def test_metric_and_filter_are_chosen_or_asked_for(tmp_path: Path) -> None:
    both = [
        {"filter": name, "metrics": ["exact_match"], "exact_match": float(name == "flexible"), "doc_id": at}
        for name in ("strict", "flexible")
        for at in range(2)
    ]
    logs = harness(tmp_path, {"gsm8k": both, "arc": right(0, 1)})
    assert "there are strict, flexible, and nothing says which one counts" in refusal(logs)
    data = read_lm_logs(logs, how=LogReading(lm_filter=("flexible",), lm_metric=("exact_match", "acc_norm")))
    assert data.table["answer"].tolist() == ["right"] * 4
    assert "there is no 'f1'; there are acc, acc_norm" in refusal(logs, lm_filter=("flexible",), lm_metric=("f1",))


@pytest.mark.parametrize(("how", "answers"), [("wrong", ["right", "wrong"]), ("drop", ["right"])])
def test_answers_without_a_score_are_refused_or_as_told(tmp_path: Path, how: str, answers: list[str]) -> None:
    samples = [inspect_sample("a", "C"), inspect_sample("b", float("nan"))]
    logs = inspect_eval(tmp_path / "log.eval", inspect_header("mmlu", "m"), samples)
    assert "1 of 2 answers have no score (mmlu, document b)" in refusal(logs)
    data = read_lm_logs(logs, how=LogReading(lm_unscored=how))  # type: ignore[arg-type]
    assert data.table["answer"].tolist() == answers
    assert data.provenance.get("rows_dropped") == (1 if how == "drop" else None)


def test_scores_between_need_a_least_score(tmp_path: Path) -> None:
    samples = [inspect_sample(n, value) for n, value in enumerate(("C", "P", "I", "0.7", True))]
    logs = inspect_eval(tmp_path / "log.eval", inspect_header("t", "m"), samples)
    assert "2 of 5 scores are neither 0 nor 1 (0.5, 0.7)" in refusal(logs)
    data = read_lm_logs(logs, how=LogReading(lm_right_at=0.6))
    assert data.table["answer"].tolist() == ["right", "wrong", "wrong", "right", "right"]


@pytest.mark.parametrize("zstd", [False, True])
def test_inspect_archives_of_either_compression_and_json(tmp_path: Path, zstd: bool) -> None:
    samples = [inspect_sample(f"q{n}", "CI"[n % 2], epoch, topic="ab"[n % 2]) for n in range(4) for epoch in (1, 2)]
    roles = Roles(sensitive_features=("topic",))
    logs = inspect_eval(tmp_path / "log.eval", inspect_header("gpqa", "m"), samples, zstd=zstd)
    data = read_lm_logs(logs, roles=roles)
    assert (len(data), data.roles.cluster, len(set(data.clusters.tolist()))) == (8, "document", 4)  # type: ignore[union-attr]
    plain = tmp_path / "log.json"
    plain.write_text(json.dumps({**inspect_header("gpqa", "m"), "samples": samples}))
    again = read_lm_logs(plain, roles=roles)
    assert again.table.equals(data.table)


def test_documents_in_one_log_alone_are_listed(tmp_path: Path) -> None:
    new = harness(tmp_path / "new", {"arc": right(1, 0, 1)})
    old = harness(tmp_path / "old", {"arc": right(1, 0), "boolq": right(1)})
    data = read_lm_logs(new, old)
    logs = data.provenance["logs"]
    assert isinstance(logs, dict)
    assert logs["unpaired"] == [f"{new}: arc, document 2", f"{old}: boolq, document 0"]
    assert data.provenance["rows_dropped"] == 2
    assert len(data) == 2


def test_other_prompts_and_settings_are_refused_or_allowed(tmp_path: Path) -> None:
    new, old = harness(tmp_path / "new", {"arc": right(1, 0)}), harness(tmp_path / "old", {"arc": right(1, 0)}, shots=0)
    said = refusal(new, old)
    assert "num_fewshot of arc (5, 0)" in said
    assert "different prompts for 2 of 2 documents" in said
    assert len(read_lm_logs(new, old, how=LogReading(lm_other_settings=True))) == 2


def test_other_documents_and_metrics_are_refused_always(tmp_path: Path) -> None:
    new = harness(tmp_path / "new", {"arc": right(1, 0)})
    old = harness(tmp_path / "old", {"arc": [{"doc_hash": "other"}, {}]})
    allowed = {"lm_other_settings": True}
    assert "1 of 2 documents of the same number are different ones (arc: 0)" in refusal(new, old, **allowed)
    third = harness(tmp_path / "third", {"arc": [{"metrics": ["acc_norm"]}, {"metrics": ["acc_norm"]}]})
    assert "task arc is graded by 'acc' and by 'acc_norm'" in refusal(new, third, **allowed)
    fourth = harness(tmp_path / "fourth", {"piqa": right(1)})
    assert "share no document: the tasks are arc, and piqa" in refusal(new, fourth)


def test_a_task_that_was_run_twice_is_refused(tmp_path: Path) -> None:
    harness(tmp_path, {"arc": right(1)})
    harness(tmp_path, {"arc": right(0)}, date="2026-11-02T10-00-00.5")
    assert "task arc was run twice" in refusal(tmp_path)


def test_hostile_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    sample, header = inspect_sample("a", "C"), inspect_header("t", "m")
    cases: dict[str, tuple[str, bytes]] = {
        "no archive": ("a.eval", b"PK\x03\x04 and no more"),
        "nested too deeply": ("b.json", b"[" * 100_000),
        "this is no sample": ("samples_c.jsonl", b'{"x": 1}\n'),
        "no JSON that can be read": ("samples_d.jsonl", b'{"doc_id": 1, \xff\n'),
        "has no 'eval'": ("e.json", b"{}"),
        "there is no sample": ("samples_f.jsonl", b""),
    }
    for told, (name, content) in cases.items():
        (tmp_path / name).write_bytes(content)
        assert told in refusal(tmp_path / name)
    for status in ("started", "error", "cancelled"):
        logs = inspect_eval(tmp_path / "s.eval", inspect_header("t", "m", status), [sample])
        assert f"the status '{status}'" in refusal(logs)
    damaged = inspect_eval(tmp_path / "z.eval", header, [sample], zstd=True)
    held = bytearray(damaged.read_bytes())
    held[60:70] = bytes(10)
    damaged.write_bytes(held)
    assert "cannot be read" in refusal(damaged) or "damaged" in refusal(damaged)
    with zipfile.ZipFile(tmp_path / "n.eval", "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    assert "it has no header" in refusal(tmp_path / "n.eval")
    assert "there are no logs by sample" in refusal(_folder(tmp_path / "empty"))
    assert "there is no such file or folder" in refusal(tmp_path / "nowhere")


def test_a_member_that_declares_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = inspect_eval(tmp_path / "a.eval", inspect_header("t", "m"), [inspect_sample("a" * 150, "C")])
    monkeypatch.setattr("evenhand.data.lm_logs.archive.LARGEST", 300)
    assert "at most are read" in refusal(logs)
    monkeypatch.setattr("evenhand.data.lm_logs.archive.WHOLE", 100)
    assert "that is not read" in refusal(logs)


def _folder(place: Path) -> Path:
    place.mkdir()
    return place
