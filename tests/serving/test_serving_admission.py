"""Tokens with scopes, limits of rate, and feedback."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.serving.served import Kept, client, row

from evenhand.errors import InputError
from evenhand.serving.predicting.rates import Rates
from evenhand.serving.predicting.refusing import RefusedError
from evenhand.serving.predicting.tokens import Tokens, add_token, new_token, read_tokens

if TYPE_CHECKING:
    from pathlib import Path


def test_a_token_is_needed_and_is_for_its_scopes() -> None:
    server = client(journal=Kept(), scopes=("predict",))
    for wrong in ("", "Bearer", "Bearer x", "Basic x", "Bearer " + "x" * 100_000, "bearer \u00e9"):
        headers = {"authorization": wrong.encode("latin-1")}
        answer = server.post("/predict", json={"inputs": row()}, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert server.post("/predict", json={"inputs": row()}).status_code == 200
    assert server.post("/feedback", json={}).json() == {"errors": ["This token is not for feedback."]}
    assert server.get("/metrics").status_code == 403
    assert server.get("/openapi.json").status_code == 200
    assert server.get("/health", headers={"authorization": ""}).status_code == 200
    assert server.get("/openapi.json", headers={"authorization": ""}).status_code == 401


def test_the_file_holds_hashes_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    place = tmp_path / "tokens"
    one, two = add_token(place, "shop", ("predict",)), add_token(place, "desk", ("feedback", "metrics"))
    text = place.read_text()
    assert one not in text and two not in text
    assert place.stat().st_mode & 0o077 == 0
    known = Tokens(read_tokens(place))
    found = known.of(f"Bearer {two}")
    assert found is not None and found.name == "desk" and found.scopes == {"feedback", "metrics"}
    assert known.of(f"Basic {two}") is None and known.of(two) is None
    with pytest.raises(InputError, match="'shop' has a token already"):
        add_token(place, "shop", ("predict",))


def test_every_line_of_a_file_of_tokens_that_is_none_is_told(tmp_path: Path) -> None:
    place = tmp_path / "tokens"
    _, token = new_token("a", ("predict",))
    good = f"a predict {token.hash}"
    lines = ("# comment", "", good, f"b predct {token.hash}", "c predict abc", good)
    place.write_text("\n".join(lines))
    with pytest.raises(InputError) as wrong:
        read_tokens(place)
    told = str(wrong.value)
    assert "tokens:4: there is no scope 'predct'" in told and "Did you mean 'predict'?" in told
    assert "tokens:5: a line is: name scopes sha256" in told and "several tokens of 'a'" in told
    place.write_text("# nothing\n")
    with pytest.raises(InputError, match="holds no token"):
        read_tokens(place)
    with pytest.raises(InputError, match="there is no such file"):
        read_tokens(tmp_path / "none")


def test_rows_are_counted_by_token_and_too_many_come_again() -> None:
    server = client(rate="5/hour")
    assert server.post("/predict", json=[{"inputs": row()}] * 4).status_code == 200
    assert server.post("/predict", json={"inputs": row()}).status_code == 200
    refused = server.post("/predict", json={"inputs": row()})
    assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 3600
    assert "More than 5 rows in an hour" in refused.text
    assert client(rate="5/hour").post("/predict", json=[{"inputs": row()}] * 7).json() == {
        "errors": ["7 rows at once are more than 5 rows in an hour: send fewer."]
    }


def test_what_is_refused_for_its_rows_was_counted_as_one() -> None:
    rates = Rates("3/hour")
    rates.count("a")
    with pytest.raises(RefusedError):
        rates.count("a", 3)
    rates.count("a", 2)
    rates.count("b", 3)  # another's
    with pytest.raises(RefusedError):
        rates.count("a")


def test_a_rate_is_told_how_it_is_written() -> None:
    with pytest.raises(InputError, match="'fast' is no rate; write 100/second"):
        Rates("fast")


def test_feedback_is_stored_once_and_one_of_no_prediction_is_said_to_be() -> None:
    kept = Kept()
    server = client(journal=kept)
    made = server.post("/predict", json={"inputs": row(), "id": "a"}).json()
    told = {"prediction": made["id"], "kind": "label", "value": 1, "id": "e1", "time": "2026-11-30T12:00:00+02:00"}
    assert server.post("/feedback", json=told).json() == {"id": "e1", "stored": "stored"}
    assert server.post("/feedback", json=told).json() == {"id": "e1", "stored": "known"}
    assert server.post("/feedback", json=[{**told, "prediction": "z", "id": "e2"}]).json()[0]["stored"] == "orphan"
    event = kept.events["e1"]
    assert (event.value, event.time.isoformat()) == ("1", "2026-11-30T10:00:00+00:00")
    assert 'evenhand_feedback_total{kind="label",stored="known"} 1.0' in server.get("/metrics").text
    for event_of in (
        {"kind": "rating", "value": 4.5},
        {"kind": "complaint", "value": None},
        {"kind": "appeal", "value": "won"},
    ):
        assert server.post("/feedback", json={"prediction": "a", **event_of}).status_code == 200


def test_feedback_that_names_no_time_may_be_sent_again(tmp_path: Path) -> None:
    from evenhand.serving.journal.opening import open_journal

    with closing(open_journal(tmp_path / "log.db")) as journal:
        server = client(journal=journal)
        told = {"prediction": "a", "kind": "label", "value": 1, "id": "e1"}
        assert [server.post("/feedback", json=told).json()["stored"] for _ in range(2)] == ["orphan", "known"]
        assert server.post("/feedback", json={**told, "value": 0}).status_code == 409
        timed = {**told, "time": "2026-11-30T12:00:00Z"}
        assert server.post("/feedback", json=timed).status_code == 409


def test_all_that_is_wrong_with_feedback_is_told() -> None:
    server = client(journal=Kept())
    bad = [
        {"kind": "label", "value": "1"},
        {"prediction": "a", "kind": "labels"},
        {"prediction": "a", "kind": "label", "value": 7},
        {"prediction": "a", "kind": "rating", "value": "good"},
        {"prediction": "a", "kind": "appeal", "value": "maybe"},
        {"prediction": "a", "kind": "complaint", "value": 3},
        {"prediction": "a", "kind": "complaint", "time": "yesterday"},
        {"prediction": "a", "kind": "complaint", "time": "2026-11-30T12:00:00"},
        {"prediction": "a", "kind": "complaint", "sorce": "x"},
        {"prediction": "a", "kind": "label"},
        {"prediction": "a", "kind": "rating", "value": True},
        7,
    ]  # fmt: skip
    answer = server.post("/feedback", json=bad)
    assert answer.status_code == 422
    told = answer.json()["errors"]
    wanted = (
        "prediction is missing: it is",
        "kind is 'labels'",
        "a label is one of 0, 1",
        "a rating is a number",
        "one of open, won, lost",
        "2,000 letters",
        "with its zone",
        "with its zone",
        "Did you mean 'source'?",
        "value is missing; a label is one of 0, 1.",
        "value is true; a rating is a number.",
        "an event is an object",
    )
    assert len(told) == len(bad)
    for at, words in enumerate(wanted):
        assert told[at].startswith(f"event {at + 1}: ") and words in told[at]
    assert "There is no event" in server.post("/feedback", json=[]).text
