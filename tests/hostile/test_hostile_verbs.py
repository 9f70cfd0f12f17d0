"""Bad input for every verb: files, flags and values that are refused in a sentence, or give the right figure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Refused = Callable[[str], str]

AUDIT = "audit {} --label y --score p --sensitive g -o new.json"
NESTED_TOML = "x = " + "[" * 20_000 + "]" * 20_000
DOTTED_TOML = ".".join(["a"] * 3_000) + " = 1\n"
DIGITS = "[limits]\n'accuracy' = { at_least = %s }\n"
NESTED_JSON = "[" * 200_000 + "]" * 200_000
OBJECTS_JSON = '{"a":' * 20_000 + "1" + "}" * 20_000

DOCUMENTS: dict[str, tuple[str | bytes, str]] = {
    "nested": (NESTED_TOML, "nested too deeply"),
    "tables in tables": (DOTTED_TOML, "nested too deeply"),
    "inline tables": ("x = " + "{a=" * 5_000 + "1" + "}" * 5_000, "nested too deeply"),
    "400 digits": (DIGITS % ("9" * 400), "digits"),
    "5,000 digits": (DIGITS % ("9" * 5_000), "digits"),
    "a long fraction": (DIGITS % ("0." + "1" * 5_000), "digits"),
    "not UTF-8": (b"[limits]\nx = '\xff\xfe'\n", "no TOML"),
    "UTF-16": ("[limits]\n".encode("utf-16"), "no TOML"),
    "null bytes": (b"\0" * 64, "no TOML"),
    "no TOML": ("this is no TOML", "no TOML"),
    "half a table": ("[limits", "no TOML"),
    "a key twice": ("a = 1\na = 2\n", "no TOML"),
    "megabytes": ("# " + "x" * (1 << 20) + "\n", "holds more than"),
}
"""Documents of TOML that no reader takes."""

READERS = {
    "gate": "gate audit.json --policy bad.toml",
    "gate with pyproject": "gate audit.json --policy pyproject.toml",
    "policy check": "policy check bad.toml",
    "policy explain": "policy explain bad.toml",
    "sweep": "sweep audit.json --policy bad.toml",
    "plan": "plan bad.toml --like audit.json",
    "plan rates": "plan policy.toml --rates bad.toml",
    "report": "report audit.json --policy bad.toml -o page.html",
    "compare": "compare audit.json audit.json --policy bad.toml",
    "audit settings": "audit rows.csv --config bad.toml -o new.json",
    "audit declarations": "audit rows.csv --label y --score p --responsibility bad.toml -o new.json",
    "audit policy": "audit rows.csv --label y --score p --policy bad.toml -o new.json",
    "train settings": "train rows.csv --config bad.toml -o new.safetensors",
    "verify policy": "verify audit.json --policy bad.toml",
}


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("reader", ["gate", "audit settings", "audit declarations"])
def test_a_document_of_toml_that_is_none(folder: Path, refused: Refused, kind: str, reader: str) -> None:
    content, sentence = DOCUMENTS[kind]
    (folder / "bad.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refused(READERS[reader])
    assert sentence in said
    assert "bad.toml" in said


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_toml_is_bounded(folder: Path, refused: Refused, reader: str) -> None:
    for name in ("bad.toml", "pyproject.toml"):
        (folder / name).write_text(NESTED_TOML)
    assert "nested too deeply" in refused(READERS[reader])


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_of_toml_tells_of_a_file_that_links_to_itself(folder: Path, refused: Refused, reader: str) -> None:
    for name in ("bad.toml", "pyproject.toml"):
        (folder / name).symlink_to(folder / name)
    assert re.search(r"cannot be read|there is no such file|symbolic links|Symlink loop", refused(READERS[reader]))


def test_a_rule_pack_is_read_as_a_policy_is(folder: Path, refused: Refused) -> None:
    (folder / "pack.toml").write_text(NESTED_TOML)
    (folder / "bad.toml").write_text('extends = ["pack.toml"]\n')
    assert "nested too deeply" in refused("gate audit.json --policy bad.toml")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("[audit]\nlevel = 9" + "9" * 400, "digits"),
        ("[audit]\nlevel = nan", "level must be a number in (0, 1)"),
        ("[audit]\nlevel = '0.9'", "level must be a number"),
        ("[audit]\nseed = 9223372036854775808", "digits"),
        ("[audit]\nadjust = 'bonf'", "There is no adjust 'bonf'"),
        ("[audit]\nslice_by = 5", "slice_by must be a list of texts"),
        ("[audit]\nintersections = true", "intersections must be a whole number"),
        ("[audit]\nlevvel = 0.9", "Did you mean 'level'?"),
        ("[data]\nthreshold = 'high'", "threshold must be a finite number"),
        ("[data]\nthreshold = inf", "threshold must be a finite number"),
        ("[data]\nscore_kind = 'logit'", "There is no score_kind 'logit'"),
        ("[data]\nmissing = 1", "missing must be error, group"),
        ("data = 5", "must be a table"),
        ("[split]\ntrain = -1", "train must be a number above 0"),
    ],
)
def test_a_setting_of_a_file_that_is_none(folder: Path, refused: Refused, settings: str, sentence: str) -> None:
    (folder / "bad.toml").write_text(settings)
    assert sentence in refused("audit rows.csv --label y --score p --config bad.toml -o new.json")


RECORDS: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "no JSON"),
    "nested lists": (NESTED_JSON, "no audit.json"),
    "nested objects": (OBJECTS_JSON, "nested too deeply"),
    "5,000 digits": ('{"schema": ' + "9" * 5_000 + "}", "digits"),
    "400 digits": ('{"schema": ' + "9" * 400 + "}", "digits"),
    "1e400": ('{"schema": 1e400}', "too large"),
    "NaN": ('{"schema": NaN}', "NaN is no number of JSON"),
    "not UTF-8": (b'{"schema": "\xff"}', "no JSON"),
    "a list": ("[1, 2]", "no audit.json"),
    "another document": ('{"schema": "other"}', "no audit.json"),
    "no version": ('{"schema": "evenhand-audit"}', "breaks the schema"),
    "of the future": ('{"schema": "evenhand-audit", "schema_version": 99}', "newer evenhand"),
    "version is text": ('{"schema": "evenhand-audit", "schema_version": "2"}', "breaks the schema"),
}
"""Documents that no reader takes for a record."""

RECORD_READERS = [
    "gate bad.json", "gate audit.json --baseline bad.json", "report bad.json -o page.html", "sweep bad.json",
    "verify bad.json", "sign bad.json --key key", "compare bad.json audit.json", "compare audit.json bad.json",
    "list metrics bad.json", "plan policy.toml --like bad.json",
]  # fmt: skip


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_that_is_none(folder: Path, refused: Refused, kind: str) -> None:
    content, sentence = RECORDS[kind]
    (folder / "bad.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refused("gate bad.json")
    assert sentence in said
    assert "bad.json" in said


@pytest.mark.parametrize("reader", RECORD_READERS)
def test_every_reader_of_a_record_is_bounded(folder: Path, refused: Refused, reader: str) -> None:
    (folder / "bad.json").write_text(OBJECTS_JSON)
    assert "nested too deeply" in refused(reader)


@pytest.mark.parametrize("reader", RECORD_READERS)
def test_every_reader_of_a_record_tells_of_a_file_that_links_to_itself(
    folder: Path, refused: Refused, reader: str
) -> None:
    (folder / "bad.json").symlink_to(folder / "bad.json")
    assert "bad.json" in refused(reader)


@pytest.mark.parametrize("reader", RECORD_READERS)
def test_a_folder_in_place_of_a_record(folder: Path, refused: Refused, reader: str) -> None:
    (folder / "bad.json").mkdir()
    assert "cannot be read" in refused(reader)


LINE = '{"y": 1, "p": 0.3, "g": "a", "z": %s}\n{"y": 0, "p": 0.6, "g": "b", "z": 1}\n'
TABLES: dict[str, tuple[str, str | bytes, str]] = {
    "5,000 digits in JSON lines": ("bad.jsonl", LINE % ("9" * 5_000), "5,000 digits; write it in quotes"),
    "400 digits in JSON lines": ("bad.jsonl", LINE % ("9" * 400), "400 digits; write it in quotes"),
    "20 digits below zero": ("bad.jsonl", LINE % ("-" + "9" * 19), "write it in quotes"),
    "nested JSON lines": ("bad.jsonl", LINE % NESTED_JSON, "line 1 is no JSON"),
    "half a surrogate pair": ("bad.jsonl", LINE % '"\\ud800"', "no Unicode text"),
    "a lone surrogate as a name": ("bad.jsonl", '{"y": 1, "p": 0.3, "g": "a", "\\uDFFF": 1}\n', "no Unicode text"),
    "a list a line": ("bad.jsonl", "[1, 2]\n", "no JSON object"),
    "half a line": ("bad.jsonl", '{"y": 1, "p"\n', "is no JSON"),
    "a long header": ("bad.csv", "y,p,g" + "g" * 140_000 + "\n1,0.2,a\n", "more than 131,072 characters"),
    "an empty file": ("bad.csv", "", "the file is empty"),
    "a header alone": ("bad.csv", "y,p,g\n", "no rows"),
    "binary data": ("bad.csv", b"\0\1\2" * 50, "binary data"),
    "not UTF-8": ("bad.csv", b"y,p,g\n1,0.5,\xff\n", "not UTF-8"),
    "a column twice": ("bad.csv", "y,p,p,g\n1,0.5,0.5,a\n", "more than once"),
    "rows longer than the header": ("bad.csv", "y,p,g\n1,0.5,a\n0,0.4,b,7,8\n", "do not fit the header"),
    "no Parquet": ("bad.parquet", b"PAR1" + b"\0" * 40 + b"PAR1", "no Parquet file"),
    "half a Parquet": ("bad.parquet", b"PAR1", "no Parquet file"),
    "no Feather": ("bad.feather", b"ARROW1", "no Feather file"),
    "no gzip": ("bad.csv.gz", b"y,p,g\n", "no whole gzip file"),
    "half a gzip": ("bad.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "no whole gzip file"),
    "another ending": ("bad.xlsx", b"PK\3\4", "ends in one of"),
    "scores that are text": ("bad.csv", "y,p,g\n1,high,a\n0,low,b\n", "are no numbers"),
    "scores that are infinite": ("bad.csv", "y,p,g\n1,inf,a\n0,0.2,b\n", "infinite"),
    "scores beyond any": ("bad.csv", "y,p,g\n1,1e400,a\n0,0.2,b\n", "infinite"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_that_is_none(folder: Path, refused: Refused, kind: str) -> None:
    name, content, sentence = TABLES[kind]
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refused(AUDIT.format(name))
    assert sentence in said
    assert "bad" in said


COUNTED = "y,d,g,rows\n1,1,a,%s\n0,1,b,4\n1,0,a,5\n0,0,b,7\n"


@pytest.mark.parametrize(
    ("frequency", "sentence"),
    [
        ("10000000000000000000", "can be counted"), ("1e19", "can be counted"),
        ("9007199254740993", "can be counted"), ("-5", "no whole number from 0"),
        ("2.5", "no whole number from 0"), ("nan", "no whole number from 0"), ("inf", "no whole number from 0"),
        ("many", "is no number"),
    ],
)  # fmt: skip
def test_frequencies_that_are_no_counts(folder: Path, refused: Refused, frequency: str, sentence: str) -> None:
    (folder / "bad.csv").write_text(COUNTED % frequency)
    said = refused("audit bad.csv --label y --prediction d --frequency rows --sensitive g -o new.json")
    assert sentence in said
    (folder / "good.csv").write_text(COUNTED % 15)
    assert "frequency 'rows'" in refused("merge good.csv bad.csv -o new.csv")


COUNT = "count {} --label y --score p --sensitive g -o new.csv"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (COUNT.format("rows.csv") + " --threshold nan", "threshold must be a finite number"),
        (COUNT.format("rows.csv") + " --threshold inf", "threshold must be a finite number"),
        (COUNT.format("rows.csv") + " --threshold high", "not a valid float"),
        (COUNT.format("rows.csv") + " --bins 1", "--bins"),
        (COUNT.format("no_such.csv"), "there is no such file"),
        (COUNT.format("no_such*.csv"), "there is no such file"),
        (COUNT.format("model.joblib"), "can be counted"),
        (COUNT.format("no.duckdb::t"), "there is no database"),
        (COUNT.format("rows.csv::t"), "there is no database"),
        ("count rows.csv --label y --sensitive g", "name either the column of decisions"),
        ("count rows.csv --score p", "Name the column with the truth"),
        ("count rows.csv --label y --score three -o new.csv", "numbers are needed"),
        ("count rows.csv --label y --score p --weight three -o new.csv", "numbers are needed"),
        ("count rows.csv --label y --score p --weight x -o new.csv", "are no number from 0"),
        ("count rows.csv --label y --score x --bins 5 -o new.csv", "lie outside [0, 1]"),
        ("count rows.csv --label yy --score p -o new.csv", "no column 'yy'"),
    ],
)
def test_what_cannot_be_counted(refused: Refused, arguments: str, sentence: str) -> None:
    assert sentence in refused(arguments)


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_files_of_another_order_of_columns_are_counted_by_name(
    folder: Path, verb: Callable[[str], object], engine: str
) -> None:
    (folder / "o1.csv").write_text("y,p,g\n1,0.2,a\n0,0.6,b\n")
    (folder / "o2.csv").write_text("g,extra,y,p\na,5,1,0.2\nb,6,0,0.7\n")
    pytest.importorskip(engine)
    assert verb(COUNT.format("o?.csv") + f" --engine {engine}").code == 0  # type: ignore[attr-defined]
    assert (folder / "new.csv").read_text().splitlines()[1:] == ["g,y,decision,rows", "a,1,0,2", "b,0,1,2"]


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ("g,y\na,1\n", "there is no column 'p'"),
        ("g,p,y\n7,high,1\n8,0.6,0\n", "column 'p' is text, and in o1.csv a number"),
        ("y,p,g\n1,0.2,a\n0,0.6,b\n", "has the same content as o1.csv"),
        ("y,p,g\n1,high,a\n0,0.6,b\n", "needed"),
    ],
)
def test_files_that_cannot_be_counted_together(folder: Path, refused: Refused, second: str, sentence: str) -> None:
    (folder / "o1.csv").write_text("y,p,g\n1,0.2,a\n0,0.6,b\n")
    (folder / "o2.csv").write_text(second)
    assert sentence in refused(COUNT.format("o?.csv"))


def test_a_shard_is_added_once(folder: Path, verb: Callable[[str], object], refused: Refused) -> None:
    assert "would count twice" in refused("merge c1.csv c1.csv c1.csv -o new.csv")
    assert verb("merge c1.csv c2.csv -o whole.csv").code == 0  # type: ignore[attr-defined]
    assert "would count twice" in refused("merge whole.csv c2.csv -o new.csv")
    (folder / "copy.csv").write_text("".join((folder / "c1.csv").read_text().splitlines(keepends=True)[1:]))
    assert "would count twice" in refused("merge c1.csv copy.csv -o new.csv")
    assert verb("merge c1.csv copy.csv --allow-repeated -o new.csv").code == 0  # type: ignore[attr-defined]
    assert verb(COUNT.format("rows.csv")).code == 0  # type: ignore[attr-defined]
    whole, all_rows = ((folder / name).read_text().splitlines()[1:] for name in ("whole.csv", "new.csv"))
    assert whole == all_rows, "the sum of the shards is the count of all rows"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace('"threshold": 0.5', '"threshold": 0.3'), "was counted with threshold = 0.3"),
        (lambda text: text.replace('"label": "y"', '"label": "z"'), "was counted with label = 'z'"),
        (lambda text: text.replace("a,0,0,", "a,0,0,1"), "changed since it was counted"),
        (lambda text: "# evenhand counts: {}\n" + text.partition("\n")[2], "does not say what was counted"),
        (lambda text: "# evenhand counts: " + NESTED_JSON + "\n" + text.partition("\n")[2], "nested too deeply"),
        (lambda text: text.partition("\n")[2].replace("rows", "n"), "there is no column 'rows' of counts"),
        (lambda text: text.partition("\n")[2].replace("decision", "said"), "has other columns than c1.csv"),
        (lambda text: re.sub(r"(?m)^([ab]),(\d),", r"\1,\2.0,", text.partition("\n")[2]), "which means the same"),
        (lambda text: re.sub(r"(?m)^([ab]),(\d),", r"\1,class \2,", text.partition("\n")[2]),
         "the classes of 'y' are 'class 0', 'class 1'"),
        (lambda text: "", "no table of counts"),
        (lambda text: "\0" * 40, "there is no column 'rows'"),
    ],
)  # fmt: skip
def test_tables_of_counts_that_do_not_belong_together(
    folder: Path, refused: Refused, change: Callable[[str], str], sentence: str
) -> None:
    (folder / "bad.csv").write_text(change((folder / "c2.csv").read_text()))
    assert sentence in refused("merge c1.csv bad.csv -o new.csv")


IDLE = {
    "audit rows.csv --label y --prediction d": {
        "--original no_such.onnx": "--model", "--background no_such.csv": "--model", "--trust-pickle": "--model",
        "--engine duckdb": "--table", "--allow-repeated": "--table", "--row-key key": "--keep-predictions",
        "--threshold 0.7": "--score", "--score-kind ranking": "--score",
    },
    "audit --table rows.csv --label y --score p": {
        "--keep-predictions k.parquet": "DATA", "--score-kind ranking": "DATA",
    },
    "count rows.csv --label y --prediction d": {"--bins 5": "--score", "--threshold 0.7": "--score"},
    "train rows.csv --label y": {
        "--folds 3": "--tune", "--tune-storage s.db": "--tune", "--tune-seconds 3": "--tune",
        "--test-share 0.4": "--test-output",
    },
    "compress model.safetensors --train rows.csv -r int8 -o m.onnx": {
        "--test rows.csv": "--search", "--policy policy.toml": "--search", "--seeds 3": "--search",
    },
    "compress model.safetensors --train rows.csv --test rows.csv --search -o study": {
        "--validation rows.csv": "single compression", "--seconds 3": "single compression",
    },
    "gate audit.json": {
        "--new-only": "--baseline", "--new-threshold": "--baseline", "--predictions k.parquet": "both",
        "--baseline-predictions k.parquet": "both",
    },
    "report audit.json -f json": {
        "--assets external": "-f html", "--omit-empty": "-f html", "--template-dir .": "-f html",
    },
    "report audit.json": {"--baseline audit.json": "--policy", "--new-threshold": "--baseline"},
    "verify audit.json": {
        "--signer a": "--signature", "--allowed-signers a": "--signature", "--background rows.csv": "--rerun",
        "--tolerance 3": "--rerun", "--trust-pickle": "--rerun", "--inputs x.npy": "--data",
        "--model model.joblib": "without such a model", "--original model.joblib": "without such a model",
    },
    "compare audit.json audit.json": {"--old-predictions k.parquet": "both", "--new-predictions k.parquet": "both"},
    "list recipes": {"audit.json": "list metrics"},
}  # fmt: skip
"""Flags that would have no effect in a verb's mode, and what they go with."""


@pytest.mark.parametrize(
    ("call", "flag", "needed"), [(call, flag, needed) for call, flags in IDLE.items() for flag, needed in flags.items()]
)
def test_a_flag_takes_effect_or_is_refused(refused: Refused, call: str, flag: str, needed: str) -> None:
    assert needed in refused(f"{call} {flag}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("score rows.csv --model model.joblib --trust-pickle -o out", "scored from Parquet files"),
        ("score no_such.parquet --model model.joblib --trust-pickle -o out", "no such file"),
        ("score rows.parquet --model no_such.joblib -o out", "no_such.joblib"),
        ("score rows.parquet --model model.joblib -o out", "--trust-pickle"),
        ("score rows.parquet --model model.joblib --trust-pickle --keep nothing -o out", "no column 'nothing'"),
        ("score rows.parquet --model model.joblib --trust-pickle --keep score --keep p --column p -o out", "column"),
        ("score rows.parquet --model model.joblib --trust-pickle -o audit.json", "folder cannot be made"),
        ("train rows.csv --label y --tune 1 --tune-storage policy.toml", "this is no SQLite file"),
        ("train rows.csv --label y --tune 1 --folds 1 -o m.safetensors", "One fold leaves no rows"),
        ("train rows.csv --label y --tune 1 --folds 200 -o m.safetensors", "200 folds cannot be made"),
        ("train rows.csv --label nothing -o m.safetensors", "no label column 'nothing'"),
        ("train rows.csv --label y --batch-size many", "--batch-size"),
        ("train rows.csv --label y --tune 0", "--tune"),
        ("train rows.csv --label y --tune 1 --tune-seconds nan", "no finite number"),
        ("compress model.joblib --train rows.csv --label y -r int8 --seconds inf -o m.onnx", "no finite number"),
        ("compress rows.csv --train rows.csv --label y -r int8 -o m.onnx", "rows.csv"),
        ("compress model.joblib --train rows.csv --label y -r nothing -o m.onnx", "nothing"),
        ("compress model.joblib --train rows.csv --label y -r neuron_pruning=many -o m.safetensors", "neuron_pruning"),
        ("init --folder no_such", "does not exist"),
        ("init --folder audit.json", "audit.json"),
        ("init --template nothing", "--template"),
        ("demo -o audit.json", "this folder cannot be made"),
        ("demo --seed 1.5", "--seed"),
        ("list nothing", "nothing"),
        ("list metrics rows.csv", "no audit.json"),
        ("policy check no_such.toml", "no such file"),
        ("policy nothing", "nothing"),
        ("sign audit.json --key no_such_key", "key"),
        ("verify audit.json --signature no_such.sig --allowed-signers no_such", "no_such"),
        ("verify audit.json --data no_such.csv", "no such file"),
        ("verify audit.json --tolerance nan --rerun --data rows.csv", "tolerance"),
        ("compare audit.json no_such.json", "no such file"),
        ("report audit.json -o no_such/page.html", "does not exist"),
        ("report audit.json -f nothing", "nothing"),
        ("report audit.json --suppress-below 1", "--suppress-below"),
        ("sweep audit.json --policy policy.toml -o no_such/x.csv", "does not exist"),
        ("plan policy.toml", "give one of both"),
        ("plan policy.toml --like audit.json --rates policy.toml", "give one of both"),
        ("plan policy.toml --like audit.json --rows 0", "--rows"),
        ("plan policy.toml --like audit.json --rows 99999999999", "from 1 to 10,000,000"),
        ("plan policy.toml --rates policy.toml", "policy.toml"),
        ("plan policy.toml --rates no_such.toml", "no such file"),
        ("plan policy.toml --like audit.json -o no_such/x.html", "does not exist"),
        ("gate audit.json --policy audit.json", "no TOML"),
        ("gate rows.csv", "no audit.json"),
        ("gate audit.json -f json -f json", "named twice"),
        ("merge no_such.csv", "no such file"),
        ("merge", "COUNTS"),
        ("merge rows.csv c1.csv", "no column 'rows'"),
        ("audit rows.csv --label y --score p --adjust bonf", "--adjust"),
        ("audit rows.csv --label y --score p --level high", "--level"),
        ("audit rows.csv --label y --score p --seed " + "9" * 30, "--seed"),
        ("audit rows.csv --label y --score p --sensitive x --bins x=" + "9" * 400, "finite edges"),
        ("audit rows.csv --label y --score p --sensitive x --bins x=nan", "finite edges"),
        ("audit rows.csv --label y --model rows.csv", "no model"),
        ("audit rows.csv --label y --model audit.json", "audit.json"),
        ("audit rows.csv --label y --score p --budget 0s", "duration"),
        ("audit rows.csv --label y --score p -o .", "folder"),
        ("aduit rows.csv", "Did you mean 'audit'?"),
    ],
)  # fmt: skip
def test_what_no_verb_does(refused: Refused, arguments: str, sentence: str) -> None:
    assert sentence in refused(arguments)


@pytest.mark.parametrize("output", ["report audit.json -o {}", "gate audit.json -f json={}", "sweep audit.json -o {}",
                                    "plan policy.toml --like audit.json -o {}",
                                    "audit rows.csv --label y --score p -o {}", "merge c1.csv -o {}",
                                    "count rows.csv --label y --score p -o {}"])  # fmt: skip
def test_an_output_that_links_to_itself(folder: Path, verb: Callable[[str], object], output: str) -> None:
    (folder / "loop.out").symlink_to(folder / "loop.out")
    outcome = verb(output.format("loop.out"))
    assert outcome.code in (0, 2)  # type: ignore[attr-defined]
    assert outcome.code == 0 or "loop.out" in outcome.err  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb_of", ["gate audit.json --baseline {}", "compare {} audit.json"])
@pytest.mark.parametrize("flags", ["--label y --pos-label 0 --score p", "--label d --score p"])
def test_a_baseline_of_another_label_is_refused(
    folder: Path, verb: Callable[[str], object], refused: Refused, verb_of: str, flags: str
) -> None:
    assert verb(f"audit rows.csv {flags} --sensitive g -o before.json").code == 0  # type: ignore[attr-defined]
    assert verb("audit rows.csv --label y --score p --sensitive g -o audit.json").code == 0  # type: ignore[attr-defined]
    assert "cannot be compared" in refused(verb_of.format("before.json"))


DROPS = """
[limits]
"accuracy" = { max_drop = 0.5 }
"selection_rate_difference[g]" = { max_drop = 0.9 }
"roc_auc" = { max_drop = 0.5 }
"""


def judged(out: str) -> dict[str, str]:
    return {judgement["key"].split("[")[0]: judgement["status"] for judgement in json.loads(out)["judgements"]}


def test_other_groups_leave_only_the_limits_over_them_undecided(folder: Path, verb: Callable[[str], object]) -> None:
    (folder / "policy.toml").write_text(DROPS)
    verb("audit others.csv --label y --score p --sensitive g -o before.json")
    verb("audit rows.csv --label y --score p --sensitive g -o audit.json")
    found = verb("gate audit.json --baseline before.json -f json")
    assert found.code == 3  # type: ignore[attr-defined]
    assert judged(found.out) == {  # type: ignore[attr-defined]
        "accuracy": "passed", "selection_rate_difference": "undecided", "roc_auc": "passed",
    }  # fmt: skip
    assert "new b; gone c" in found.out  # type: ignore[attr-defined]


def test_another_threshold_is_declared_or_leaves_decisions_undecided(
    folder: Path, verb: Callable[[str], object]
) -> None:
    (folder / "policy.toml").write_text(DROPS)
    verb("audit rows.csv --label y --score p --sensitive g --threshold 0.6 -o before.json")
    verb("audit rows.csv --label y --score p --sensitive g -o audit.json")
    found = verb("gate audit.json --baseline before.json -f json")
    assert judged(found.out) == {  # type: ignore[attr-defined]
        "accuracy": "undecided", "selection_rate_difference": "undecided", "roc_auc": "passed",
    }  # fmt: skip
    assert "0.6, this one at 0.5" in found.out  # type: ignore[attr-defined]
    found = verb("gate audit.json --baseline before.json --new-threshold -f json")
    assert set(judged(found.out).values()) == {"passed"}  # type: ignore[attr-defined]
