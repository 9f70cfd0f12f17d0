"""Folders are written whole or not at all, links change at once, and lines are on the disk or not there."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from evenhand.errors import OutputError
from evenhand.output.folders import append_line, replace_link, write_folder
from evenhand.output.locking import locked

if TYPE_CHECKING:
    from pathlib import Path


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_no_folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_folder(tmp_path / "out", {"a": b"1"})
    assert [*tmp_path.iterdir()] == []


def test_a_full_disk_adds_no_part_of_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "lines"
    append_line(place, "one")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        append_line(place, "two")
    assert place.read_bytes() == b"one\n"


def test_a_line_that_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "lines"
    place.write_bytes(b"one\ntw")
    append_line(place, "three")
    assert place.read_bytes() == b"one\nthree\n"


def test_a_link_is_replaced_and_what_is_none_is_kept(tmp_path: Path) -> None:
    link = tmp_path / "current"
    replace_link(link, "a")
    replace_link(link, "b")
    assert str(link.readlink()) == "b"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="this is no link"):
        replace_link(tmp_path / "folder", "a")


def test_one_process_holds_a_lock(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "lock"),
        pytest.raises(OutputError, match="has held this lock"),
        locked(tmp_path / "lock", seconds=0.05),
    ):
        pass
    with locked(tmp_path / "lock", seconds=0.05):
        pass
