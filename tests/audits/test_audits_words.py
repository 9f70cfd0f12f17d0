"""Words of texts: what each adds to the score, by hand; for whom; and what of people's texts is on record."""

from __future__ import annotations

import numpy as np
import pytest

import evenhand as eh
from evenhand.errors import InputError
from evenhand.report.suppression import suppressed
from evenhand.subjects import as_subject

RNG = np.random.default_rng(0)
WEIGHTS = {"good": 2.0, "bad": -3.0, "film": 0.0}
TEXTS = [" ".join(RNG.choice([*WEIGHTS, "plot"], 6)) for _ in range(150)]
TEXTS[:4] = [f"{text[: text.rindex(' ')]} Secretname" for text in TEXTS[:4]]
SEX = RNG.choice(["f", "m"], 150)


def adding(texts: list[str]) -> np.ndarray:
    logits = np.array([sum(WEIGHTS.get(word.strip(".,").lower(), 0.0) for word in text.split()) for text in texts])
    return np.asarray(1 / (1 + np.exp(-logits)))


def rows(y: object = None, texts: list[str] = TEXTS) -> eh.EvaluationSet:
    label = (adding(texts) > 0.5).astype(int) if y is None else y
    return eh.read_evaluation_set(
        {"t": texts, "y": label, "sex": SEX[: len(texts)]}, label="y", texts="t", sensitive_features="sex"
    )


def audited(**options: object) -> eh.AuditRecord:
    return eh.audit(as_subject(adding, reads="texts"), rows(), audits=["words"], **options)  # type: ignore[arg-type]


def test_what_a_word_adds_is_found_for_all_and_for_each_group() -> None:
    """The score is a sum over words, so a word's contribution is its weight times its number in the text."""
    record = audited(text_rows=150)
    for word, weight in WEIGHTS.items():
        counts = [text.split().count(word) for text in TEXTS]
        found = record[f"word_contribution[{word}]"]
        assert found.estimate == pytest.approx(weight * np.mean([n for n in counts if n]), abs=1e-6)
        assert found.support == sum(n > 0 for n in counts)
        mine = [n for n, sex in zip(counts, SEX, strict=True) if n and sex == "f"]
        of_group = record[f'word_contribution[{word};given="sex=f"]']
        assert of_group.estimate == pytest.approx(weight * np.mean(mine), abs=1e-6) and of_group.support == len(mine)
    good = record["word_contribution[good]"]
    assert good.interval is not None and good.interval.low > 0  # type: ignore[operator]


def test_no_text_is_on_record_unless_asked_and_no_rare_word() -> None:
    record = audited(text_rows=150)
    told = {f.key.columns[0] for f in record.of_audit("words")}
    assert told == {"good", "bad", "film", "plot"}, "a word of fewer than five texts may be a person's name"
    assert not [f for f in record.of_audit("words") if f.key.qualifier("row")]
    shown = audited(show_texts=True, individuals=(3,))
    texts: dict[str, str] = {}
    for f in shown.of_audit("words"):
        if (row := f.key.qualifier("row")) and f.key.columns:
            texts[row] = texts.get(row, "") + f.key.columns[0]
    assert len(texts) in (4, 5) and all(TEXTS[int(row)] == text for row, text in texts.items()) and "3" in texts
    score = adding(TEXTS)
    assert {str(int(np.argmax(score))), str(int(np.argmin(score)))} <= set(texts)
    with pytest.raises(InputError, match="there is no row 150"):
        audited(show_texts=True, individuals=(150,))


def test_the_words_of_a_text_add_up_to_its_score() -> None:
    record = audited(show_texts=True)
    found = [f for f in record.of_audit("words") if f.key.qualifier("row")]
    for row in {f.key.qualifier("row") for f in found}:
        mine = [f for f in found if f.key.qualifier("row") == row]
        ends = {f.key.qualifier("at"): f.estimate or 0.0 for f in mine if not f.key.columns}
        assert sum(f.estimate or 0.0 for f in mine if f.key.columns) == pytest.approx(ends["end"] - ends["start"])


def test_a_copy_for_publication_has_no_word_of_few_people() -> None:
    copy = suppressed(audited(show_texts=True, text_rows=150), 20)
    left = copy.of_audit("words")
    assert left and all(f.support >= 20 and not f.key.qualifier("row") for f in left)


def test_no_more_is_asked_than_was_allowed() -> None:
    asked: list[int] = []

    def counted(texts: list[str]) -> np.ndarray:
        asked.append(len(texts))
        return adding(texts)

    record = eh.audit(as_subject(counted, reads="texts"), rows(), audits=["words"], text_evaluations=150)
    # the rows themselves, the empty text on trial, and the shortened ones
    assert sum(asked) <= 150 + 1 + 150
    assert "out of 13 texts" in record.sections[0].reason  # 2 x 5 + 1 questions a text of six words


def test_several_classes_are_told_apart_and_numbers_explained() -> None:
    def classes(texts: list[str]) -> np.ndarray:
        logits = np.array([[text.count("good"), text.count("bad"), 0.5] for text in texts], dtype=float) * 3
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))

    of_three = rows(np.array(["a", "b", "c"])[classes(TEXTS).argmax(axis=1)])
    record = eh.audit(as_subject(classes, reads="texts"), of_three, audits=["words"])
    assert (record["word_contribution[good;class=a]"].estimate or 0) > 1
    assert (record["word_contribution[good;class=b]"].estimate or 0) < 0
    amounts = eh.read_evaluation_set(
        {"t": TEXTS, "y": [3.0 * text.count("good") for text in TEXTS]}, label="y", texts="t", task="regression"
    )
    of_amounts = as_subject(lambda texts: [3.0 * text.count("good") for text in texts], reads="texts")
    found = eh.audit(of_amounts, amounts, audits=["words"], text_rows=150)["word_contribution[good]"]
    assert found.estimate == pytest.approx(3 * np.mean([n for text in TEXTS if (n := text.split().count("good"))]))


def test_where_there_is_nothing_to_ask_it_is_said() -> None:
    def strict(texts: list[str]) -> np.ndarray:
        if "" in texts:
            raise ValueError("empty")
        return adding(texts)

    def reason(model: object, data: object) -> str:
        record = eh.audit(model, data, audits=["words"])  # type: ignore[arg-type]
        assert not record.of_audit("words")
        return record.sections[0].reason

    assert "takes no empty text" in reason(as_subject(strict, reads="texts"), rows())
    assert "3 texts are too few" in reason(as_subject(adding, reads="texts"), rows([0, 1, 0], TEXTS[:3]))
    assert "models that read texts" in reason(lambda X: X["appinc"] * 0, eh.load_loanapp())
