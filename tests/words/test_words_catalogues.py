"""The catalogues that are shipped: complete, without leftovers, the same places, the language's own punctuation."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import polib
import pytest
from babel.messages.checkers import num_plurals
from babel.messages.pofile import read_po

from evenhand.words import language, languages

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ROOT = Path(__file__).parents[2]
CATALOGUES = sorted((ROOT / "reports" / "locale").glob("*.po"))
CHINESE = "\u3400-\u9fff\u3000-\u303f\uff00-\uffef"


@pytest.fixture(scope="module")
def template() -> Catalog:
    """Every message id of the source, of the templates, and of the catalogues of metrics and rules."""
    found: Catalog = runpy.run_path(str(ROOT / "docs" / "_messages.py"))["extracted"]()
    return found


def ids(entry: object) -> tuple[str, ...]:
    found = getattr(entry, "id", entry)
    return (found,) if isinstance(found, str) else tuple(found)


def places(text: str) -> set[tuple[str, str]]:
    return {(name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_a_catalogue_is_complete_and_holds_nothing_else(file: Path, template: Catalog) -> None:
    tag = file.stem.replace("_", "-")
    assert tag in languages()
    wanted = [ids(entry)[0] for entry in template if entry.id]
    assert language(tag).missing(wanted) == (), "translate these: make messages"
    found = polib.pofile(str(file))
    assert [entry.msgid for entry in found if entry.fuzzy or entry.obsolete] == []
    assert sorted({entry.msgid for entry in found} - set(wanted)) == [], "nothing says these any more: make messages"


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_a_translation_has_the_places_of_its_message(file: Path) -> None:
    with file.open("rb") as opened:
        catalog = read_po(opened, locale=file.stem)
    for entry in catalog:
        if not entry.id:
            continue
        num_plurals(catalog, entry)
        one, *other = ids(entry)
        if not one.replace("{", "").strip() or set(one) <= set("{}"):
            continue
        said = (entry.string,) if isinstance(entry.string, str) else tuple(entry.string)
        for text in said:
            assert places(text) == places(other[0] if other else one), one


def test_chinese_punctuation_is_full_width() -> None:
    for entry in polib.pofile(str(ROOT / "reports" / "locale" / "zh_CN.po")):
        for text in entry.msgstr_plural.values() or (entry.msgstr,):
            bare = re.sub(r"{[^{}]*}", "字", text).replace("exp(此值)", "")
            assert not re.search(rf"[{CHINESE}]\s?[,;:?!(]|[,;:?!]\s?[{CHINESE}]|[{CHINESE}][.)]", bare), text
    assert language("zh-CN").say(("a", "b")) == "a、b"


NATIVE = {
    "成对": "配对", "无定义": "未定义", "没有定义": "未定义", "代理列": "代理变量", "等频箱": "等频分箱",
    "真实为正的行": "实际为正类的样本", "出路": "可行补救", "三问的树": "小型代理决策树", "错过真值": "未覆盖真值",
}  # fmt: skip
"""What a native reader stumbles over, and what the field says."""


def chinese_pages() -> list[Path]:
    return sorted((ROOT / "docs").glob("**/zh/*.md"))


@pytest.mark.parametrize("page", chinese_pages(), ids=lambda page: page.stem)
def test_chinese_pages_have_full_width_punctuation(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", page.read_text("utf-8"), flags=re.S)
    half = rf"[{CHINESE}][,:;?!(]|[,:;?!][{CHINESE}]|[{CHINESE}][.)]"
    assert [line for line in prose.splitlines() if re.search(half, line)] == []


def test_chinese_says_what_the_field_says() -> None:
    catalogue = polib.pofile(str(ROOT / "reports" / "locale" / "zh_CN.po"))
    texts = [text for entry in catalogue for text in entry.msgstr_plural.values() or (entry.msgstr,)]
    texts += [page.read_text("utf-8") for page in chinese_pages()]
    for odd, native in NATIVE.items():
        assert [text[:80] for text in texts if odd in text] == [], f"say {native}"


def test_precision_is_never_called_accuracy() -> None:
    from evenhand.metrics import METRICS, describe

    say = language("zh-CN").say
    for name in METRICS:
        said = say(describe(name).label)
        if "precision" in name:
            assert ("精确率" in said, "准确率" in said) == (True, False), name
        if "accuracy" in name and name != "subset_accuracy":
            assert ("准确率" in said, "精确率" in said) == (True, False), name
    assert say(describe("recall_difference").label) == "召回率差值"
    assert say(describe("accuracy_group_min").label) == "最低群体的准确率"
