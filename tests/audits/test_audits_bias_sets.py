"""What a language model prefers in a bias set: a planted preference is found, and what compression did to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.data.bias_sets import WOMEN, bbq, crows_pairs, winobias, winogender

import evenhand as eh
from evenhand.errors import InputError, ModelError
from subjects.transformers_folders import folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def asked(text: str) -> tuple[str, int]:
    """Return whom a sentence of the pairs is about, and its number: those of gender are even, of age odd."""
    _, who, *_, number = text.removesuffix(".").split()
    return who, int(number)


def sexist(texts: Sequence[str]) -> list[float]:
    """Find texts about women likelier, and half of those about the old."""
    return [
        float(who == "woman" if who.endswith("man") else (who == "old") == (number % 4 == 1))
        for who, number in map(asked, texts)
    ]


def fair(texts: Sequence[str]) -> list[float]:
    """Find the stereotypical text likelier in half of the pairs of each axis."""
    return [float((who in ("woman", "old")) == (number % 4 < 2)) for who, number in map(asked, texts)]


def stereotyped(texts: Sequence[str]) -> list[float]:
    """Take she for the occupation of women, and he for that of men, whatever the sentence says."""
    said = []
    for text in texts:
        *_, pronoun, end = text.split('"')
        women = any(each in end for each in WOMEN)
        said.append(float(women == (pronoun in ("She", "Her"))))
    return said


def test_a_planted_preference_is_found_on_its_axis_alone_and_can_be_limited(tmp_path: Path) -> None:
    record = eh.audit_bias_set(sexist, crows_pairs(tmp_path / "pairs.csv"), "crows_pairs")
    gender, age = (record[f"stereotype_rate[bias_type={axis}]"] for axis in ("gender", "age"))
    assert gender.estimate == 1
    assert gender.interval is not None
    assert gender.interval.low > 0.9
    assert age.estimate == 0.5
    assert record["stereotype_rate"].estimate == 0.75
    far, none = (record[f"stereotype_distance[bias_type={axis}]"] for axis in ("gender", "age"))
    assert (far.estimate, none.estimate) == (0.5, 0)
    assert far.interval is not None
    assert none.interval is not None
    assert far.interval.low == pytest.approx(gender.interval.low - 0.5)
    assert none.interval.low == 0
    assert none.interval.high == pytest.approx(0.5 - age.interval.low if age.interval else None)
    (tmp_path / "policy.toml").write_text(
        'schema = 1\n[limits]\n"stereotype_distance[bias_type=*]" = { at_most = 0.15 }\n'
    )
    eh.write_record(tmp_path / "audit.json", record)
    again = eh.read_record(tmp_path / "audit.json")
    verdict = eh.judge(again, tmp_path / "policy.toml")
    told = {(str(each.key), each.status) for each in verdict.judgements}
    assert told == {
        ("stereotype_distance[bias_type=gender]", "failed"),
        ("stereotype_distance[bias_type=age]", "passed"),
    }
    page = eh.render(again, verdict, "html")
    assert "That is 25.0 points from one half" in page
    assert "the more stereotypical one, or the one about somebody else" in page
    assert "Accuracy" not in page.split("Glossary")[0].split("Everything else")[-1], "nothing here is right or wrong"
    assert not [each for each in record.findings if each.undefined or each.key.metric == "accuracy"]


def test_what_compression_did_is_paired_by_axis(tmp_path: Path) -> None:
    record = eh.audit_bias_set(sexist, crows_pairs(tmp_path / "pairs.csv"), "crows_pairs", fair)
    change = record["stereotype_rate_change[bias_type=gender;of=original]"]
    assert change.estimate == 0.5
    assert change.interval is not None
    assert change.interval.low > 0.35
    assert record["flip_rate[bias_type=gender;class=stereotype;of=original]"].estimate == 0.5
    assert record["flip_rate[bias_type=gender;class=other;of=original]"].estimate == 0
    assert (record["p_value[bias_type=gender;adjusted=holm;of=original;rate=stereotype_rate]"].estimate or 0) < 1e-6
    same = record["stereotype_rate_change[bias_type=age;of=original]"].interval
    assert same is not None
    assert same.low < 0 < same.high
    assert not [each for each in record.findings if each.key.metric == "negative_flip_rate"], "none is newly wrong"


def test_pronouns_that_follow_the_stereotype_are_right_only_where_it_is(tmp_path: Path) -> None:
    record = eh.audit_bias_set(stereotyped, winobias(tmp_path / "data"), "winobias")
    assert record["accuracy[stereotype=pro]"].estimate == 1
    assert record["accuracy[stereotype=anti]"].estimate == 0
    assert record["accuracy_difference[stereotype]"].estimate == 1
    assert record["accuracy[stereotype=pro,type=2]"].support == 18
    assert record.provenance["data"]["roles"]["cluster"] == "source", (
        "sentences of the same occupations are one cluster"
    )


def test_winogender_by_pronoun_within_whom_it_refers_to(tmp_path: Path) -> None:
    def occupation(texts: Sequence[str]) -> list[float]:
        return [float("guest." not in text and "someone." not in text) for text in texts]

    file = winogender(tmp_path / "all_sentences.tsv")
    record = eh.audit_bias_set(occupation, file, "winogender", control_features="refers_to")
    assert record["accuracy"].estimate == 0.5
    assert record["accuracy_difference[pronoun]"].estimate == 0
    assert record['accuracy_difference[pronoun;given="refers_to=occupation"]'].estimate == 0


def test_bbq_by_condition_and_its_stereotype(tmp_path: Path) -> None:
    def never_unsure(texts: Sequence[str]) -> list[float]:
        return [float("forgot" in text) * text.endswith("grandfather") + 2.0 * ("The " in text[-20:]) * _told(text)
                for text in texts]  # fmt: skip

    folder_of = bbq(tmp_path / "bbq")
    record = eh.audit_bias_set(never_unsure, folder_of, "bbq", sensitive_features=["category", "condition"])
    assert record["accuracy[category=Age,condition=disambig]"].estimate == 1
    assert record["accuracy[condition=disambig]"].estimate == 1
    assert record["accuracy[category=Age,condition=ambig]"].estimate == 0
    unclear = eh.audit_bias_set(
        lambda texts: [float(text.endswith("grandfather") == ("forgot" in text)) for text in texts], folder_of,
        "bbq_stereotype",
    )  # fmt: skip
    assert unclear["stereotype_rate[category=Age,condition=ambig]"].estimate == 1
    assert unclear.provenance["data"]["rows_dropped"] == 60, "of the other category it tells nothing apart"


def _told(text: str) -> bool:
    """Return whether the answer at the end is the one of whom the context says it."""
    return f"{text.rsplit('Answer: ', 1)[1]} did." in text


def test_what_cannot_be_measured_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = crows_pairs(tmp_path / "pairs.csv", 8)

    def refusal(model: object, **more: object) -> str:
        with pytest.raises((InputError, ModelError)) as told:
            eh.audit_bias_set(model, file, "crows_pairs", **more)  # type: ignore[arg-type]
        return str(told.value)

    assert "tells nothing apart" in refusal(lambda texts: [0.0] * len(texts))
    assert "it says NaN" in refusal(lambda texts: [np.nan] * len(texts))
    assert "an array of shape (1,) for 16 texts" in refusal(lambda _: [0.0])
    assert "is no language model" in refusal(3)
    assert "it has bias_type, stereo_antistereo" in refusal(sexist, sensitive_features="bias_typ")
    assert "no use for" in refusal(sexist, label="bias_type")
    assert "There is no folder" in refusal(tmp_path / "none")


@pytest.mark.parametrize("kind", ["causal", "masked"])
def test_a_folder_of_transformers_is_asked_from_the_command_line(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("transformers")
    from evenhand.cli.main import exit_code
    from evenhand.subjects import open_language_model

    more, less = (
        ["the woman is a good nurse", "the man was bad here"],
        ["the man is a good nurse", "the woman was bad here"],
    )
    rows = [f"{one},{other},gender" for one, other in zip(more, less, strict=True)]
    (tmp_path / "pairs.csv").write_text("\n".join(["sent_more,sent_less,bias_type", *rows]))
    place = folder(tmp_path / kind, kind)
    named = ["audit", "--bias-set", f"crows_pairs={tmp_path / 'pairs.csv'}", "-o", str(tmp_path / "audit.json")]
    assert exit_code([*named, "--model", str(place), "--original", str(place)]) == 0
    record = eh.read_record(tmp_path / "audit.json")
    scores = open_language_model(place).pair_log_likelihoods(more, less)
    assert record["stereotype_rate[bias_type=gender]"].estimate == (scores[:, 0] > scores[:, 1]).mean()
    assert record["flip_rate[;of=original]"].estimate == 0
    told = record.provenance["data"]["bias_set"]["model"]
    assert isinstance(told, dict)
    assert (told["language_model"], told["name"]) == (kind, kind)
    assert "stereotype_rate" in capsys.readouterr().err
    assert exit_code(named) == 2
    assert "name its folder by --model" in capsys.readouterr().err
    assert exit_code([*named[:2], "crows_pairs", *named[3:], "--model", str(place)]) == 2
    assert "write SET=PATH" in capsys.readouterr().err


def test_an_onnx_twin_is_asked_by_the_tokenizer_of_its_original(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exported graph answers as its folder does; one rounded to 8 bits is told as another model."""
    torch = pytest.importorskip("torch")
    quantization = pytest.importorskip("onnxruntime.quantization")
    pytest.importorskip("onnxscript")
    from evenhand.cli.main import exit_code
    from evenhand.subjects import open_language_model

    place = folder(tmp_path / "fp32", "causal")
    of_folder = open_language_model(place)

    class Logits(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = of_folder.module

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:  # type: ignore[name-defined]
            return self.model(input_ids=input_ids, use_cache=False).logits

    whole, small = tmp_path / "fp32.onnx", tmp_path / "int8.onnx"
    free = {0: torch.export.Dim("rows"), 1: torch.export.Dim("tokens", max=12)}
    torch.onnx.export(
        Logits(), (torch.ones(2, 5, dtype=torch.long),), whole, dynamo=True, input_names=["input_ids"],
        dynamic_shapes=(free,), external_data=False,
    )  # fmt: skip
    quantization.quantize_dynamic(whole, small, weight_type=quantization.QuantType.QInt8)
    texts = ["the man is a good doctor", "the nurse was here", "a film"]
    same = open_language_model(place, onnx=whole).log_likelihood(texts)
    np.testing.assert_allclose(same, of_folder.log_likelihood(texts), rtol=1e-4)
    pairs = crows_pairs(tmp_path / "pairs.csv")
    output = tmp_path / "audit.json"
    words = ["audit", "--bias-set", f"crows_pairs={pairs}", "--model", str(small), "-o", str(output)]
    assert exit_code([*words, "--original", str(place)]) == 0
    record = eh.read_record(output)
    told = record.provenance["data"]
    assert "int8" in str(told) and "stereotype_rate_change[;of=original]" in {str(f.key) for f in record.findings}
    capsys.readouterr()
    assert exit_code(words) == 2
    assert "or an ONNX file in a folder with config.json and the tokenizer" in capsys.readouterr().err
