"""A search from the command line: record, page, front, smallest that passes, seeds, and going on after a kill."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

import evenhand as eh
from evenhand.cli.compress_verb import parse_recipe
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.report.rendering import render
from evenhand.studies import Plan, expand, study
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.training import NetworkModel

torch.set_num_threads(1)
ROLES = {"label": "y", "positive": 1, "sensitive_features": ["group"]}


def people(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, 5)), columns=list("abcde"))
    table["group"] = rng.choice(["few", "most"], n, p=[0.2, 0.8])
    signal = np.where(table["group"] == "few", table["c"] - table["d"], table["a"] + table["b"])
    table["y"] = (signal + 0.5 * rng.normal(size=n) > 0).astype(int)
    return table


@pytest.fixture(scope="module")
def parts() -> dict[str, eh.EvaluationSet]:
    return {
        name: eh.read_evaluation_set(people(n, seed), **ROLES, name=name)  # type: ignore[arg-type]
        for name, n, seed in (("train", 800, 0), ("test", 1200, 1))
    }


@pytest.fixture(scope="module")
def original(parts: dict[str, eh.EvaluationSet]) -> NetworkModel:
    return fit(parts["train"], config=TrainingConfig(hidden=(24, 12), epochs=8, batch_size=64, seed=0), name="people")


def english_in(page: str) -> list[str]:
    """Return the English sentences of a page, without style, keys, formulas and sources."""
    unsaid = r"<style>.*?</style>|<code>.*?</code>|<span class=\"formula\".*?</span>|<i lang.*?</i>"
    page = re.sub(unsaid, "", page, flags=re.S)
    texts = [html.unescape(text).strip() for text in re.findall(r">([^<]+)<", page)]
    return [text for text in texts if re.search(r"(?:[A-Za-z']+[ ,]+){2,}[A-Za-z]+", text)]


def planned(parts: dict[str, eh.EvaluationSet], original: NetworkModel, folder: Path, **more: object) -> Plan:
    tried = expand(["half_precision", "magnitude_pruning=0.5,0.6"], quick)
    return Plan(original, tried, parts["train"], parts["test"], folder, footprint=False, **more)  # type: ignore[arg-type]


def quick(text: str) -> object:
    """A recipe that is tuned for one pass only."""
    from dataclasses import replace

    recipe = parse_recipe(text)
    return replace(recipe, epochs=1) if hasattr(recipe, "epochs") else recipe  # type: ignore[type-var]


@pytest.fixture(scope="module")
def found(
    parts: dict[str, eh.EvaluationSet], original: NetworkModel, tmp_path_factory: pytest.TempPathFactory
) -> AuditRecord:
    policy = eh.load_policy({"limits": {"accuracy_change_group_min[group;of=original]": {"at_least": -0.1}}})
    return study(planned(parts, original, tmp_path_factory.mktemp("study"), seeds=3), policy)


def test_the_record_holds_what_was_tried_judged_and_beaten(found: AuditRecord) -> None:
    told = found.provenance["study"]
    assert isinstance(told, dict)
    names = [each["name"] for each in told["candidates"]]  # type: ignore[union-attr,index,call-overload]
    assert names == ["half_precision", "magnitude_pruning=0.5", "magnitude_pruning=0.6"]
    verdicts = {each["name"]: each["verdict"] for each in told["candidates"]}  # type: ignore[union-attr,index,call-overload]
    assert verdicts["half_precision"] == "passed"
    assert told["smallest"] in names
    assert told["seeds"] == 3
    for key in (
        'accuracy_change[group=few;of=original;recipe="magnitude_pruning=0.6"]',
        'accuracy_change_group_min[group;of=original;recipe="magnitude_pruning=0.6"]',
        "flip_rate[;between=seeds]",
        'accuracy_change[group=few;of=original;over=seeds;recipe="magnitude_pruning=0.6"]',
    ):
        assert key in found, key
    assert not any(f.key.metric == "exemplar_rate" for f in found.findings), "three models have no modal decision"
    assert found.sections[1].reason.startswith("Exemplars of compression need 10 models")


def test_the_record_reads_back_and_its_page_says_it(found: AuditRecord, tmp_path: Path) -> None:
    eh.write_record(tmp_path / "study.json", found)
    again = eh.read_record(tmp_path / "study.json")
    for lang in ("en", "zh-CN"):
        page = render(again, None, "html", lang=lang).replace("<wbr>", "")
        assert 'id="search-picture"' in page or "magnitude_pruning=0.6" in page
        assert 'id="population-churn"' in page
    assert english_in(page) == []
    page = render(again, None, "html")
    assert "Study of people" in page
    assert "two seeds, nothing compressed" in page
    assert re.search(r"Training and compression were repeated over 3 seeds", page)


def test_a_killed_study_goes_on_where_it_stood(
    parts: dict[str, eh.EvaluationSet], original: NetworkModel, tmp_path: Path, found: AuditRecord
) -> None:
    class KilledError(Exception):
        pass

    def kill(done: int, total: int, text: str) -> None:
        if done == 5:
            raise KilledError

    with pytest.raises(KilledError):
        study(planned(parts, original, tmp_path, seeds=3, progress=kill))
    kept = {place.name: place.stat().st_mtime_ns for place in tmp_path.glob("*.npz")}
    assert len(kept) == 5
    told: list[str] = []
    again = study(planned(parts, original, tmp_path, seeds=3, progress=lambda done, total, text: told.append(text)))
    for name, when in kept.items():
        assert (tmp_path / name).stat().st_mtime_ns == when, f"{name} was made twice"
    assert len(list(tmp_path.glob("*.npz"))) == 12
    assert len(told) == 13
    same = [f for f in found.findings if f.audit == "population"]
    assert [f for f in again.findings if f.audit == "population"] == same, "as if it had never been stopped"


def test_another_model_or_seed_is_not_taken_for_the_same(
    parts: dict[str, eh.EvaluationSet], original: NetworkModel, tmp_path: Path
) -> None:
    from evenhand.studies.making import make_units

    plan = planned(parts, original, tmp_path)
    make_units(plan)
    before = {place.name: place.read_bytes() for place in tmp_path.glob("*.npz")}
    other = fit(parts["train"], config=TrainingConfig(hidden=(24, 12), epochs=2, seed=5), name="people")
    make_units(planned(parts, other, tmp_path))
    assert all((tmp_path / name).read_bytes() != content for name, content in before.items())
    (tmp_path / "original.0.npz").write_bytes(b"half a file")
    assert make_units(plan)[0].scores is not None


def test_a_candidate_that_cannot_be_made_is_told_and_the_others_go_on(
    parts: dict[str, eh.EvaluationSet], original: NetworkModel, tmp_path: Path
) -> None:
    class Broken:
        floor = 0.0

        def describe(self) -> dict[str, object]:
            return {"recipe": "broken"}

        def apply(self, model: object, bench: object) -> object:
            raise InputError("This layer cannot be pruned.")

    tried = (*expand(["broken"], lambda text: Broken()), *expand(["half_precision"], quick))  # type: ignore[arg-type,return-value]
    plan = Plan(original, tried, parts["train"], parts["test"], tmp_path, footprint=False)
    told = study(plan).provenance["study"]
    assert isinstance(told, dict)
    assert told["candidates"][0]["failure"] == "This layer cannot be pruned."  # type: ignore[index,call-overload]
    assert told["candidates"][1]["failure"] == ""  # type: ignore[index,call-overload]


def test_comparing_on_training_rows_is_refused(
    parts: dict[str, eh.EvaluationSet], original: NetworkModel, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="the training rows"):
        study(Plan(original, expand(["int8"], quick), parts["train"], parts["train"], tmp_path))  # type: ignore[arg-type]


def test_several_classes_are_searched_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = {}
    for name, n in (("train", 600), ("test", 500)):
        table = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc"))
        table["y"] = np.array(["x", "y", "z"])[table[["a", "b", "c"]].to_numpy().argmax(axis=1)]
        table["group"] = rng.choice(["f", "m"], n)
        frames[name] = eh.read_evaluation_set(
            table, label="y", task="multiclass", sensitive_features=["group"], name=name
        )
    model = fit(frames["train"], config=TrainingConfig(hidden=(12,), epochs=5, seed=0))
    tried = expand(["half_precision", "magnitude_pruning=0.3"], quick)  # type: ignore[arg-type]
    record = study(Plan(model, tried, frames["train"], frames["test"], tmp_path, seeds=2, footprint=False))
    assert "accuracy_change[group=f;of=original;recipe=half_precision]" in record
    assert 'accuracy_change[group=f;of=original;over=seeds;recipe="magnitude_pruning=0.3"]' in record
    assert 'normalized_recall_change[;class=z;of=original;over=seeds;recipe="magnitude_pruning=0.3"]' in record
    assert not any(f.key.metric == "recall_spread" for f in record.findings), "recall is of two classes"
    assert "accuracy_spread[;between=seeds]" in record


def test_one_command_searches_and_draws(
    original: NetworkModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    people(800, 0).to_csv("train.csv", index=False)
    people(600, 1).to_csv("test.csv", index=False)
    original.save("people.safetensors")
    (tmp_path / "policy.toml").write_text(
        'schema = 1\n[limits]\n"accuracy_change[;of=original]" = { at_least = -0.2 }\n'
    )
    flags = "--train train.csv --test test.csv --label y --pos-label 1 --sensitive group --policy policy.toml"
    tried = "-r half_precision -r onnx_export"
    asked = ["compress", "people.safetensors", "--search", *flags.split(), *tried.split(), "-o", "study"]
    assert exit_code(asked) == 0
    told = capsys.readouterr().err
    assert "2 candidates" in told
    assert "Smallest that passes: half_precision" in told
    record = eh.read_record("study/study.json")
    assert (record["file_bytes[;recipe=half_precision]"].estimate or 0) < 0.8 * (
        record["file_bytes[;recipe=onnx_export]"].estimate or 0
    )
    assert record["latency[;batch=1;recipe=onnx_export]"].volatile
    page = (tmp_path / "study" / "study.html").read_text("utf-8")
    assert 'id="search-picture"' in page
    assert 'id="search-forest"' in page
    assert "The smallest that passes the policy is half_precision" in page
    assert exit_code([*asked[:-1], "other", "--seeds", "0"]) == 2
    assert exit_code(["compress", "people.safetensors", "--train", "train.csv", "-o", "x", "--seeds", "3"]) == 2
    assert exit_code(["compress", "people.safetensors", "--train", "train.csv", "-o", "x"]) == 2
