"""A model behind HTTP: asked again where that helps, each row once, with a key that is never written."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import InputError, ModelError
from evenhand.subjects.remote.adapter import RemoteSubject, open_remote, remote_place
from evenhand.subjects.remote.endpoint import Endpoint
from evenhand.testing import check_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("httpx")
Answer = tuple[int, object, dict[str, str]]


@dataclass
class Server:
    """A server in a thread; `answer` is called with the number of the request and its body."""

    answer: Callable[[int, dict], Answer]  # type: ignore[type-arg]
    bodies: list[dict] = field(default_factory=list)  # type: ignore[type-arg]
    keys: list[str | None] = field(default_factory=list)
    url: str = ""


def scored(body: dict) -> dict[str, object]:  # type: ignore[type-arg]
    return {"scores": [1 / (1 + np.exp(-(row["income"] - 50) / 20)) for row in body["rows"]]}


@pytest.fixture
def server() -> Iterator[Server]:
    there = Server(lambda _, body: (200, scored(body), {}))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            there.bodies.append(body)
            there.keys.append(self.headers["Authorization"])
            status, found, headers = there.answer(len(there.bodies), body)
            content = json.dumps(found).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as held:
        there.url = f"http://127.0.0.1:{held.server_address[1]}/score"
        threading.Thread(target=held.serve_forever, daemon=True).start()
        yield there
        held.shutdown()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evenhand.subjects.remote.client.FIRST_PAUSE", 0.001)


def table(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    income = np.round(rng.normal(50, 20, rows), 3)
    return pd.DataFrame({"income": income, "sex": rng.choice(["f", "m"], rows), "paid": (income > 45).astype(int)})


def test_it_passes_the_rules_of_the_protocol(server: Server, tmp_path: Path) -> None:
    data = eh.read_evaluation_set(table(), label="paid", sensitive_features="sex")
    subject = RemoteSubject(Endpoint(server.url, cache=str(tmp_path)))
    check_subject(subject, data)
    assert subject.facts["kind"] == "remote"


def test_each_row_is_asked_for_once_and_kept(server: Server, tmp_path: Path) -> None:
    rows = table()
    twice = pd.concat([rows, rows])[["income"]]
    endpoint = Endpoint(server.url, cache=str(tmp_path), batch=50)
    found = RemoteSubject(endpoint).predict(twice)
    assert np.array_equal(found[:200], found[200:])
    assert sorted(len(body["rows"]) for body in server.bodies) == [50, 50, 50, 50]
    again = RemoteSubject(endpoint).predict(twice)
    assert np.array_equal(again, found)
    assert len(server.bodies) == 4, "the answers were kept"
    RemoteSubject(Endpoint(server.url, cache=str(tmp_path), batch=50, model="other")).predict(twice)
    assert len(server.bodies) == 8, "another model's answers are others"


def test_it_is_asked_again_after_busy_and_as_the_server_says(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("evenhand.subjects.remote.client.time.sleep", slept.append)
    busy: list[Answer] = [(429, {}, {"Retry-After": "7"}), (503, {}, {}), (429, {}, {"Retry-After": "9999"})]
    server.answer = lambda number, body: busy[number - 1] if number <= 3 else (200, scored(body), {})
    RemoteSubject(Endpoint(server.url, cache=str(tmp_path))).predict(table(10)[["income"]])
    assert slept == [7.0, 0.002, 60.0]


def test_a_run_goes_on_where_it_ended(server: Server, tmp_path: Path) -> None:
    server.answer = lambda number, body: (200, scored(body), {}) if number <= 2 else (500, {"error": "out"}, {})
    endpoint = Endpoint(server.url, cache=str(tmp_path), batch=50, concurrency=1, tries=2)
    rows = table()[["income"]]
    with pytest.raises(
        ModelError, match=r"no answer in 2 tries \(status 500\).* 100 of 200 rows are answered and kept"
    ):
        RemoteSubject(endpoint).predict(rows)
    (kept,) = tmp_path.glob("*.jsonl")
    kept.write_bytes(kept.read_bytes() + b'{"cut sho')  # as a run leaves it that was killed
    server.answer = lambda _, body: (200, scored(body), {})
    before = len(server.bodies)
    assert len(RemoteSubject(endpoint).predict(rows)) == 200
    assert len(server.bodies) == before + 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((401, {"error": "no such key"}, {}), "status 401: .*no such key"),
        ((302, {}, {"Location": "http://127.0.0.1:1/"}), "status 302"),
        ((200, {"scores": [0.5]}, {}), "1 answers came for 10 rows"),
        ((200, {"score": 1}, {}), "neither scores nor labels came for 10 rows"),
        ((200, {"scores": [None] * 10}, {}), "neither a number nor a text"),
    ],
)
def test_other_answers_are_refused_at_once(server: Server, tmp_path: Path, answer: Answer, told: str) -> None:
    server.answer = lambda *_: answer
    with pytest.raises(ModelError, match=told):
        RemoteSubject(Endpoint(server.url, cache=str(tmp_path))).predict(table(10)[["income"]])
    assert len(server.bodies) == 1


def test_a_chat_names_a_label(server: Server, tmp_path: Path) -> None:
    def answer(_: int, body: dict) -> Answer:  # type: ignore[type-arg]
        prompt = body["messages"][-1]["content"]
        income = float(prompt.split()[-1])
        text = "I'd rather not say." if income > 90 else "Yes, surely." if income > 45 else "No."
        return 200, {"choices": [{"message": {"content": text}}]}, {}

    server.answer = answer
    rows = table(60).assign(paid=lambda t: np.where(t.paid, "yes", "no"))
    rows.loc[0, "income"] = 95.0
    declared = {"protocol": "chat", "template": "Repaid? Income {income}", "answers": ("no", "yes"), "model": "m"}
    endpoint = Endpoint(server.url, cache=str(tmp_path), **declared)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"names none of no, yes: .*rather not say"):
        eh.audit(RemoteSubject(endpoint), rows, label="paid", sensitive_features=["sex"], explain=False)
    chat = RemoteSubject(Endpoint(server.url, cache=str(tmp_path), otherwise="no", **declared))  # type: ignore[arg-type]
    record = eh.audit(
        chat, rows, label="paid", pos_label="yes", sensitive_features=["sex"], explain=False, footprint=False
    )
    wrong = ((rows.income > 90) & (rows.paid == "yes")).sum()
    assert record["accuracy"].estimate == pytest.approx(1 - wrong / 60)
    assert len(record.provenance["subject"]["endpoint"]) > 3  # type: ignore[typeddict-item]
    with pytest.raises(ModelError, match=r"template names \{salary\}, which is no input"):
        RemoteSubject(Endpoint(server.url, **{**declared, "template": "{salary}"})).predict(rows)  # type: ignore[arg-type]


def test_the_key_is_sent_and_never_written(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_TEST_KEY", "sesame-open-4711")
    place = tmp_path / "endpoint.toml"
    place.write_text(f'url = "{server.url}"\nkey_from = "EVENHAND_TEST_KEY"\ncache = "{tmp_path}/kept"\n')
    record = eh.audit(
        eh.open_model(place), table(), label="paid", sensitive_features=["sex"], explain=False, footprint=False
    )
    eh.write_record(tmp_path / "audit.json", record)
    assert set(server.keys) == {"Bearer sesame-open-4711"}
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"sesame" not in file.read_bytes(), file
    monkeypatch.delenv("EVENHAND_TEST_KEY")
    with pytest.raises(ModelError, match="the environment variable EVENHAND_TEST_KEY is empty"):
        eh.open_model(place).predict(table(3).assign(income=-1.0)[["income"]])


def test_explanations_do_not_run_up_a_bill(server: Server, tmp_path: Path) -> None:
    endpoint = Endpoint(server.url, cache=str(tmp_path), most_rows=250)
    rows = table().assign(debts=np.arange(200.0))
    with pytest.raises(ModelError, match="rows would be asked for, and most_rows allows 250"):
        eh.audit(RemoteSubject(endpoint), rows, label="paid", sensitive_features=["sex"], audits=["explanation"])
    assert sum(len(body["rows"]) for body in server.bodies) <= 250


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"url": "ftp://x"}, "must begin with https"),
        ({"url": "https://me:secret@x/"}, "url holds a user or a password"),
        ({"url": "http://example.org/", "key_from": "K"}, "would travel readable"),
        ({"url": "https://x/", "protocol": "chat"}, "needs a template"),
        ({"url": "https://x/", "answers": ("a", "b")}, "are for protocol"),
    ],
)
def test_declarations_that_cannot_be_meant_are_refused(declared: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        Endpoint(**declared)  # type: ignore[arg-type]


def test_an_address_survives_being_a_path(tmp_path: Path) -> None:
    assert remote_place(Path("https://host/score")) == "https://host/score"
    assert remote_place("http://host:1/a//b") == "http://host:1/a//b"
    assert remote_place(tmp_path / "model.onnx") is None
    (tmp_path / "e.toml").write_text('url = "https://x/"\nprotocl = "chat"\n')
    with pytest.raises(ModelError, match=r"there is no 'protocl'.*protocol"):
        open_remote(str(tmp_path / "e.toml"))


def test_numbers_and_several_labels(server: Server, tmp_path: Path) -> None:
    rows = table(90).assign(band=lambda t: np.select([t.income < 40, t.income < 60], ["low", "mid"], "high"))
    server.answer = lambda _, body: (200, {"scores": [row["income"] + 1 for row in body["rows"]]}, {})
    endpoint = Endpoint(server.url, cache=str(tmp_path / "numbers"))
    few = {"explain": False, "footprint": False, "sensitive_features": ["sex"]}
    amount = rows.assign(limit=rows.income)[["income", "sex", "limit"]]
    record = eh.audit(RemoteSubject(endpoint), amount, label="limit", task="regression", **few)  # type: ignore[arg-type]
    assert abs(record["mean_residual"].estimate or 0) == pytest.approx(1, abs=1e-9)
    server.answer = lambda _, body: (200, {"labels": ["low" if r["income"] < 40 else "mid" for r in body["rows"]]}, {})
    other = Endpoint(server.url, cache=str(tmp_path / "labels"))
    record = eh.audit(RemoteSubject(other), rows[["income", "sex", "band"]], label="band", **few)  # type: ignore[arg-type]
    assert record["recall[;class=low]"].estimate == 1
    assert record["recall[;class=high]"].estimate == 0


def test_an_audit_asks_about_its_rows_alone_unless_more_is_asked_for(server: Server, tmp_path: Path) -> None:
    """No explanation, no swap, no sentence, and no clock: answers are kept, and a server is not this machine."""
    endpoint = Endpoint(server.url, cache=str(tmp_path))
    rows = table()
    record = eh.audit(
        RemoteSubject(endpoint), rows, original=RemoteSubject(endpoint), label="paid", sensitive_features=["sex"]
    )
    assert sum(len(body["rows"]) for body in server.bodies) == 200
    said = {section.audit: section.reason for section in record.sections}
    for audit in ("explanation", "dependence", "explanation_checks", "reasons"):
        assert "name the audit to have it asked" in said[audit]
    for audit in ("compression", "training"):
        assert "is not timed" in said[audit]
    assert not [f for f in record.findings if f.key.metric in ("latency", "prediction_cpu_seconds", "batch_dependence")]
    assert record["accuracy_change[;of=original]"].estimate == 0

    more = eh.audit(
        RemoteSubject(endpoint), rows, label="paid", sensitive_features=["sex"], audits=["explanation"],
        explain_rows=5, background_rows=3,
    )  # fmt: skip
    assert more["importance[income]"].support == 5, "who names the audit has it"
