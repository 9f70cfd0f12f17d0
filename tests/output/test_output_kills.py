"""Writers that are stopped at any moment: no half file, and nothing left.

Each writer replaces one file again and again, by two contents that differ in every byte.
"""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from evenhand.output.writing import write_bytes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")

SIZE = 400_000
HEARD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
"""
"""A process hears these though whoever started the tests ignores them, as nohup and shells in the background do."""
WRITER = f"""{HEARD}
import sys
from evenhand.output.writing import write_bytes
write_bytes(sys.argv[1], b"a" * {SIZE})
print("ready", flush=True)
while True:
    write_bytes(sys.argv[1], b"b" * {SIZE})
    write_bytes(sys.argv[1], b"a" * {SIZE})
"""
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)


def kill(place: Path, number: int, seconds: float) -> None:
    """Start a writer, and send it a signal after a while."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(place)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    time.sleep(seconds)
    writer.send_signal(number)
    try:
        assert writer.wait(60) != 0
    finally:
        writer.kill()
        writer.stdout.close()


def check(folder: Path, number: int, seconds: float) -> None:
    place = folder / "audit.json"
    kill(place, number, seconds)
    assert place.read_bytes() in (b"a" * SIZE, b"b" * SIZE), f"half a file after {number} at {seconds} s"
    if number == signal.SIGKILL:
        write_bytes(place, b"next")
    assert [part.name for part in folder.iterdir()] == ["audit.json"], f"left after {number} at {seconds} s"


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_killed_writer_leaves_a_whole_file_and_nothing_else(number: int, tmp_path: Path) -> None:
    moments = random.Random(int(number))
    for _ in range(3):
        check(tmp_path, number, moments.random() / 50)


@pytest.mark.slow
@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_of_two_hundred_killed_writers_none_leaves_half_a_file(number: int, tmp_path: Path) -> None:
    moments = random.Random(100 + int(number))
    for _ in range(50):
        check(tmp_path, number, moments.random() / 50)


VERB = HEARD + "import sys; from evenhand.cli.main import run; sys.argv = ['evenhand', *sys.argv[1:]]; run()"


@pytest.mark.parametrize("number", ENDING[:3], ids=lambda number: number.name)
def test_a_verb_that_is_asked_to_end_says_so_and_could_not_run(number: int, tmp_path: Path) -> None:
    """The verb waits for the reader of a pipe, which holds less than a page; exit 1 would mean that a limit failed."""
    import evenhand as eh

    found = eh.audit_predictions([1, 0] * 50, [1, 0] * 50, sensitive_features={"g": ["a", "b"] * 50})
    eh.write_record(tmp_path / "audit.json", found)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    words = ["report", str(tmp_path / "audit.json"), "-f", "html", "-o", str(tmp_path / "pipe")]
    verb = subprocess.Popen([sys.executable, "-c", VERB, *words], stderr=subprocess.PIPE)
    try:
        assert select.select([reader], [], [], 120)[0], "the verb writes to the pipe"
        verb.send_signal(number)
        _, err = verb.communicate(timeout=120)
    finally:
        verb.kill()
        os.close(reader)
    assert verb.returncode == 2
    assert err.strip() == b"Interrupted. Nothing half-written was left behind."


@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2), (0, 1, 2)])
def test_a_verb_answers_though_a_shell_has_closed_its_streams(closed: tuple[int, ...], tmp_path: Path) -> None:
    """No file that the verb opens gets the number of a stream, where something else might be printed."""
    import evenhand as eh

    found = eh.audit_predictions([1, 0] * 50, [0, 1] * 50, sensitive_features={"g": ["a", "b"] * 50})
    eh.write_record(tmp_path / "audit.json", found)
    (tmp_path / "policy.toml").write_text("schema = 1\n[limits]\naccuracy = { at_least = 0.5 }\n")
    words = ["gate", str(tmp_path / "audit.json"), "-p", str(tmp_path / "policy.toml"), "-f", "text"]
    more = ["-f", f"csv={tmp_path / 'gate.csv'}"]
    program = [sys.executable, "-c", VERB, *words, *more]
    code = f"import os\nfor number in {closed}: os.close(number)\nos.execv({sys.executable!r}, {program!r})"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 1, done
    assert (tmp_path / "gate.csv").read_text().startswith("status,")


def test_ascii_streams_take_any_name(tmp_path: Path) -> None:
    import evenhand as eh

    found = eh.audit_predictions([1, 0] * 50, [1, 0] * 50, sensitive_features={"g": ["中文", "b"] * 50})
    eh.write_record(tmp_path / "audit.json", found)
    (tmp_path / "policy.toml").write_text(
        'schema = 1\n[limits]\n"recall[g=中文]" = { at_least = 0.5 }\n', encoding="utf-8"
    )
    words = ["gate", str(tmp_path / "audit.json"), "-p", str(tmp_path / "policy.toml")]
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", VERB, *words], check=False, capture_output=True, env=env)
    assert done.returncode == 0, done
    assert b"\\u4e2d\\u6587" in done.stdout
