"""Words of texts on the page: marked without colour, harmless whatever they are, and whole texts only where asked."""

from __future__ import annotations

import re

import numpy as np
import pytest

import evenhand as eh
from evenhand.subjects import as_subject

HOSTILE = ("</p><script>alert(1)</script>", "good", "bad", "\u202eevil\x1b[2J", "{{7*7}}", "<img/src=x>")
TEXTS = [" ".join(np.random.default_rng(at).choice(HOSTILE, 7)) for at in range(60)]


def adding(texts: list[str]) -> list[float]:
    return [float(1 / (1 + np.exp(3.0 * text.count("bad") - 2.0 * text.count("good")))) for text in texts]


@pytest.fixture(scope="module")
def record() -> eh.AuditRecord:
    rows = {"t": TEXTS, "y": [int(score > 0.5) for score in adding(TEXTS)], "sex": ["f", "m"] * 30}
    data = eh.read_evaluation_set(rows, label="y", texts="t", sensitive_features="sex")
    model = as_subject(adding, reads="texts", name="adding")
    return eh.audit(model, data, audits=["performance", "words"], show_texts=True)


def test_words_are_marked_by_more_than_colour(record: eh.AuditRecord) -> None:
    page = eh.render(record)
    assert re.search(r'<b class="s[1-5]">good</b>', page) and re.search(r'<i class="s[1-5]">bad</i>', page)
    assert not re.search(r'<i class="s\d">good', page) and not re.search(r'<b class="s\d">bad', page)
    assert "underline dotted" in page and "print-color-adjust:exact" in page
    for said in ("raises the score", "Mean contribution of words", "The same words in texts of each group", "“good”"):
        assert said in page
    assert "提高分数" in eh.render(record, lang="zh-CN")
    assert len(page.encode()) < 300_000


def test_hostile_words_do_no_harm(record: eh.AuditRecord) -> None:
    page = eh.render(record)
    for harm in ("<script>alert", "<img/src", "\x1b", "\u202e"):
        assert harm not in page, repr(harm)
    assert "{{7*7}}" in page and "&lt;img/" in page


def test_whole_texts_are_on_the_page_only_where_they_are_on_record(record: eh.AuditRecord) -> None:
    from dataclasses import replace

    assert "Texts, word by word" in eh.render(record)
    less = replace(record, findings=tuple(f for f in record.findings if not f.key.qualifier("row")))
    assert "Texts, word by word" not in eh.render(less) and "“good”" in eh.render(less)
