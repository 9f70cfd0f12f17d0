"""Model cards by the hub's own library, and a repository that is written to, through a transport that is not there.

The hub checks cards at an address; here its library reads them, and what it reads is compared with the record.
"""

from __future__ import annotations

import base64
import importlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import evenhand as eh
from evenhand.report.hub import BEGIN, END, merged_card, push_to_hub, save_for_hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Made = tuple[AuditRecord, Verdict]

hub: Any = pytest.importorskip("huggingface_hub")
RNG = np.random.default_rng(2)
GROUPS = {"town": ["x", "y"] * 150}
DECLARED = {"license": "Apache-2.0", "language": ["en", "zh"], "intended_use": "Small loans."}


@pytest.fixture(scope="module")
def records() -> dict[str, AuditRecord]:
    """An audit of each task."""
    number, classes = RNG.normal(size=300), RNG.choice(["a", "b", "c"], 300)
    labels = RNG.integers(0, 2, (300, 3))
    made = {
        "tabular-regression": eh.audit_predictions(
            number, number + RNG.normal(size=300) / 3, task="regression", sensitive_features=GROUPS
        ),
        "tabular-classification": eh.audit_predictions(
            RNG.integers(0, 2, 300), y_score=RNG.random(300), threshold=0.5, sensitive_features=GROUPS
        ),
        "multiclass": eh.audit_predictions(
            classes, np.where(RNG.random(300) < 0.8, classes, "a"), task="multiclass", sensitive_features=GROUPS
        ),
        "multilabel": eh.audit_predictions(
            labels, np.where(RNG.random((300, 3)) < 0.9, labels, 0), task="multilabel", sensitive_features=GROUPS
        ),
    }
    return {name: eh.with_declarations(record, DECLARED) for name, record in made.items()}


def card_of(record: AuditRecord, verdict: Verdict | None = None, **look: Any) -> Any:
    return hub.ModelCard(eh.render(record, verdict, "model-card", **look))


@pytest.mark.parametrize("task", ["tabular-regression", "tabular-classification", "multiclass", "multilabel"])
def test_results_of_every_task(task: str, records: dict[str, AuditRecord]) -> None:
    record = records[task]
    data = card_of(record).data
    assert (data.license, data.language) == ("apache-2.0", ["en", "zh"])
    kind = task if task.startswith("tabular") else "tabular-classification"
    assert data.pipeline_tag == kind and "evenhand" in data.tags
    assert len(data.eval_results) >= 4
    assert any("[" in result.metric_config for result in data.eval_results), "gaps between groups"
    for result in data.eval_results:
        found = record[result.metric_config]
        assert result.task_type == kind
        assert result.metric_value == pytest.approx(found.estimate, abs=1e-6)
        assert result.metric_args["rows"] == found.support
        if found.interval is not None and found.interval.low is not None:
            assert result.metric_args["low"] == pytest.approx(found.interval.low)


def test_every_case_survives_the_librarys_own_writing(case: tuple[str, AuditRecord, Verdict], rich: Made) -> None:
    """What the library reads, it writes and reads again; and it is what it makes itself of the same results."""
    for record, verdict in (case[1:], rich):
        card = card_of(record, verdict)
        again = hub.ModelCard(str(card))
        assert again.data.to_dict() == card.data.to_dict()
        results = card.data.eval_results
        made = hub.ModelCardData(model_name=card.data.model_name, eval_results=results).to_dict()["model-index"]
        assert made == card.data.to_dict()["model-index"]
        one = next(result for result in results if result.metric_type == "accuracy")
        own = hub.metadata_eval_result(
            model_pretty_name=card.data.model_name, task_pretty_name="t", task_id=one.task_type,
            metrics_pretty_name=one.metric_name, metrics_id=one.metric_type, metrics_value=one.metric_value,
            dataset_pretty_name=one.dataset_name, dataset_id=one.dataset_type, metrics_config=one.metric_config,
        )["model-index"][0]["results"][0]["metrics"][0]  # fmt: skip
        index = card.data.to_dict()["model-index"][0]["results"][0]["metrics"]
        ours = next(metric for metric in index if metric["type"] == "accuracy")
        assert {name: value for name, value in own.items() if name != "verified"}.items() <= ours.items()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("MIT", {"license": "mit"}),
        ("", {}),
        (
            "Example Bank Model Licence 2 https://example.org/licence",
            {
                "license": "other",
                "license_name": "example-bank-model-licence-2",
                "license_link": "https://example.org/licence",
            },
        ),
        ("仅限内部使用", {"license": "other", "license_name": "declared"}),
    ],
)
def test_licences(said: str, told: dict[str, str], records: dict[str, AuditRecord]) -> None:
    record = eh.with_declarations(records["multiclass"], {"license": said, "language": "English, de; zh-CN"})
    data = card_of(record).data.to_dict()
    assert {name: value for name, value in data.items() if name.startswith("license")} == told
    assert data["language"] == ["de", "zh-CN"], "what is no code is in the text only"


def test_nothing_is_invented() -> None:
    data = card_of(eh.audit_predictions([1, 0] * 50, [1, 0] * 50)).data.to_dict()
    assert not {"license", "language", "library_name"} & set(data)


def test_the_library_that_runs_the_model() -> None:
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    table = {"x": np.arange(200.0), "town": ["a", "b"] * 100, "y": [0] * 100 + [1] * 100}
    data = eh.read_evaluation_set(pd.DataFrame(table), label="y", positive=1, sensitive_features=["town"])
    model = LogisticRegression().fit(pd.DataFrame({"x": table["x"]}), table["y"])
    record = eh.audit(model, data, audits=["performance"])
    assert card_of(record).data.library_name == "sklearn"


EXISTING = """---
license: mit
tags:
- credit
model-index:
- name: mine
  results:
  - task: {type: text-generation}
    dataset: {type: other, name: Other}
    metrics: [{type: bleu, value: 3.0}]
---
# Our model

Written by people.

## Evaluation

By hand.
"""


class TestMerging:
    def test_peoples_words_and_metadata_stay(self, make_case: Callable[[str], Made]) -> None:
        made = merged_card(eh.render(*make_case("failing"), "model-card"), EXISTING)
        card = hub.ModelCard(made)
        assert card.data.license == "mit" and card.data.tags[0] == "credit" and "evenhand" in card.data.tags
        assert card.data.model_name == "mine"
        kinds = [result.metric_type for result in card.data.eval_results]
        assert kinds[0] == "bleu" and "accuracy" in kinds
        assert card.text.index("Written by people.") < card.text.index(BEGIN)
        assert "\n# Audit of" not in card.text and "\n## Audit of" in card.text

    def test_a_second_audit_replaces_the_first(self, make_case: Callable[[str], Made]) -> None:
        first = merged_card(eh.render(*make_case("failing"), "model-card"), EXISTING) + "\nAdded below.\n"
        second = merged_card(eh.render(*make_case("passing"), "model-card"), first)
        assert second.count(BEGIN) == second.count(END) == 1
        assert "Added below." in second and "Written by people." in second
        results = hub.ModelCard(second).data.eval_results
        (accuracy,) = [result for result in results if result.metric_type == "accuracy"]
        assert accuracy.metric_value == pytest.approx(make_case("passing")[0]["accuracy"].estimate, abs=1e-6)
        assert merged_card(eh.render(*make_case("passing"), "model-card"), second) == second

    def test_what_cannot_be_read_is_not_replaced(self, records: dict[str, AuditRecord]) -> None:
        with pytest.raises(eh.EvenhandError, match=r"README\.md: its metadata cannot be read"):
            merged_card(eh.render(records["multiclass"], None, "model-card"), "---\n- a list\n---\ntext")


def test_a_local_copy_of_a_repository(tmp_path: Path, make_case: Callable[[str], Made]) -> None:
    record, verdict = make_case("undecided")
    (tmp_path / "README.md").write_text(EXISTING, "utf-8")
    written = save_for_hub(tmp_path, record, verdict, suppress_below=50, lang="zh-CN")
    assert {str(path.relative_to(tmp_path)) for path in written} == {
        "README.md", "evenhand/report.html", "evenhand/audit.json",
    }  # fmt: skip
    card = hub.ModelCard.load(tmp_path / "README.md")
    assert "hispanic" not in json.dumps(card.data.to_dict())
    assert 'lang="zh-CN"' in (tmp_path / "evenhand" / "report.html").read_text("utf-8")
    card.save(tmp_path / "again.md")
    assert (tmp_path / "again.md").read_text("utf-8").strip() == (tmp_path / "README.md").read_text("utf-8").strip()


class TestPushing:
    """The library's own requests, answered here: it has no offline mode for writing."""

    @pytest.fixture
    def commits(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[dict[str, bytes]]]:
        # The package that the library itself asks by: which one differs with its version.
        httpx: Any = importlib.import_module(type(hub.utils.get_session()).__module__.partition(".")[0])
        self.readme: bytes | None = None
        self.refuse = False
        found: list[dict[str, bytes]] = []

        def answer(request: Any) -> Any:
            path = request.url.path
            if self.refuse:
                return httpx.Response(403, json={"error": "no"}, request=request)
            if path.endswith("/resolve/main/README.md"):
                if self.readme is None:
                    return httpx.Response(404, headers={"X-Error-Code": "EntryNotFound"}, request=request)
                held = {"ETag": '"a"', "X-Repo-Commit": "0" * 40, "Content-Length": str(len(self.readme))}
                return httpx.Response(200, headers=held, content=self.readme, request=request)
            if "/preupload/" in path:
                asked = json.loads(request.content)["files"]
                answers = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in asked]
                return httpx.Response(200, json={"files": answers}, request=request)
            if "/commit/" in path:
                lines = [json.loads(line) for line in request.content.splitlines()]
                files = [line["value"] for line in lines if line["key"] == "file"]
                found.append({file["path"]: base64.b64decode(file["content"]) for file in files})
                done = {"commitUrl": "https://huggingface.co/bank/credit/commit/1", "commitOid": "1"}
                return httpx.Response(200, json=done, request=request)
            return httpx.Response(200, json={}, request=request)

        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
        hub.set_client_factory(lambda: httpx.Client(transport=httpx.MockTransport(answer)))
        yield found
        hub.set_client_factory(httpx.Client)

    def test_one_commit_with_card_page_and_record(
        self, commits: list[dict[str, bytes]], make_case: Callable[[str], Made]
    ) -> None:
        record, verdict = make_case("failing")
        assert push_to_hub("bank/credit", record, verdict, token="hf_x").endswith("/commit/1")
        (files,) = commits
        assert set(files) == {"README.md", "evenhand/report.html", "evenhand/audit.json"}
        assert hub.ModelCard(files["README.md"].decode()).data.eval_results
        assert json.loads(files["evenhand/audit.json"])["schema"]

    def test_a_readme_that_is_there_is_completed(
        self, commits: list[dict[str, bytes]], make_case: Callable[[str], Made]
    ) -> None:
        self.readme = EXISTING.encode()
        push_to_hub("bank/credit", *make_case("failing"), token="hf_x")
        text = commits[0]["README.md"].decode()
        assert "Written by people." in text and BEGIN in text

    def test_what_the_hub_refuses_is_told(
        self, commits: list[dict[str, bytes]], make_case: Callable[[str], Made]
    ) -> None:
        self.refuse = True
        with pytest.raises(eh.EvenhandError, match="the hub refused"):
            push_to_hub("bank/credit", *make_case("failing"), token="hf_x")
        assert not commits
