"""Figures: small, bounded, with named axes and the same numbers as text; and a page that never outgrows its host."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.messages import message
from evenhand.report.drawings import Table
from evenhand.report.figures.dots import MOST_DOTS, swarm_figure
from evenhand.report.figures.findings import figure
from evenhand.report.figures.heat import MOST_CELLS, heat_figure
from evenhand.report.figures.histograms import histogram_pair
from evenhand.report.figures.lines import line_figure
from evenhand.report.figures.points import point_figure
from evenhand.report.figures.trees import MOST_NODES, Branch, tree_figure
from evenhand.report.formats.html import MOST_BYTES, environment

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict
    from evenhand.report.view import Block

LARGEST = 12_000
TWIN = Table("twin", "Twin", ("", ""), (("a", "1"),))
RNG = np.random.default_rng(0)


def drawn(block: Block) -> str:
    """Return the figure as the page has it."""
    module = environment(None).get_template("partials/charts.svg.j2").make_module({"_": message})
    return str(module.draw(block))  # type: ignore[attr-defined]


def named(name: str) -> str:
    return f"{name} of a group whose name goes on and on and on until nobody reads it any more"


def a_forest(rows: int, name: str = "") -> Block:
    from evenhand.findings import Finding, Interval
    from evenhand.keys import Key

    finding = Finding(Key.of("recall"), "fairness", 0.5, Interval(0.4, 0.6, 0.95, "wilson"), support=10)
    return figure("f", "A forest", [(name or named(str(at)), finding, "undecided", 0.45) for at in range(rows)])


def a_tree(depth: int, wide: int) -> Branch:
    below = tuple(a_tree(depth - 1, wide) for _ in range(wide)) if depth else ()
    return Branch(named(f"level {depth}"), "0.20 [0.10, 0.30]", "failed", below)


FIGURES: dict[str, Block] = {
    "forest": a_forest(400),
    "lines": line_figure(
        "l",
        "Lines",
        "Lines.",
        np.linspace(0, 1, 120),
        [(named(str(at))[:30], RNG.random(120)) for at in range(5)],
        TWIN,
        axes=("threshold", "share"),
        marker=0.5,
        marked="the threshold in use",
    ),
    "heat": heat_figure(
        "h", "A grid", ["one", "two"], [(named(str(at)), [0.1, None], ["10 %", "–"]) for at in range(400)]
    ),
    "histograms": histogram_pair("p", "A pair", 0.0, 1.0, [("these", RNG.random(20)), ("those", RNG.random(20))], 0.5),
    "swarm": swarm_figure(
        "s",
        "Dots",
        "Dots.",
        [(named(str(at)), [(float(v), at % 3) for v in RNG.random(900)], "0.1 – 0.9") for at in range(9)],
        TWIN,
        axis="share",
        key=[(0, "few"), (1, "some"), (2, "many")],
        zero=0.5,
    ),
    "points": point_figure(
        "q",
        "Points",
        "Points.",
        [(named(str(at))[:60], 10.0 * (at % 5), 0.1 * at, "undecided") for at in range(24)],
        ("size in kB", "loss"),
        TWIN,
        [named(str(at))[:60] for at in range(4)],
        "the front",
    ),
    "tree": tree_figure("t", "A tree", a_tree(4, 4), TWIN),
}


HOSTILE = '<"&>' * 30


@pytest.mark.parametrize("label", ["五" * 200, HOSTILE])
def test_names_that_take_many_bytes_make_fewer_rows(label: str) -> None:
    rows = [(label, [0.5, 0.5], ["50 %", "50 %"]) for _ in range(60)]
    dots = [(float(value), 0) for value in np.linspace(0, 1, 900)]
    swarm = swarm_figure("s", label[:60], label[:60], [(label, dots, "0.1 – 0.9") for _ in range(9)], TWIN, most=900)
    tree = tree_figure(
        "t", label[:60], Branch(label, "", "plain", tuple(Branch(label, "0.2") for _ in range(60))), TWIN
    )
    for block in (swarm, heat_figure("h", label[:60], ["one", "two"], rows), a_forest(60, label), tree):
        assert len(without_twin(drawn(block)).encode()) <= LARGEST


def without_twin(figure: str) -> str:
    """Return a figure without the table that is folded below it."""
    return re.sub("<details>.*?</details>", "", figure, flags=re.S)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_small_and_says_what_it_shows(name: str) -> None:
    made = drawn(FIGURES[name])
    assert len(without_twin(made).encode()) <= LARGEST
    assert " style=" not in made and "{{" not in made and "<table" in made
    if name in ("lines", "histograms", "points"):
        (svg,) = re.findall(r"<svg viewBox=.*?</svg>", made, re.S)
        assert re.search(r'role="img" aria-labelledby="(\w+)-t \1-d"', svg)
        assert re.search(r"<title id=[^>]*>[^<]+</title><desc id=[^>]*>[^<]+</desc>", svg)
    else:
        assert re.search(
            r'<figcaption id="(\w+)-t">.*?<table class="(rows|heat|tree)[^"]*" aria-labelledby="\1-t"', made, re.S
        )
    for svg in re.findall(r"<svg .*?</svg>", made, re.S):
        alone = re.sub(r"<g [^>]*(stroke|fill)=.*?</g>", "", svg, flags=re.S)
        for tag, attributes in re.findall(r"<(path|line|polyline) ([^>]*)/>", alone):
            shown = "fill=" in attributes or "stroke=" in attributes or 'stroke="#444"' in svg
            assert shown, f"{tag} shows without a style sheet"


@pytest.mark.parametrize("name", ["lines", "histograms", "points", "swarm", "forest"])
def test_every_axis_is_named_and_every_colour_has_a_key(name: str) -> None:
    made = drawn(FIGURES[name])
    if name == "forest":
        assert '<th scope="col" class="p">share<span' in made
        assert "limit</span>" in made
        return
    assert '<p class="key">' in made
    words = {"lines": "threshold share the threshold in use", "histograms": "score these those",
             "points": "loss", "swarm": "share few some many"}[name]  # fmt: skip
    assert all(word in made for word in words.split())


def a_flat(unit: str, digits: int) -> str:
    from evenhand.findings import Finding, Interval
    from evenhand.keys import Key

    ends = Interval(-1e-10, 1e-10, 0.95, "bootstrap")
    flat = Finding(Key.of("importance", "age"), "explanation", 2e-10, ends, support=9, unit=unit)  # type: ignore[arg-type]
    return drawn(figure("z", "Nothing", [("age", flat, "plain", None)], kind="bars", digits=digits))


def test_values_that_are_all_zero_have_no_axis() -> None:
    made = a_flat("share", 3)
    assert "<svg" not in made and "0.000 [0.000,\u00a00.000]" in made
    assert "<svg" in a_flat("seconds", 3), "what is measured in seconds may well be small"


def test_an_axis_has_the_unit_of_what_is_on_it() -> None:
    from evenhand.findings import Finding
    from evenhand.keys import Key

    size = Finding(Key.of("file_bytes"), "compression", 23_512.0, support=1, unit="bytes")
    made = drawn(figure("b", "Sizes", [("file", size, "plain", None)], kind="bars"))
    assert ">bytes<span" in made and "<i>10.0 kB</i>" in made
    gap = Finding(Key.of("recall_difference", "sex"), "fairness", 0.2, support=1)
    assert ">difference of shares<span" in drawn(figure("d", "Gap", [("sex", gap, "plain", None)]))
    both = drawn(figure("m", "Both", [("file", size, "plain", None), ("sex", gap, "plain", None)]))
    assert ">value<span" in both


def test_the_numbers_of_points_keep_clear_of_each_other() -> None:
    close = [(str(at), 10.0, 0.5 + 0.001 * at, "plain") for at in range(4)]
    made = point_figure("c", "", "", close, ("x", "y"), TWIN)  # type: ignore[arg-type]
    places = [(point.number_x, point.number_y) for point in made.points]
    assert len({(round(x / 10), round(y / 10)) for x, y in places}) == 4


def test_what_is_not_drawn_stands_in_the_table() -> None:
    heat, forest = FIGURES["heat"], FIGURES["forest"]
    assert sum(len(cells) for _, cells in heat.rows) <= MOST_CELLS  # type: ignore[union-attr]
    assert len(heat.table.rows) + heat.table.cut == 400  # type: ignore[union-attr]
    assert len(forest.table.rows) == 400  # type: ignore[union-attr]


def test_dots_and_nodes_are_bounded_and_the_extremes_are_drawn() -> None:
    swarm, tree = FIGURES["swarm"], FIGURES["tree"]
    paths = [path for strip in swarm.strips for _, path in strip.paths]  # type: ignore[union-attr]
    assert sum(path.count("M") for path in paths) <= MOST_DOTS
    assert 10 < len(tree.nodes) <= MOST_NODES  # type: ignore[union-attr]
    few = swarm_figure("s", "", "", [("", [(0.0, 0), (1.0, 2)], "")], TWIN)
    places = [int(x) for _, path in few.strips[0].paths for x in re.findall(r"M(\d+) ", path)]
    assert places[0] <= 2 and places[-1] >= 398


def test_both_histograms_have_the_same_area_and_lie_on_either_side() -> None:
    pair = histogram_pair("p", "", 0.0, 1.0, [("few", [1, 3]), ("many", [100, 300])])
    heights = [[float(y) for y in re.findall(r"V([\d.]+)H", outline.path)] for outline in pair.outlines]
    assert [pair.axis - y for y in heights[0]] == pytest.approx([y - pair.axis for y in heights[1]])
    assert heights[0][1] < heights[0][0] < pair.axis


def test_a_tree_shows_each_subgroup_below_the_one_it_narrows() -> None:
    from evenhand.findings import Finding, Interval
    from evenhand.keys import Key
    from evenhand.report.sections.slices import narrowing

    def row(**group: str) -> object:
        key = Key.of("error_rate_difference", group)
        finding = Finding(key, "slices", 0.1 * len(group), Interval(0.0, 1.0, 0.95, "newcombe"), support=9)
        return "", finding, "plain", None

    rows = [row(a="1"), row(a="1", b="2"), row(a="1", b="2", c="3"), row(d="4")]
    (tree,) = narrowing(rows)  # type: ignore[arg-type]
    assert [node.label for node in tree.nodes] == ["all rows", "a=1", "b=2", "c=3", "d=4"]  # type: ignore[union-attr]
    depth = [node.depth for node in tree.nodes]  # type: ignore[union-attr]
    assert depth == [*sorted(depth[:4]), depth[1]]
    assert narrowing(rows[:1]) == ()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def large() -> AuditRecord:
    """Six sensitive features of up to thirteen groups and all their crossings, measured by two audits."""
    rng = np.random.default_rng(1)
    rows = 4000
    table = pd.DataFrame(
        {f"feature {at}": rng.choice([named(f"{g}") for g in range(3 + 2 * at)], rows) for at in range(6)}
    )
    table["score"], table["y"] = rng.random(rows), rng.integers(0, 2, rows)
    data = eh.read_evaluation_set(table, label="y", favourable=1, sensitive_features=list(table.columns[:6]))
    return eh.audit(lambda X: X["score"].to_numpy(), data, audits=["performance", "fairness"])


def test_a_large_audit_is_cut_where_it_shows(large: AuditRecord) -> None:
    page = eh.render(large)
    assert len(page.encode()) <= MOST_BYTES
    assert re.search(r"\d+ more rows are in audit\.json|\d+ more parts about groups are in audit\.json", page)
    for svg in re.findall("<figure .*?</figure>", page, re.S):
        assert len(without_twin(svg).encode()) <= LARGEST
    ids = Counter(re.findall(r' id="([^"]+)"', page))
    assert [name for name, count in ids.items() if count > 1] == []
    assert len(re.findall("<[a-z]", page)) <= 30_000


def test_a_page_of_an_audit_with_nearly_everything_keeps_to_its_budget(rich: tuple[AuditRecord, Verdict]) -> None:
    for lang in ("en", "zh-CN"):
        page = eh.render(*rich, lang=lang)
        assert len(page.encode()) <= 300_000
        for part in re.findall("<figure .*?</figure>", page, re.S):
            drawings = re.findall("<svg viewBox.*?</svg>", part, re.S) if "distances" in part else [part]
            assert all(len(without_twin(drawing).encode()) <= LARGEST for drawing in drawings)
    assert eh.render(*rich) == eh.render(*rich)


def test_no_row_of_the_data_is_shown(rich: tuple[AuditRecord, Verdict]) -> None:
    """The figures of single rows are nowhere on the page: numbers of many digits come from no aggregate shown."""
    rng = np.random.default_rng(4)
    rng.choice(["none", "score", "group"], 1200, p=[0.7, 0.28, 0.02])
    incomes = rng.normal(size=1200)
    page = eh.render(*rich)
    assert not [value for value in incomes[:300] if f"{value:.6f}" in page or repr(float(value)) in page]


def test_numbers_keep_out_of_templates() -> None:
    """Templates add constants to places; what is computed from values comes from tested functions."""
    from importlib.resources import files

    text = files("evenhand.report.templates").joinpath("partials/charts.svg.j2").read_text("utf-8")
    for inside in re.findall(r"{{(.*?)}}", text):
        found = re.sub(r"\[[^\]]*\]", "", inside)
        assert not re.search(r"[*]|\w\s*/\s*\w+\.", found), inside
