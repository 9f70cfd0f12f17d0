"""Nothing is printed or written but through the door out: `evenhand.output`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "evenhand"
FILES = sorted(file for file in SOURCE.rglob("*.py") if file.relative_to(SOURCE).parts[0] != "output")

PRINTS = {"print", "pprint", "secho", "echo", "print_exception", "print_exc", "showwarning"}
WRITES = {"writelines", "tofile", "mkstemp", "NamedTemporaryFile", "symlink_to", "hardlink_to", "copyfile", "copy2"}
TO_A_FILE = {
    "torch.save": 1, "np.save": 0, "np.savez": 0, "np.savez_compressed": 0, "np.savetxt": 0, "json.dump": 1,
    "pickle.dump": 1, "joblib.dump": 1, "onnx.save": 1, "onnx.save_model": 1, "save_file": 1, "parquet.write_table": 1,
    "to_csv": 0, "to_parquet": 0, "to_json": 0, "to_pickle": 0, "to_excel": 0,
}  # fmt: skip
"""Functions of packages that write to a file or a buffer, and at which place they take it."""

REASONED = {
    # to the null device, and nothing: what torch's exporter prints is kept from the user's screen
    "compression/exporting.py": {"open"},
    # a file in a temporary folder for a child process; numpy adds the header that the child reads
    "compression/consumption.py": {"save"},
    # the pipe to the process that started it, and the null device; nothing is printed
    "subjects/isolation/worker.py": {"fdopen", "open"},
    # a copy in a temporary folder under the ending by which Keras tells its files
    "subjects/keras.py": {"copyfile"},
}
"""Files that may do otherwise, with the reason."""


def broken(tree: ast.AST) -> set[str]:
    """Return the names of calls that print or write by themselves."""
    buffers = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(_makes_buffer(part) for part in ast.walk(node.value))
        for whole in node.targets
        for target in ast.walk(whole)
        if isinstance(target, ast.Name)
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {name for call in calls if (name := _breaks(call, buffers))}


def _makes_buffer(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("BytesIO", "StringIO")


def _breaks(call: ast.Call, buffers: set[str]) -> str:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name in PRINTS | WRITES or (name == "write" and owner.startswith("sys.")):
        return name
    if name in ("write_text", "write_bytes"):
        return name if owner else ""
    if name in ("open", "fdopen"):
        modes = [part.value for part in (*call.args, *(word.value for word in call.keywords if word.arg == "mode"))
                 if isinstance(part, ast.Constant) and isinstance(part.value, str)]  # fmt: skip
        opens = any(set(mode) & set("wax+") and set(mode) <= set("rwaxbt+") for mode in modes) or owner == "os"
        return name if opens else ""
    at = TO_A_FILE.get(name, TO_A_FILE.get(f"{owner}.{name}"))
    if at is not None:
        target = call.args[at] if len(call.args) > at else None
        to_text = name.startswith("to_") and target is None
        return "" if to_text or (isinstance(target, ast.Name) and target.id in buffers) else name
    return ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_file_prints_and_writes_through_the_door(file: Path) -> None:
    found = broken(ast.parse(file.read_text(encoding="utf-8")))
    assert found == REASONED.get(file.relative_to(SOURCE).as_posix(), set())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("print(1)", "print"),
        ("import click\nclick.echo('x')", "echo"),
        ("import sys\nsys.stdout.write('x')", "write"),
        ("place.write_text('x')", "write_text"),
        ("place.open('w')", "open"),
        ("open(place, mode='ab')", "open"),
        ("os.open(place, flags)", "open"),
        ("torch.save(state, place)", "save"),
        ("json.dump(state, file)", "dump"),
        ("table.to_csv(place)", "to_csv"),
        ("np.savez(place, a=a)", "savez"),
    ],
)
def test_what_goes_past_the_door_would_be_found(code: str, name: str) -> None:
    assert broken(ast.parse(code)) == {name}


def test_what_stays_in_memory_is_no_writing() -> None:
    code = "held = io.BytesIO()\ntorch.save(state, held)\ntable.to_csv()\nwrite_bytes(place, held)\nplace.open('rb')"
    assert not broken(ast.parse(code))


def test_the_list_of_reasons_is_of_files_that_are_there() -> None:
    assert set(REASONED) <= {file.relative_to(SOURCE).as_posix() for file in FILES}
