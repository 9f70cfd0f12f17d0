"""Rows that can be singled out, and personal data: what is found, and what is left alone."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data.disclosure.anonymity import classes_of
from evenhand.data.disclosure.checks import card, iban, resident
from evenhand.data.disclosure.files import in_file
from evenhand.data.disclosure.personal import in_column, in_text

if TYPE_CHECKING:
    from pathlib import Path

ORACLE = """
import json, sys, pandas as pd
from pycanon import anonymity
table, columns, sensitive = pd.read_csv(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
print(json.dumps([
    int(anonymity.k_anonymity(table, columns)),
    [int(anonymity.l_diversity(table, columns, [name])) for name in sensitive],
    [float(anonymity.t_closeness(table, columns, [name])) for name in sensitive],
]))
"""
PEER = os.environ.get("EVENHAND_PYCANON")


def drawn(n: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame({
        "age": rng.integers(18, 40, n), "sex": rng.choice(["f", "m"], n), "town": rng.choice(list("abc"), n),
        "ill": rng.choice(["no", "yes", "maybe"], n, p=[0.6, 0.3, 0.1]), "income": rng.integers(0, 30, n) * 100,
    })  # fmt: skip


def test_classes_are_counted_as_by_hand() -> None:
    table = pd.DataFrame({"age": [1, 1, 1, 2, 2, np.nan, np.nan], "sex": list("ffmffmm")})
    found = classes_of(table, ["age", "sex"])
    assert found.k == 1 and sorted(found.sizes) == [1, 2, 2, 2], "missing values are alike"
    assert found.unique.tolist() == [False, False, True, False, False, False, False]
    assert found.smaller(3).all()
    ill = pd.Series(["a", "b", "a", "a", "a", "a", "b"])
    assert found.l(ill) == 1
    assert found.t(ill) == pytest.approx(5 / 7 - 1 / 2 if 5 / 7 - 1 / 2 > 2 / 7 else 2 / 7)


def test_distances_over_numbers_follow_their_order() -> None:
    """One class holds the least value alone, the other the greatest: half of all mass moves by the whole range."""
    table = pd.DataFrame({"q": [0, 0, 1, 1], "income": [1, 1, 9, 9]})
    assert classes_of(table, ["q"]).t(table["income"]) == pytest.approx(0.5)
    near = pd.DataFrame({"q": [0, 0, 1, 1], "income": [1, 2, 1, 2]})
    assert classes_of(near, ["q"]).t(near["income"]) == pytest.approx(0)


@pytest.mark.peers
@pytest.mark.skipif(not PEER, reason="EVENHAND_PYCANON names no Python that has pycanon")
def test_pycanon_agrees(tmp_path: Path) -> None:
    table = drawn()
    table.to_csv(tmp_path / "table.csv", index=False)
    columns, sensitive = ["age", "sex", "town"], ["ill", "income"]
    call = [PEER, "-c", ORACLE, str(tmp_path / "table.csv"), json.dumps(columns), json.dumps(sensitive)]
    k, diversity, closeness = json.loads(subprocess.run(call, capture_output=True, text=True, check=True).stdout)  # type: ignore[arg-type]
    found = classes_of(table, columns)
    assert found.k == k
    assert [found.l(table[name]) for name in sensitive] == diversity
    assert [found.t(table[name]) for name in sensitive] == pytest.approx(closeness, abs=1e-9)


def _check(digits: str) -> str:
    total = sum(
        weight * int(d) for weight, d in zip((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), digits, strict=True)
    )
    return digits + "10X98765432"[total % 11]


RESIDENTS = [_check(f"110105{year}0{month}1500{n}") for year, month, n in ((1949, 1, 2), (1980, 3, 4), (2001, 9, 1))]
PERSONAL = {
    "email": ["ann.li@example.org", "write to bo@mail.example.co.uk", "x_y@example.com"],
    "phone": ["+86 138 0013 8000", "+1 (415) 555-2671", "(415) 555-2671"],
    "resident id": RESIDENTS,
    "card": ["4111 1111 1111 1111", "5500-0055-5555-5559", "378282246310005"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "FR14 2004 1010 0505 0001 3M02 606"],
    "social security number": ["123-45-6789", "078-05-1120", "219-09-9999"],
    "ip address": ["192.168.0.12", "8.8.8.100", "203.0.113.7"],
}


@pytest.mark.parametrize("kind", PERSONAL)
def test_each_kind_is_found_in_a_column_and_in_a_text(kind: str) -> None:
    values = PERSONAL[kind]
    assert in_column("free_text", pd.Series(["nothing", *values, None])) == {kind: 3}
    assert set(in_text(f"He said: {values[0]}.")) == {kind}


def test_mobile_numbers_and_resident_ids_are_found_in_columns_of_numbers() -> None:
    rng = np.random.default_rng(0)
    mobiles = 13_000_000_000 + rng.integers(0, 6_999_999_999, 200)
    assert in_column("contact", pd.Series(mobiles)) == {"phone": 200}
    assert in_column("contact", pd.Series(mobiles.astype(str))) == {"phone": 200}
    assert in_column("no", pd.Series([int(one) for one in RESIDENTS if not one.endswith("X")] * 2 or [0]))["email"] == 0


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("amount", np.random.default_rng(1).integers(0, 90_000_000_000, 2000)),
        ("order_id", np.random.default_rng(2).integers(10**15, 10**16, 2000)),
        ("order_id", np.random.default_rng(3).integers(10**17, 9 * 10**17, 2000)),
        ("order_id", [f"{n:011d}" for n in np.random.default_rng(4).integers(0, 10**11, 2000)]),
        ("time", [f"2024-01-{day:02d} 10:{day:02d}:15.123456" for day in range(1, 29)]),
        ("score", [f"{x:+.12f}" for x in np.random.default_rng(5).normal(size=500)]),
        ("uuid", [f"{a:08x}-{b:04x}-4{b % 4096:03x}-a{b % 4096:03x}-{a:012x}" for a, b in
                  zip(range(10**6, 10**6 + 300), range(5000, 5300), strict=True)]),
        ("version", ["1.17.1.0", "2.0.0.1", "3.11.7.2"]),
        ("price", [1234.5678901, 15.2, 1e12]),
        ("zip", ["94110-1234", "10001-0042"]),
        ("product_name", ["lamp", "chair", "table", "bed"]),
        ("name", ["gold", "silver"] * 50),
        ("flag", [True, False, True]),
        ("isbn", ["978-3-16-148410-0", "978-0-306-40615-7"]),
    ],
)  # fmt: skip
def test_ids_amounts_and_dates_are_no_personal_data(name: str, values: object) -> None:
    assert not in_column(name, pd.Series(values))


def test_what_a_column_name_says_is_found() -> None:
    names = pd.Series([f"Ann {at} Li" for at in range(20)])
    for name in ("Full name", "姓名", "last_name", "PatientName"):
        assert in_column(name, names) == {"name": 20}
    assert in_column("date_of_birth", pd.Series(pd.date_range("1980-01-01", periods=9))) == {"birth date": 9}
    assert in_column("home address", names) == {"address": 20}


def test_check_digits_refuse_one_wrong_digit() -> None:
    for check, value in ((card, "4111111111111111"), (iban, "DE89370400440532013000"), (resident, RESIDENTS[0])):
        assert check(value)
        at = 9 if check is not resident else 16
        wrong = value[:at] + str((int(value[at]) + 1) % 10) + value[at + 1 :]
        assert not check(wrong)


def test_the_real_table_of_loans_holds_none() -> None:
    table = eh.load_loanapp().table
    assert not {name: found for name in table if (found := in_column(str(name), table[name]))}


def test_files_are_searched_without_running_them(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).normal(size=400_000).astype(np.float32).tobytes()
    for name, content in {
        "clean.onnx": weights,
        "text.onnx": weights[:999] + b"\x12\x20doc: fitted by ann.li@example.org\x00" + weights,
        "pickle.joblib": pickle.dumps({"support": ["bo.chen@example.com", RESIDENTS[0]], "w": weights[:4000]}),
    }.items():
        (tmp_path / name).write_bytes(content)
    assert not in_file(tmp_path / "clean.onnx")
    assert in_file(tmp_path / "text.onnx") == {"email": 1}
    assert in_file(tmp_path / "pickle.joblib") == {"email": 1, "resident id": 1}
    header = json.dumps({"__metadata__": {"note": "rows of ann.li@example.org"}}).encode()
    (tmp_path / "m.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + weights)
    assert in_file(tmp_path / "m.safetensors") == {"email": 1}
