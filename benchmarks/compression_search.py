"""What a search over recipes finds on the census income data, group by group, whatever that is.

Needs the official training and test tables of UCI "Adult" below EVENHAND_DATA, and a folder in which a stopped run goes
on: python benchmarks/compression_search.py [FOLDER]. Everything that could be chosen is said below, before anything is
measured. Writes benchmarks/results/compression_search.json, all its tables beside it, and those of single groups into
docs/fits.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import torch
from measuring import FITS, RESULTS, machine, needed, put_table

import evenhand as eh
from evenhand.cli.compress_verb import parse_recipe
from evenhand.records import write_record
from evenhand.studies import Plan, expand, study
from evenhand.training import TrainingConfig, fit, load_model

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

OUT = RESULTS / "compression_search.json"
CONFIG = TrainingConfig(hidden=(256, 128), epochs=12, batch_size=256, seed=0)
PLAIN = ("half_precision", "int8", "magnitude_pruning=0.9", "neuron_pruning=0.5,0.75", "neuron_pruning=0.5+int8")
BALANCED = ("neuron_pruning=0.75",)
SEEDS = 10
MARGIN = -0.02
POLICY = {
    "limits": {
        "accuracy_change[race=*;of=original]": {"at_least": MARGIN},
        "accuracy_change[sex=*;of=original]": {"at_least": MARGIN},
        "recall_change_group_min[race;of=original]": {"at_least": 5 * MARGIN},
        "recall_change_group_min[sex;of=original]": {"at_least": 5 * MARGIN},
    }
}


def plan(train_file: Path, test_file: Path, folder: Path) -> Plan:
    """Return what is done; the original is fitted once and kept in the folder."""
    train = eh.read_evaluation_set(
        train_file, label="income", positive=">50K", sensitive_features=["sex", "race"], exclude=["fnlwgt"]
    )
    test = eh.read_evaluation_set(test_file, like=train)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / "adult.safetensors"
    if not place.exists():
        fit(train, config=CONFIG, name="adult").save(place)
    tried = [*expand(PLAIN, parse_recipe), expand(BALANCED, parse_recipe, ("race", "sex"))[1]]
    return Plan(load_model(place), tuple(tried), train, test, folder, seeds=SEEDS, progress=say)


def say(done: int, total: int, text: str) -> None:
    """Tell what is being made, line by line."""
    sys.stderr.write(f"{done}/{total} {text}\n")


def tables(record: AuditRecord, crossed: bool = True) -> list[str]:
    """Return the tables: candidates, then each (crossed) group's change, one pair of models and over seeds."""
    told = record.provenance["study"]
    assert isinstance(told, dict)
    names = [str(each["name"]) for each in told["candidates"]]  # type: ignore[union-attr,index,call-overload]
    verdicts = {str(each["name"]): each["verdict"] for each in told["candidates"]}  # type: ignore[union-attr,index,call-overload]
    front = record.measurements["study"]["front"]  # type: ignore[call-overload,index]
    lines = ["| candidate | bytes | latency, 1 row | accuracy | flips | worst group by race, sex | front | verdict |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name in names:
        cells = [_shown(record, f"file_bytes[;recipe={name}]", "{:,.0f}")]
        cells.append(_shown(record, f"latency[;batch=1;recipe={name}]", "{:.1f} us", 1e6))
        cells.append(_shown(record, f"accuracy[;recipe={name}]", "{:.4f}"))
        cells.append(_shown(record, f"flip_rate[;of=original;recipe={name}]", "{:.4f}"))
        worst = [f"accuracy_change_group_min[{c};of=original;recipe={name}]" for c in ("race", "sex")]
        cells.append(", ".join(_shown(record, key, "{:+.4f}") for key in worst))
        cells += ["yes" if name in front else "", str(verdicts[name])]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    groups = [f.key.group for f in record.findings if f.key.metric == "flip_rate" and f.key.qualifier("between")]
    groups = [group for group in groups if crossed or len(group) < 2]
    for title, rest in (("one pair of models", ";of=original"), (f"mean of {SEEDS} seeds", ";of=original;over=seeds")):
        lines += ["", f"Accuracy change, {title}:", "", "| group | " + " | ".join(names) + " |"]
        lines.append("|---" * (len(names) + 1) + "|")
        for group in groups:
            where = ",".join(f"{column}={value}" for column, value in group)
            keys = [f"accuracy_change[{where}{rest};recipe={name}]" for name in names]
            cells = [_shown(record, key, "{:+.4f}", ends=True) for key in keys]
            lines.append(f"| {where or 'all rows'} | " + " | ".join(cells) + " |")
    return lines


def _shown(record: AuditRecord, key: str, how: str, factor: float = 1.0, *, ends: bool = False) -> str:
    finding = record.get(_key(key))
    if finding is None or finding.estimate is None:
        return "-"
    text = how.format(finding.estimate * factor)
    if ends and finding.interval is not None and finding.interval.low is not None and finding.interval.high is not None:
        text += f" [{finding.interval.low:+.4f}, {finding.interval.high:+.4f}]"
    return text


def _key(text: str) -> eh.Key:
    """Read a key whose recipe holds signs of the grammar."""
    before, found, recipe = text.partition("recipe=")
    return eh.Key.parse(f'{before}recipe="{recipe[:-1]}"]' if found else text)


def main() -> None:
    """Search, print, write."""
    torch.set_num_threads(1)
    files = needed("adult", "adult_train.csv.gz", "adult_test.csv.gz")
    with TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        record = study(plan(*files, folder), eh.load_policy(POLICY))
        write_record(folder / "study.json", record)
        told = json.loads((folder / "study.json").read_text("utf-8"))
    raw = {
        "data": "UCI Adult, official split",
        "settings": {"config": CONFIG.to_plain(), "seeds": SEEDS, "policy": POLICY},
        **machine("torch", "onnxruntime"),
        "study": told,
    }
    OUT.write_text(json.dumps(raw, separators=(",", ":")) + "\n", encoding="utf-8")
    OUT.with_suffix(".md").write_text("\n".join(tables(record)) + "\n", encoding="utf-8")
    put_table("compression_search", [*tables(record, crossed=False), "", f"*{raw['machine']}.*"], FITS)


if __name__ == "__main__":
    main()
