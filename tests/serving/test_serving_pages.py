"""What the pages show: the record's own answers, no more, from counts alone, whatever groups are called."""

from __future__ import annotations

import builtins
import html
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.serving.cases import HOSTILE, POLICY

import evenhand as eh
from evenhand.metrics.answers.answering import Answers
from evenhand.policy.headline import headline
from evenhand.report.numbers import with_interval
from evenhand.report.suppression import suppressed
from evenhand.serving.viewing.asking import Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from evenhand.findings import AuditRecord

    Serve = Callable[..., TestClient]


def text(page: str) -> str:
    """Return what a person reads, on one line."""
    inner = re.sub(r"<(style|script|svg).*?</\1>", " ", page.partition("<main")[2], flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", inner))).replace("\xa0", " ")


def judged(client: TestClient, policy: str, query: str = "") -> str:
    """Post a policy as the form does, and return the address of the page that answers."""
    form_token = re.search(r'name="form_token" value="([^"]+)"', client.get("/policy").text)
    assert form_token is not None
    answer = client.post(f"/judge?{query}", data={"text": policy, "form_token": form_token[1]})
    assert answer.status_code == 303
    return answer.headers["location"]


@pytest.mark.parametrize("metric", ["recall", "precision", "roc_auc"])
@pytest.mark.parametrize("by", [("race",), ("race", "sex")])
def test_values_and_gaps_are_those_of_the_record(
    metric: str, by: tuple[str, ...], client: TestClient, record: AuditRecord
) -> None:
    page = text(client.get(f"/?{Asked(by=by, metric=metric).query()}").text)
    part = next(p for p in record.tallies if (p.model, p.columns) == ("subject", by))
    for group in part.groups:
        key = f"{metric}[{','.join(f'{name}={value}' for name, value in zip(by, group, strict=True))}]"
        assert with_interval(record[key]) in page, key
    for key in (f"{metric}_difference[{','.join(by)}]", f"{metric}_ratio[{','.join(by)}]"):
        found = record.get(key)
        assert (f" {with_interval(found)} " in page) if found else "not known" in page, key


def test_comparisons_with_the_rest_all_rows_and_a_group(client: TestClient, record: AuditRecord) -> None:
    for vs in ("rest", "overall", "White"):
        page = text(client.get(f"/?by=race&metric=recall&vs={vs}").text)
        assert with_interval(record[f"recall_difference[race;vs={vs}]"]) in page
        assert with_interval(record[f"recall_ratio[race;vs={vs}]"]) in page


def test_chosen_groups_are_compared_with_each_other_alone(client: TestClient, record: AuditRecord) -> None:
    page = text(client.get("/?by=race&metric=recall&group=Black&group=White").text)
    black, white = (record[f"recall[race={name}]"].estimate for name in ("Black", "White"))
    assert black is not None and white is not None
    assert f"greatest difference {abs(white - black):.2f} [" in page
    assert "Hispanic" not in page.partition("Recall, by race")[2]
    assert "Groups were chosen after looking" in page


def test_the_burden_is_the_one_that_a_verdict_names(client: TestClient, record: AuditRecord) -> None:
    limit = {"limits": {"selection_rate_difference[race]": {"at_most": 0.01}}}
    (judgement,) = eh.judge(record, eh.load_policy(limit)).judgements
    page = text(client.get("/?by=race&metric=selection_rate").text)
    assert judgement.burden
    for part in judgement.burden:
        assert f"{part.group} {part.excess:,.1f} [{part.low:,.1f}, {part.high:,.1f}] {part.rows:,}" in page


def test_another_threshold_is_shown_beside_that_of_the_audit(serve: Serve, later: AuditRecord) -> None:
    from evenhand.serving.viewing.moving import at_thresholds

    page = text(serve(later).get("/?by=race&metric=recall&t=0.7").text)
    now, then = at_thresholds(later, 0.7)["recall[race=Black]"], later["recall[race=Black]"]
    assert f"{with_interval(now)} {with_interval(then)}" in page
    assert "Decided at the threshold 0.7, not at that of the audit." in page


def test_what_a_record_cannot_say_at_another_threshold_is_told(client: TestClient) -> None:
    page = client.get("/?by=race&metric=scoring_rate&t=0.7").text
    assert "Not known of every group:" in text(page)
    menu = page.partition('<select name="metric">')[2].partition("</select>")[0]
    decisions, scores, audit_only = (part for part in menu.split("<optgroup")[1:])
    assert ("recall" in decisions, "roc_auc" in scores, "scoring_rate" in audit_only) == (True, True, True)


def test_a_verdict_at_another_threshold_says_what_it_cannot_judge(client: TestClient) -> None:
    page = text(client.get("/policy?t=0.7").text)
    assert "1 of the undecided limits cannot be judged at another threshold" in page
    assert "importance[income]" in page


def test_no_row_and_no_file_is_read_by_a_request(
    serve: Serve, record: AuditRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serve(record, policy=POLICY)
    paths = ["/?by=race&metric=recall&t=0.6", "/policy?t=0.6", "/slices?at=1", "/explanations"]
    for path in paths:
        assert client.get(path).status_code == 200  # templates and catalogues are read once

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(builtins, "open", refused)
    monkeypatch.setattr(Path, "open", refused)
    for path in paths:
        assert client.get(path.replace("0.6", "0.7")).status_code == 200


def audited(rows: int) -> AuditRecord:
    rng = np.random.default_rng(1)
    race, truth = rng.choice(["a", "b", "c"], rows), rng.integers(0, 2, rows)
    score = np.round((truth + rng.random(rows)) / 2, 2)
    return eh.audit_predictions(truth, y_score=score, threshold=0.5, sensitive_features={"race": race}, favourable=1)


def test_a_request_costs_as_many_answers_whatever_the_number_of_rows(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    plain = Answers.__call__

    def counted(self: Answers, key: object) -> object:
        asked.append(str(key))
        return plain(self, key)  # type: ignore[arg-type]

    numbers = []
    for rows in (500, 50_000):
        client = serve(audited(rows), policy=POLICY.replace('"importance[income]" = { at_least = 0.001 }\n', ""))
        client.get("/?by=race&metric=recall&t=0.6")
        monkeypatch.setattr(Answers, "__call__", counted)
        asked.clear()
        assert client.get("/?by=race&metric=recall&t=0.7").status_code == 200
        numbers.append(len(asked))
        asked.clear()
        assert client.get("/policy?by=race&metric=recall&t=0.7").status_code == 200
        assert not asked, "the verdict of a view is kept"
        monkeypatch.setattr(Answers, "__call__", plain)
    assert max(numbers) <= 40, "a few answers for each group and limit, of 100 times as many rows"


def test_a_copy_for_publication_gives_away_nothing(serve: Serve) -> None:
    """What is withheld is not computed again: not by a metric, a comparison, a threshold or a verdict."""
    race = ["big"] * 400 + ["other"] * 300 + ["tiny"] * 4
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, len(race))
    whole = eh.audit_predictions(
        truth, y_score=rng.random(len(race)).round(2), threshold=0.5, sensitive_features={"race": race}, favourable=1
    )
    copy = suppressed(whole, 10)
    client = serve(copy, policy=POLICY)
    tiny, other = (with_interval(whole[f"recall[race={name}]"]) for name in ("tiny", "other"))
    for path in ("/?by=race&metric=recall", "/?by=race&metric=recall&vs=rest", "/?by=race&metric=base_rate", "/policy"):
        answer = client.get(path)
        assert answer.status_code == 200
        page = text(answer.text)
        assert "race=tiny" not in page and "tiny" not in answer.text.partition("<main")[2]
        assert tiny not in page and other not in page
        assert "rest on fewer than 10 rows" in answer.text
    assert client.get("/?by=race&metric=recall&t=0.4").status_code == 400
    assert "no counts by score" in text(client.get("/?by=race&metric=recall&t=0.4").text)
    assert "Judge the full record" in text(client.get("/policy").text)
    assert client.get("/?by=race&metric=recall&group=tiny").status_code == 400


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_names_of_groups_are_text_and_nothing_else(lang: str, serve: Serve) -> None:
    rng = np.random.default_rng(3)
    group = rng.choice([*HOSTILE, "x" * 3000], 1200)
    truth = rng.integers(0, 2, 1200)
    hostile = eh.audit_predictions(
        truth, y_score=rng.random(1200).round(2), threshold=0.5, sensitive_features={HOSTILE[0]: group}, favourable=1,
        name=HOSTILE[1],
    )  # fmt: skip
    client = serve(hostile, policy=POLICY, lang=lang)
    for group_ in HOSTILE:
        asked = Asked(
            by=(HOSTILE[0],),
            metric="recall",
            vs=group_,
            groups=(group_, HOSTILE[0]),
            split=HOSTILE[0],
            each=((group_, 0.4),),
        )
        for path in ("/", "/policy"):
            answer = client.get(f"{path}?{asked.query()}")
            assert answer.status_code == 200, group_
            assert "<script>alert" not in answer.text and "<img" not in answer.text
            assert "\u202e" not in text(answer.text)
    wrong = client.get("/?by=<script>alert(1)</script>x&metric=\u202e")
    assert wrong.status_code == 400
    assert "<script>alert" not in wrong.text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("by=rce", "There is no feature 'rce' in this record. Did you mean 'race'?"),
        ("by=race&metric=recal", "There is no metric 'recal'. Did you mean 'recall'?"),
        ("by=race&group=Blak", "No row is of the group 'Blak'. Did you mean 'Black'?"),
        ("by=race&vs=Blak", "No row is of the group 'Blak'."),
        ("by=race&class=3", "There is no class '3' here."),
        ("by=race&t=x", "The threshold 'x' is no finite number."),
        ("by=race&split=race&t.Blak=0.4", "No row is of the group 'Blak' of 'race'. Did you mean 'Black'?"),
        ("x=1", "no parameter 'x'"),
        ("policy=abc", "The policy in this address is damaged"),
        ("%ff=%fe", "no parameter"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/policy"])
def test_a_bad_query_is_told_in_a_sentence(path: str, query: str, sentence: str, client: TestClient) -> None:
    answer = client.get(f"{path}?{query}")
    assert sentence in text(answer.text) or (path == "/policy" and "t.Blak" in query)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text and 'File "' not in answer.text


def test_steps_beyond_the_last_and_pages_that_are_not_there(client: TestClient) -> None:
    assert client.get("/slices?at=999").status_code == 400
    assert client.get("/nothing").status_code == 404
    assert "There is one record here." in text(client.get("/compare").text)


def test_a_bug_is_told_without_a_traceback(
    serve: Serve, later: AuditRecord, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from evenhand.serving.viewing import app

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret of the inside")

    monkeypatch.setattr(app, "explored", broken)
    answer = serve(later).get("/?by=race&metric=recall")
    assert answer.status_code == 500
    assert "This is a bug in evenhand: ZeroDivisionError." in text(answer.text)
    assert "secret" not in answer.text
    assert "secret of the inside" in capsys.readouterr().err


def test_an_edited_policy_is_judged_as_the_gate_judges_it(
    client: TestClient, record: AuditRecord, tmp_path: Path
) -> None:
    edited = POLICY.replace("at_least = 0.6", "at_least = 0.99")
    place = judged(client, edited, "by=race&metric=recall")
    page = text(client.get(place).text)
    (tmp_path / "policy.toml").write_text(edited)
    verdict = eh.judge(record, eh.load_policy(tmp_path / "policy.toml"))
    assert headline(verdict).text in page
    for judgement in verdict.judgements:
        assert str(judgement.key) in page
    assert client.get(f"/policy.toml?{place.partition('?')[2]}").content == edited.encode()
    assert client.get(place).text == client.get(place).text, "a link reproduces a view"


def test_lines_of_a_form_become_lines_of_a_file(client: TestClient) -> None:
    place = judged(client, POLICY.replace("\n", "\r\n"))
    assert client.get(f"/policy.toml?{place.partition('?')[2]}").content == POLICY.encode()


def test_problems_of_a_policy_are_told_with_their_lines(client: TestClient) -> None:
    broken = POLICY.replace('"accuracy"', '"acuracy"').replace("at_least = 0.5", "at_leest = 0.5")
    page = client.get(judged(client, broken))
    assert page.status_code == 200
    said = text(page.text)
    assert "This policy cannot be judged" in said
    assert "policy.toml:3" in said and "Did you mean 'accuracy'" in said
    assert "policy.toml:6" in said and '"roc_auc" = { at_leest = 0.5 }' in said
    syntax = text(client.get(judged(client, 'schema = 1\n[limits]\n"accuracy" = { at_least 0.6 }\n')).text)
    assert "This policy cannot be judged" in syntax
    assert '"accuracy" = { at_least 0.6 }' in syntax


def test_a_policy_of_an_address_reads_no_file(serve: Serve, later: AuditRecord, tmp_path: Path) -> None:
    """A link may be anybody's: of files it may name only the rule packs of the policy of the command line."""
    pack = tmp_path / "pack.toml"
    pack.write_text('schema = 1\n[limits]\n"recall" = { at_least = 0.123 }\n')
    own = 'schema = 1\nextends = ["pack.toml"]\n'
    client = serve(later, policy=own, folder=tmp_path)
    assert "0.123" in text(client.get("/policy").text)
    for extends in (str(pack), "../pack.toml", "other.toml", "/etc/passwd"):
        page = text(client.get(judged(client, f'schema = 1\nextends = ["{extends}"]\n')).text)
        assert "is a file that the policy of the command line does not extend" in page
        assert "0.123" not in page
    without = serve(later, policy=POLICY)
    assert "is not read here" in text(without.get(judged(without, own)).text)
    assert "builtin" in text(without.get(judged(without, 'schema = 1\nextends = ["builtin:four-fifths@1"]\n')).text)


def test_a_policy_at_every_threshold_is_a_sweep(serve: Serve, later: AuditRecord) -> None:
    from evenhand.policy.thresholds import sweep

    limits = 'schema = 1\n[limits]\n"accuracy" = { at_least = 0.6 }\n"recall_difference[sex]" = { at_most = 0.3 }\n'
    page = text(serve(later, policy=limits).get("/policy?every=1").text)
    content = {"limits": {"accuracy": {"at_least": 0.6}, "recall_difference[sex]": {"at_most": 0.3}}}
    found = sweep(later, eh.load_policy(content))
    assert found.operating_point is not None
    assert f"{found.operating_point.threshold:.4g} has the greatest accuracy" in page
    low, high = found.regions("passed")[0]
    assert f"{low:.4g} – {high:.4g}" in page


def test_slices_and_explanations_are_gone_through_one_by_one(client: TestClient, record: AuditRecord) -> None:
    from evenhand.serving.viewing.stepping import explanations, slices

    for path, steps in (("/slices", slices(record)), ("/explanations", explanations(record))):
        assert len(steps) > 1
        seen, place = [], path
        while place:
            page = client.get(place).text
            seen.append(page)
            found = re.search(r'rel="next" href="([^"]+)"', page)
            place = "" if found is None else html.unescape(found[1])
        assert len(seen) == len(steps)
        for page, step in zip(seen, steps, strict=True):
            assert step.title in text(page)
    slice_ = next(f for f in record.findings if f.audit == "slices" and len(f.groups) > 1)
    assert with_interval(slice_) in "".join(text(page) for page in [client.get("/slices?at=1").text])


def test_a_record_of_several_classes_is_asked_by_class(serve: Serve) -> None:
    rng = np.random.default_rng(5)
    truth = rng.choice(["a", "b", "c"], 900)
    guess = np.where(rng.random(900) < 0.7, truth, rng.choice(["a", "b", "c"], 900))
    several = eh.audit_predictions(truth, guess, sensitive_features={"sex": rng.choice(["f", "m"], 900)})
    client = serve(several)
    page = text(client.get("/?by=sex&metric=recall&class=b").text)
    assert with_interval(several["recall[sex=f;class=b]"]) in page
    assert "name it with class=" in text(client.get("/?by=sex&metric=recall").text)
    assert "no counts by score" in text(client.get("/?by=sex&metric=recall&class=b&t=0.4").text)


def test_a_record_of_a_regression_shows_what_it_states(serve: Serve) -> None:
    rng = np.random.default_rng(6)
    truth = rng.normal(size=400)
    made = eh.audit_predictions(
        truth, truth + rng.normal(size=400), task="regression", sensitive_features={"sex": rng.choice(["f", "m"], 400)}
    )
    page = text(serve(made).get("/?by=sex&metric=mean_absolute_error").text)
    assert with_interval(made["mean_absolute_error[sex=f]"]) in page


def test_two_records_that_measured_other_things_are_refused(serve: Serve, later: AuditRecord) -> None:
    from evenhand.errors import PolicyError

    other = replace(later, provenance={**later.provenance, "data": {**later.provenance["data"], "label": "other"}})
    renamed = replace(later, provenance={**later.provenance, "data": {**later.provenance["data"], "label": "paid"}})
    with pytest.raises(PolicyError, match="cannot be compared"):
        serve(renamed, other)


def test_two_records_side_by_side(serve: Serve, later: AuditRecord, earlier: AuditRecord) -> None:
    from evenhand.serving.viewing.comparing import beyond_noise, change

    was, is_ = (which["selection_rate[race=Black]"].interval for which in (earlier, later))
    assert was is not None and was.high is not None and is_ is not None and is_.low is not None and was.high < is_.low
    between = (was.high + is_.low) / 2
    limit = f'"selection_rate[race=Black]" = {{ at_least = {between} }}\n"roc_auc" = {{ at_least = 0.5 }}\n'
    client = serve(later, earlier, policy=f"schema = 1\n[limits]\n{limit}")
    page = text(client.get("/compare?by=race&metric=selection_rate").text)
    for name in ("Black", "Hispanic", "White"):
        now, then = (which[f"selection_rate[race={name}]"] for which in (later, earlier))
        moved = change(now, then)
        assert moved is not None and now.estimate is not None and then.estimate is not None
        assert moved.estimate == pytest.approx(now.estimate - then.estimate)
        word = "more than noise" if beyond_noise(moved) else "may be noise"
        assert f"{name} {with_interval(then)} {with_interval(now)} {with_interval(moved)} {word}" in page
    assert beyond_noise(change(later["selection_rate[race=Black]"], earlier["selection_rate[race=Black]"]))
    rows = page.partition("What became of each limit")[2].partition("What changed beyond noise")[0]
    assert "selection_rate[race=Black] failed passed fixed" in rows, "a limit that changed is told"
    assert "roc_auc" not in rows, "one that did not is counted"
    same = text(serve(later, later).get("/compare?by=race&metric=recall").text)
    assert "0 changed beyond noise" in same
    assert "Both are of the same rows" in same


def test_the_pages_are_chinese_where_that_is_asked_for(serve: Serve, record: AuditRecord) -> None:
    client = serve(record, policy=POLICY, lang="zh-CN")
    for path in ("/?by=race&metric=recall&t=0.7", "/policy", "/slices?at=1", "/explanations", "/nothing"):
        page = client.get(path).text
        assert '<html lang="zh-CN">' in page
        for word in (
            "Threshold",
            "Metric<",
            "Judge<",
            "Previous",
            "Show<",
            "Gaps in",
            "Every limit",
            "cannot be shown",
        ):
            assert word not in page.partition("<body")[2], (path, word)
