"""The walls of docs/design/rooms.md: who may import whom, what may be loaded, how large a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evenhand.audits import AUDITS
from evenhand.compression import RECIPES
from evenhand.mitigation.catalogue import MITIGATIONS
from evenhand.report.formats.catalogue import FORMATS
from evenhand.report.sections.catalogue import SECTIONS
from evenhand.subjects import ADAPTERS

if TYPE_CHECKING:
    from evenhand.catalogues import Catalogue

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "evenhand"
FILES = sorted(SOURCE.rglob("*.py"))

ROWS = (
    ("errors", "output", "messages", "catalogues", "documents"),
    (
        "findings",
        "provenance",
        "keys",
        "records",
        "declarations",
        "schemas",
        "signing",
        "migrating",
        "settings",
        "outlines",
        "headlines",
        "lots",
        "metric_frames",
        "timelines",
        "sealed",
    ),
    ("words",),
    ("subjects", "metrics", "data"),
    ("explaining", "probing", "training"),
    ("evidence", "compression"),
    ("audits", "policy", "testing"),
    ("report", "mitigation", "monitoring"),
    ("serving", "studies"),
    ("cli", "pytest_plugin"),
    ("__main__",),
)
"""From the ground up: a room imports from rows below its own, never from one beside it; the lowest two rows are each
one room in several files."""
HEIGHT = {room: height for height, row in enumerate(ROWS) for room in row}
MAY_USE_TORCH = {"subjects", "training", "compression", "explaining", "probing"}
CATALOGUES: dict[str, Catalogue[Any]] = {
    "audits": AUDITS, "compression": RECIPES, "report.formats": FORMATS, "report.sections": SECTIONS,
    "subjects": ADAPTERS, "mitigation": MITIGATIONS,
}  # fmt: skip
"""What each of these rooms has of a kind: one audit, recipe, format, section or adapter a file."""
SIBLINGS = {room: {place.partition(":")[0] for place in known.own.values()} for room, known in CATALOGUES.items()}
"""Files of which none may import another."""
SHARED = {
    "audits": {
        "arguments", "auditing", "by_group", "catalogue", "compression.attribution", "compression.decision_changes",
        "compression.early_warnings", "compression.number_changes", "compression.score_changes",
        "compression.transcript_changes", "from_bias_sets",
        "from_logs", "from_predictions", "from_tables", "labelling", "measuring", "options", "package_warnings",
        "quantities", "statement", "templates", "uncertainty.others", "uncertainty.part",
        "uncertainty.prediction_sets", "uncertainty.reliability",
        "from_rows", "quality_of_columns", "quality_of_groups", "quality_of_rows", "references",
    },
    "compression": {
        "agreement", "batch_dependence", "catalogue", "compressed", "compressing", "consumption", "deciding",
        "deploying.answers", "deploying.columns", "deploying.comparing", "deploying.deployed", "deploying.estimators",
        "deploying.exporting", "deploying.files", "deploying.graph", "deploying.memory", "deploying.networks",
        "deploying.program", "deploying.schema", "deploying.trees",
        "exporting", "factors", "footprint", "gains", "last_rounding", "masks", "networks", "opening", "quantizing",
        "recipe", "rounding", "states", "structures", "susceptibility", "tuning", "twin",
    },
    "report.formats": {"catalogue", "format", "judged_only", "markdown_text", "plain_text", "step_summary"},
    "report.sections": {
        "answering", "catalogue", "decisions", "declarations", "facts", "generic", "judged", "reasons", "section",
    },
    "subjects": {
        "adapter", "archives", "binding", "boosted.estimators", "boosted.lightgbm_trees",
        "boosted.tree_shape", "boosted.ubjson", "boosted.xgboost_trees", "catalogue", "graph_bytes",
        "huggingface.encoder", "huggingface.folder", "huggingface.graph", "huggingface.language",
        "huggingface.tokens", "inputs",
        "isolation.frames", "isolation.isolated", "isolation.limits", "isolation.process", "isolation.trying",
        "isolation.worker", "keras_config", "kinds", "loading", "mixture", "model_file", "modules", "network",
        "network_output", "outputs", "post_processing", "proof", "protocol", "proved", "refitting", "remote.client",
        "remote.endpoint", "rules", "target", "tensor_header",
    },
    "mitigation": {
        "again", "alike", "candidate", "catalogue", "constraints", "curves", "demands", "estimating", "feasibility",
        "judged", "mitigating", "programme", "rates", "recommending", "recording", "ruling", "searching", "seen",
        "trying",
    },
}  # fmt: skip
"""The other files of these rooms, which those of the catalogue share."""


def room_of(file: Path) -> str:
    parts = file.relative_to(SOURCE).parts
    return parts[0].removesuffix(".py")


def imports(file: Path, types: bool = False) -> set[str]:
    """Every module that a file names in an import, wherever it is, those for types only where asked for."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if not types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_room_imports_only_from_rooms_below(file: Path) -> None:
    room = room_of(file)
    if room == "__init__":
        return
    assert room in HEIGHT, f"{room} is no room of the house: give it a row"
    for module in imports(file, types=True):
        other = module.split(".")[1] if module.startswith("evenhand.") else None
        if other is None or other == room or other not in HEIGHT:
            continue
        assert HEIGHT[other] < HEIGHT[room] or (HEIGHT[other] == HEIGHT[room] <= 1), f"{room} imports {module}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_torch_stays_in_its_rooms(file: Path) -> None:
    if room_of(file) not in MAY_USE_TORCH:
        assert not [
            module for module in imports(file) if module.split(".")[0] in ("torch", "lightning_fabric", "safetensors")
        ]


def file_of(module: str) -> Path:
    return SOURCE.parent / f"{module.replace('.', '/')}.py"


@pytest.mark.parametrize("room", sorted(SIBLINGS))
def test_siblings_do_not_import_each_other(room: str) -> None:
    for module in SIBLINGS[room]:
        assert not imports(file_of(module)) & (SIBLINGS[room] - {module}), module


def test_a_sibling_that_is_imported_would_be_found() -> None:
    assert "evenhand.subjects.protocol" in imports(file_of("evenhand.subjects.adjusted"))


@pytest.mark.parametrize("room", sorted(SIBLINGS))
def test_every_file_of_a_room_is_in_its_catalogue_or_shared(room: str) -> None:
    folder = SOURCE / room.replace(".", "/")
    files = {
        ".".join(file.relative_to(folder).with_suffix("").parts)
        for file in folder.rglob("*.py")
        if file.name != "__init__.py"
    }
    listed = {module.removeprefix(f"evenhand.{room}.") for module in SIBLINGS[room]}
    assert files == listed | SHARED[room]
    assert not listed & SHARED[room]


@pytest.mark.parametrize("room", sorted(CATALOGUES))
def test_every_entry_of_a_catalogue_can_be_had(room: str) -> None:
    known = CATALOGUES[room]
    for name in known.own:
        assert isinstance(known[name], known.kind), name


NOT_FOR_RECORDS = {"evidence", "subjects", "data", "audits", "training", "compression", "explaining", "probing"}


def test_report_and_policy_need_only_the_record() -> None:
    for room in ("report", "policy"):
        for file in sorted((SOURCE / room).glob("*.py")):
            used = {module.split(".")[1] for module in imports(file) if module.startswith("evenhand.")}
            assert not used & {
                "evidence",
                "subjects",
                "data",
                "audits",
                "training",
                "compression",
                "explaining",
                "probing",
            }, file


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sorted(sys.modules), file=sys.stderr)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stderr.split())


def loaded_by_command(arguments: list[str]) -> set[str]:
    return loaded_by(
        f"import sys\nsys.argv = {arguments!r}\nfrom evenhand.cli.main import run\n"
        "try:\n    run()\nexcept SystemExit as end:\n    assert end.code in (0, None), end.code"
    )


def test_a_command_ends_without_looking_through_what_it_keeps() -> None:
    code = (
        "import atexit, gc, sys\nsys.argv = ['evenhand', 'list', 'metrics']\n"
        "atexit.register(lambda: print(len(gc.get_objects()) < gc.get_freeze_count(), file=sys.stderr))\n"
        "from evenhand.cli.main import run\nrun()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["True"]


HEAVY = {
    "polib",
    "torch",
    "shap",
    "sklearn",
    "fairlearn",
    "pandas",
    "onnxruntime",
    "lightning_fabric",
    "jinja2",
    "starlette",
    "uvicorn",
}
NOT_FOR_COUNTS = {
    "scipy.stats",
    "scipy.linalg",
    "scipy.optimize",
    "scipy.sparse",
    "scipy.integrate",
    "jsonschema",
    "rich",
    "numba",
    "polars",
}
"""What counts need none of: quantiles are of scipy.special, and records are checked by rules of the schema."""


def test_importing_evenhand_loads_nothing_heavy() -> None:
    found = loaded_by("import evenhand")
    assert not found & HEAVY
    assert "evenhand.testing" not in found


def test_the_gate_loads_nothing_heavy(tmp_path: Path) -> None:
    import evenhand as eh

    record = eh.audit_predictions([1, 0, 1, 0] * 20, [1, 0, 0, 0] * 20, sensitive_features={"sex": ["f", "m"] * 40})
    eh.write_record(tmp_path / "audit.json", record)
    (tmp_path / "policy.toml").write_text('schema = 1\n[limits]\n"accuracy" = { at_least = 0.5 }\n')
    arguments = ["evenhand", "gate", str(tmp_path / "audit.json"), "--policy", str(tmp_path / "policy.toml")]
    found = loaded_by_command(arguments)
    assert not found & {*HEAVY, *NOT_FOR_COUNTS}
    assert "evenhand.policy.judging" in found


def test_the_first_audit_of_a_process_loads_what_it_computes_with() -> None:
    found = loaded_by(
        "import evenhand as eh\n"
        'eh.audit_predictions([0, 1, 1, 0], [0, 1, 0, 0], sensitive_features={"sex": ["f", "f", "m", "m"]})'
    )
    assert "pandas" in found
    assert not found & {*HEAVY - {"pandas"}, *NOT_FOR_COUNTS}


@pytest.mark.parametrize("words", ["audit --help", "train --help", "compress --help", "count --help", "list metrics"])
def test_help_and_lists_load_nothing_heavy(words: str) -> None:
    assert not loaded_by_command(["evenhand", *words.split()]) & HEAVY


def test_every_public_name_is_there() -> None:
    import evenhand as eh

    for name in eh.__all__:
        assert getattr(eh, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = eh.nothing


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_files_and_functions_are_short(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
            assert (node.end_lineno or 0) - (docstring or 0) < 60, node.name


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    for file in FILES:
        assert not words.search(file.read_text(encoding="utf-8")), file


def test_every_package_is_in_the_wheel() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = set(project["tool"]["setuptools"]["packages"]) - {"evenhand.report.templates", "evenhand.words.locale"}
    there = {".".join(("evenhand", *file.parent.relative_to(SOURCE).parts)) for file in SOURCE.rglob("__init__.py")} | {
        "evenhand.schemas"
    }
    assert named >= there


def test_the_face_of_the_audits_lists_all_of_them() -> None:
    import evenhand.audits as face

    assert tuple(re.findall(r"^- `(\w+)`: ", face.__doc__ or "", re.MULTILINE)) == tuple(face.AUDITS)
