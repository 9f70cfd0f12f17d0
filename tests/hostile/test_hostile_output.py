"""Names that would forge a verdict, move a cursor or command a runner: whatever is printed shows them and obeys none.

Each name is tried as a group, a column, a model, a file, a note of the policy and the reason of a waiver, in every
format and every verb that prints text.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.output.sanitising import plain, plain_json, plain_lines
from evenhand.report import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

VERDICT = "Passed: 9 of 9 blocking limits passed, 0 failed, 0 undecided."
BREAKS = ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
ESCAPES = (
    "\x1b[2J", "\x1b[1A\x1b[2K", "\x9b2J", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\link", "\x1bc", "\x08" * 20,
    "\x7f", "\x07", "\x0e", "\x90q\x9c",
)  # fmt: skip
DIRECTIONS = tuple("\u061c\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
UNSEEN = ("\u200b", "\u200c", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u3164", "\u115f", "\U000e0041", "\u034f")
HALVES = ("\ud800", "\udfff")
"""No table, file or argument can hold these; a record and a sentence can."""
COMMANDS = (
    "::error::forged", "  ::error::forged", "\u00a0::warning::forged", "::stop-commands::x", "::add-mask::Failed",
    "##vso[task.complete result=Succeeded;]", "##[error]forged", "###[group]forged", "## ##[endgroup]",
    "##teamcity[buildStatus status='SUCCESS']", "section_start:0:x\r\x1b[0Kforged", "%0A::error::forged",
)  # fmt: skip
NAMES = (
    *(f"a{line}{VERDICT}" for line in BREAKS),
    *(f"a{escape}{VERDICT}" for escape in ESCAPES),
    *(f"a{mark}b" for mark in (*DIRECTIONS, *UNSEEN)),
    *COMMANDS,
    f"a\n::error::x\n{VERDICT}",
)
"""Each of these printed a line, a cursor or a command of its own."""
FILE_NAMES = (*NAMES, "a\udc9b2J", "a\udcff")
"""Bytes that are not UTF-8 are such characters in the name of a file."""
COLUMNS = (*NAMES[::5], NAMES[-1])

PLACES = ("file=policy.toml,line=", "title=evenhand::")
OWN = tuple(f"::{kind} {place}" for kind in ("error", "warning", "notice") for place in PLACES)
"""The commands that the format for GitHub is made of."""


def complaints(text: str, own: tuple[str, ...] = ()) -> list[str]:
    """Return what text would do beyond being read; `own` are the commands that the format is made of."""
    found = [
        f"{char!r}" for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    for line in text.splitlines():
        if line.lstrip().startswith("::") and not line.startswith(own or ("\0",)):
            found.append(f"a command: {line[:80]}")
        if line.startswith("Passed: 9"):
            found.append(f"a verdict: {line[:80]}")
    return found + re.findall(r"##\w*\[", text)


def toml(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'


def write_record(place: Path, wrong: int) -> None:
    """Write the audit of a model, groups and columns with such names."""
    groups = {"g": [*NAMES, "other"] * 6, **{name: ["f", "m"] * 3 * (len(NAMES) + 1) for name in COLUMNS}}
    truth = ([1, 0, 1] * 1000)[: len(groups["g"])]
    said = [1 - value if at % wrong == 0 else value for at, value in enumerate(truth)]
    found = eh.audit_predictions(truth, said, sensitive_features=groups, favourable=1, name=NAMES[-1], intersections=1)
    eh.write_record(place, found)


def write_policy(place: Path) -> None:
    """Write a policy that fails, with notes and waivers of such words."""
    keys = ["accuracy", *(str(eh.Key.of("recall", {"g": name})) for name in NAMES)]
    pairs = [(toml(key), toml(name)) for key, name in zip(keys, NAMES, strict=False)]
    limits = [f"{key} = {{ at_least = 0.99, note = {name} }}" for key, name in pairs]
    waivers = [
        f"[[waivers]]\nlimit = {key}\nreason = {name}\nowner = {name}\nexpires = 2027-01-31\n"
        for key, name in pairs[1::2]
    ]
    place.write_text("\n".join(["schema = 1", "[limits]", *limits, *waivers]))


TEXTS = [name for name in sorted(FORMATS) if not FORMATS[name].of]
"""The formats that are text."""
WAYS = (
    *(("gate", "audit.json", "-f", form) for form in TEXTS if form != "ll144"),
    *(("report", "audit.json", "-f", form, "-o", "/dev/stdout") for form in ("text", "markdown", "csv", "ll144")),
    ("compare", "audit.json", "new.json", "--policy", "policy.toml", "--all"),
    ("policy", "explain", "policy.toml"),
    ("policy", "check", "policy.toml"),
    ("list", "metrics", "audit.json"),
    ("verify", "audit.json"),
)
"""Every verb and format that prints what is in a record or a policy."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("written")
    write_record(place / "audit.json", 3)
    write_record(place / "new.json", 4)
    write_policy(place / "policy.toml")
    return place


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_names_in_a_record_or_a_policy_are_shown_and_not_obeyed(
    written: Path, way: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(written)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795824000")
    code = exit_code([*way])
    sys.stdout.flush()
    out, err = capfd.readouterr()
    form = way[3] if way[0] in ("gate", "report") else "text"
    assert code == (1 if way[0] == "gate" else 0), err
    assert out
    assert not complaints(out, OWN if form == "github" else ())
    assert not complaints(err)
    if form in ("json", "sarif", "gitlab", "cyclonedx"):
        assert json.loads(out)


@pytest.fixture(scope="module")
def judged(written: Path) -> tuple[eh.AuditRecord, eh.Verdict]:
    record = eh.read_record(written / "audit.json")
    return record, eh.judge(record, eh.load_policy(written / "policy.toml"))


@pytest.mark.parametrize("form", TEXTS)
def test_a_format_leaves_nothing_for_the_stream_to_escape(judged: tuple[eh.AuditRecord, eh.Verdict], form: str) -> None:
    """A page on stdout is the page in the file."""
    record, verdict = judged
    text = eh.render(record, None if form == "ll144" else verdict, form)
    assert plain_lines(text, commands=form == "github") == text


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_data_of_a_record_stays_as_it_is(written: Path, name: str) -> None:
    held = eh.read_record(written / "audit.json")
    assert eh.Key.of("recall", {"g": name}) in {finding.key for finding in held.findings}


def test_the_text_of_a_record_can_be_shown(written: Path) -> None:
    assert not complaints((written / "audit.json").read_text("utf-8"))


MISUSES = (
    ("gate", "{}"),
    ("gate", "audit.json", "--policy", "{}"),
    ("gate", "audit.json", "-f", "{}"),
    ("gate", "audit.json", "-f", "text={}/absent/x"),
    ("audit", "{}.csv", "--label", "y"),
    ("audit", "rows.csv", "--label", "{}"),
    ("audit", "rows.csv", "--label", "y", "--sensitive", "{}"),
    ("audit", "rows.csv", "--label", "y", "--model", "{}.onnx"),
    ("train", "{}.csv", "--label", "y"),
    ("train", "rows.csv", "--label", "y", "-o", "{}"),
    ("compress", "{}.safetensors", "rows.csv", "--recipe", "{}"),
    ("score", "{}.parquet", "--model", "{}"),
    ("count", "{}.csv", "--label", "y"),
    ("merge", "{}.csv"),
    ("sweep", "{}"),
    ("plan", "{}", "--like", "audit.json"),
    ("plan", "policy.toml", "--rates", "{}"),
    ("report", "{}"),
    ("report", "audit.json", "-o", "out.{}"),
    ("verify", "{}"),
    ("sign", "audit.json", "--key", "{}"),
    ("compare", "audit.json", "{}"),
    ("policy", "check", "{}"),
    ("policy", "explain", "{}"),
    ("list", "{}"),
    ("list", "metrics", "{}"),
    ("init", "--label", "y", "--template", "{}"),
    ("demo", "-o", "rows.csv/{}"),
    ("{}",),
    ("gate", "--{}"),
)
"""Every verb, told the name of a file, a column, a format or a flag that is not there."""


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("usual")
    (place / "rows.csv").write_text("y,x\n" + "1,0\n0,1\n" * 20)
    found = eh.audit_predictions([1, 0] * 20, [1, 0] * 20, sensitive_features={"g": ["a", "b"] * 20})
    eh.write_record(place / "audit.json", found)
    (place / "policy.toml").write_text("schema = 1\n[limits]\naccuracy = { at_least = 0.5 }\n")
    return place


@pytest.mark.parametrize("at", range(len(MISUSES)), ids=lambda at: " ".join(MISUSES[at]))
def test_an_error_shows_the_name_and_prints_no_line_of_it(
    usual: Path, at: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(usual)
    for name in (NAMES[-1], *FILE_NAMES[at % 5 :: 5]):  # all of them over the verbs
        arguments = [part.replace("{}", name) for part in MISUSES[at]]
        assert exit_code(arguments) == 2, ascii(name)
        out, err = capfd.readouterr()
        assert not out
        assert err
        assert "this is a bug" not in err, err
        assert not complaints(err), ascii(name)


@pytest.mark.parametrize("name", FILE_NAMES, ids=ascii)
def test_an_error_in_python_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(eh.EvenhandError) as wrong:
        eh.read_record(tmp_path / f"{name}.json")
    assert not complaints(str(wrong.value))
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("name", [*NAMES, *(f"a{half}b" for half in HALVES)], ids=ascii)
def test_the_sanitiser_can_be_applied_twice(name: str) -> None:
    once = plain(name)
    assert plain(once) == once
    assert "\n" not in once
    assert not complaints(once)
    assert not complaints(plain_lines(name).replace(VERDICT, ""))
    told = plain_json(json.dumps([name], ensure_ascii=False))
    assert json.loads(told) == [name]
    assert not complaints(told)


@pytest.mark.parametrize(
    "name", ["Zoë", "中文", "مجموعة", "👩\u200d🔬", "❤\ufe0f\u200d🔥", "क्\u200dष", "a::b", "a # b [c]", "#1"]
)
def test_what_harms_nobody_stays(name: str) -> None:
    assert plain(name) == name


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_stream_of_any_encoding_takes_any_name(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from evenhand.output import printing

    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding=encoding))
    for name in NAMES:
        printing.put(f"{name} 中文")
    assert held.getvalue().count(b"\n") == len(NAMES)


@pytest.mark.parametrize("closed", ["none", "closed"])
def test_a_closed_stream_is_no_error(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from evenhand.output import printing

    stream = None if closed == "none" else io.StringIO()
    with suppress(AttributeError):
        stream.close()  # type: ignore[union-attr]
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, stream)
    printing.put("a")
    printing.put_document("a")
    printing.say("a")
    printing.remark("a")
