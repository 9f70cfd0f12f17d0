"""Files are written whole or not at all, through links and devices, and nothing is left of a writer that was killed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from evenhand.cli.main import exit_code
from evenhand.errors import OutputError
from evenhand.output import temporary
from evenhand.output.writing import append_bytes, check_writable, write_bytes, write_once, write_text

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and permissions are those of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(part.name for part in folder.iterdir())


class TestLinks:
    def test_a_link_stays_and_its_file_is_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir()
        target, link = tmp_path / "there" / "page.html", tmp_path / "link"
        target.write_text("old")
        link.symlink_to(Path("there") / "page.html")
        write_text(link, "new")
        assert link.is_symlink()
        assert target.read_text() == "new"
        assert names(tmp_path) == ["link", "there"]
        assert names(tmp_path / "there") == ["page.html"]

    def test_a_link_to_what_is_not_there_yet_makes_it(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("page.html")
        write_text(tmp_path / "link", "new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "page.html").read_text() == "new"

    def test_a_chain_of_links_and_a_linked_folder(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "folder").symlink_to("real")
        (tmp_path / "one").symlink_to("two")
        (tmp_path / "two").symlink_to(Path("folder") / "page.html")
        write_text(tmp_path / "one", "new")
        assert (tmp_path / "real" / "page.html").read_text() == "new"
        assert (tmp_path / "two").is_symlink()

    def test_a_circle_of_links_gets_a_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to("b")
        (tmp_path / "b").symlink_to("a")
        for act in (check_writable, lambda place: write_text(place, "new")):
            with pytest.raises(OutputError, match="cannot be written"):
                act(tmp_path / "a")
        assert exit_code(["init", "--label", "y", "--folder", str(tmp_path / "a")]) == 2

    def test_of_a_hard_link_the_given_name_gets_the_new_content(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("old")
        (tmp_path / "b").hardlink_to(tmp_path / "a")
        write_text(tmp_path / "a", "new")
        assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("new", "old")


class TestDevices:
    @pytest.fixture
    def null(self, tmp_path: Path) -> Path:
        """A null device in a folder that may be written to, as /dev is for root."""
        place = tmp_path / "null"
        try:
            os.mknod(place, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            place.write_bytes(b"")
        except OSError:
            pytest.skip("devices can be made and opened by root only, and not in every container")
        return place

    def test_a_device_stays_one(self, null: Path) -> None:
        write_text(null, "a page")
        assert stat.S_ISCHR(null.stat().st_mode)
        assert names(null.parent) == ["null"]

    def test_a_link_to_a_device_stays_one(self, null: Path) -> None:
        (null.parent / "link").symlink_to("null")
        write_text(null.parent / "link", "a page")
        assert stat.S_ISCHR((null.parent / "link").stat().st_mode)
        assert names(null.parent) == ["link", "null"]

    def test_the_null_device_takes_every_output(self, null: Path) -> None:
        write_text(null.parent / "policy.toml", "schema = 1\n[limits]\naccuracy = { at_least = 0.5 }\n")
        import evenhand as eh

        record = null.parent / "audit.json"
        eh.write_record(
            record, eh.audit_predictions([1, 0] * 20, [1, 0] * 20, sensitive_features={"g": ["a", "b"] * 20})
        )
        policy = ["--policy", str(null.parent / "policy.toml")]
        assert exit_code(["gate", str(record), *policy, "-f", f"text={null}", "-f", f"csv={null}"]) == 0
        assert exit_code(["gate", str(record), *policy, "-o", "/dev/null"]) == 0
        assert stat.S_ISCHR(null.stat().st_mode)
        assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)

    def test_a_pipe_is_written_through(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
        reader.start()
        write_bytes(pipe, b"x" * 300_000)
        reader.join(60)
        assert read == [b"x" * 300_000]
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert names(tmp_path) == ["pipe"]

    def test_a_folder_that_may_not_be_written_to_is_no_matter_for_a_device(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("os.access", lambda place, mode: Path(place) != Path("/dev"))  # as for everybody but root
        write_text("/dev/null", "a page")


class TestDescriptors:
    @pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}"])
    def test_an_open_file_is_continued(self, name: str, tmp_path: Path) -> None:
        if not Path(name.format(0)).parent.exists():
            pytest.skip("no such folder on this system")
        with (tmp_path / "log").open("wb", buffering=0) as log:
            log.write(b"before ")
            write_text(name.format(log.fileno()), "page")
            log.write(b" after")
        assert (tmp_path / "log").read_bytes() == b"before page after"
        assert names(tmp_path) == ["log"]

    @pytest.mark.parametrize("place", ["/dev/stdout", "/dev/stderr", "/dev/fd/1"])
    def test_the_shell_redirects_to_a_file(self, place: str, tmp_path: Path) -> None:
        written = f"print('a', flush=True); write_text({place!r}, 'b\\n'); print('c')"
        code = f"from evenhand.output.writing import write_text; {written}"
        with (tmp_path / "log").open("ab") as log:
            subprocess.run([sys.executable, "-c", code], stdout=log, stderr=log, check=True)
        assert (tmp_path / "log").read_text() == "a\nb\nc\n"

    def test_one_that_is_closed_gets_a_sentence(self) -> None:
        with pytest.raises(OutputError, match="Bad file descriptor"):
            write_text("/dev/fd/987", "page")


class TestPermissions:
    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o755, 0o666])
    def test_a_file_keeps_its_permissions(self, mode: int, tmp_path: Path) -> None:
        place = tmp_path / "page.html"
        place.write_text("old")
        place.chmod(mode)
        write_text(place, "new")
        assert stat.S_IMODE(place.stat().st_mode) == mode

    def test_a_new_file_has_those_of_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            write_text(tmp_path / "page.html", "new")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == 0o640

    def test_a_private_file_is_its_owners(self, tmp_path: Path) -> None:
        place = tmp_path / "kept.parquet"
        place.write_text("old")
        write_bytes(place, b"new", private=True)
        assert stat.S_IMODE(place.stat().st_mode) == 0o600


class TestTemporaryFiles:
    def test_one_that_a_killed_writer_left_goes_with_the_next_write(self, tmp_path: Path) -> None:
        for number in (0, 1, 5, 15):
            (tmp_path / f".page.html.{number}.part").write_text("half")
        write_text(tmp_path / "page.html", "whole")
        assert names(tmp_path) == ["page.html"]
        assert (tmp_path / "page.html").read_text() == "whole"

    def test_what_is_not_ours_stays(self, tmp_path: Path) -> None:
        others = [".page.html.16.part", ".page.html.part", ".other.html.0.part", "page.html.0.part"]
        for name in others:
            (tmp_path / name).write_text("kept")
        (tmp_path / ".page.html.1.part").mkdir()
        (tmp_path / "elsewhere").write_text("kept")
        (tmp_path / ".page.html.0.part").symlink_to("elsewhere")
        (tmp_path / ".page.html.2.part").hardlink_to(tmp_path / "elsewhere")
        write_text(tmp_path / "page.html", "whole")
        assert (tmp_path / "elsewhere").read_text() == "kept"
        left = [*others, ".page.html.0.part", ".page.html.1.part", ".page.html.2.part", "elsewhere", "page.html"]
        assert names(tmp_path) == sorted(left)

    def test_that_of_a_living_writer_stays(self, tmp_path: Path) -> None:
        place = tmp_path / "page.html"
        with temporary.taken(place) as other:
            write_text(place, "mine")
            assert names(tmp_path) == [other.path.name, "page.html"]
            other.path.write_text("theirs")
            other.rename(place)
        assert place.read_text() == "theirs"
        assert names(tmp_path) == ["page.html"]

    def test_too_many_writers_get_a_sentence(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(temporary, "WRITERS", 1)
        with temporary.taken(tmp_path / "a"), pytest.raises(OutputError, match="others are writing here"):
            write_text(tmp_path / "a", "mine")

    def test_many_threads_leave_one_whole_file(self, tmp_path: Path) -> None:
        place = tmp_path / "page.html"
        texts = [letter * 100_000 for letter in "abcdefgh"]
        writers = [threading.Thread(target=lambda text=text: write_text(place, text)) for text in texts]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(60)
        assert place.read_text() in texts
        assert names(tmp_path) == ["page.html"]

    def test_without_locks_nothing_is_swept_and_files_are_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(temporary, "fcntl", None)  # as on Windows
        (tmp_path / ".page.html.0.part").write_text("of whoever")
        write_text(tmp_path / "page.html", "whole")
        assert (tmp_path / "page.html").read_text() == "whole"
        assert names(tmp_path) == [".page.html.0.part", "page.html"]


def test_a_name_with_a_null_character_gets_a_sentence() -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_text("a\0b", "")


def test_a_key_is_written_once(tmp_path: Path) -> None:
    write_once(tmp_path / "key", b"first")
    write_once(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"first"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_a_summary_is_added_to(tmp_path: Path) -> None:
    append_bytes(tmp_path / "summary", b"a")
    append_bytes(tmp_path / "summary", b"b")
    assert (tmp_path / "summary").read_bytes() == b"ab"
