"""Extract every message id, and bring the catalogues in reports/locale up to date: `make messages`.

Ids are the literal first arguments of `message(...)`, `messages(one, other, ...)` and the like, what
templates say by `_("...")` or ``trans``, and the words of metrics, of rules and standards, and of rule packs.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SOURCE, LOCALE, TEMPLATES = ROOT / "src" / "evenhand", ROOT / "reports" / "locale", ROOT / "reports" / "templates"
Found: TypeAlias = tuple[str | tuple[str, str], str]
"""An id, or one with its plural, and the file it is from."""
CALLS = {"message": 1, "messages": 2, "joined": 1, "not_applicable": 1, "NotThisWay": 1}
"""What makes messages, and how many first arguments are ids."""


def extracted() -> Catalog:
    """Return the template: every id of the source, of templates and of the catalogues of metrics and rules."""
    catalog = Catalog(project="evenhand", charset="utf-8")
    for id, place in (*_of_code(), *_of_templates(), *_of_metrics(), *_of_rules()):
        one = id if isinstance(id, str) else id[0]
        if one.strip():
            catalog.add(id, locations=[(place, 0)])
    return _plain(catalog)


def _of_code() -> Iterator[Found]:
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in CALLS:
                ids = [_literals(part) for part in node.args[: CALLS[name]]]
                for found in zip(*ids, strict=True) if all(ids) else ():
                    yield found[0] if len(found) == 1 else (found[0], found[1]), str(file.relative_to(ROOT))


def _literals(node: ast.expr) -> list[str]:
    """Return the text of a literal, or those of both branches of a condition."""
    if isinstance(node, ast.IfExp):
        return [*_literals(node.body), *_literals(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _of_templates() -> Iterator[Found]:
    from jinja2.ext import babel_extract

    for file in sorted(TEMPLATES.rglob("*.j2")):
        options = {"extensions": "jinja2.ext.i18n", "trimmed": "true"}
        for _, _, ids, _ in babel_extract(BytesIO(file.read_bytes()), ("_", "gettext", "ngettext"), [], options):
            found = [ids] if isinstance(ids, str) else [part for part in ids if part]
            yield found[0] if len(found) == 1 else (found[0], found[1]), str(file.relative_to(ROOT))


def _of_metrics() -> Iterator[Found]:
    from evenhand.messages import LIST, Message
    from evenhand.metrics import describe, names

    def ids(text: object) -> Iterator[str]:
        if isinstance(text, tuple):
            yield from (id for part in text for id in ids(part))
        elif isinstance(text, Message):
            if LIST not in text.places:
                yield text.id[:1].upper() + text.id[1:]
            yield from (id for part in text.places.values() for id in ids(part))

    for name in names():
        entry = describe(name)
        for text in (entry.label, entry.meaning, entry.misleads):
            yield from ((id, "src/evenhand/metrics/catalogue") for id in ids(text))


def _of_rules() -> Iterator[Found]:
    for file in sorted((SOURCE / "report" / "controls").glob("*.toml")):
        content = tomllib.loads(file.read_text("utf-8"))
        told = [content[name] for name in ("title", "scope") if name in content]
        told += [
            clause[name] for clause in content["clauses"] for name in ("text", "doubt", "later_for") if name in clause
        ]
        yield from ((said, str(file.relative_to(ROOT))) for said in told)
    for file in sorted((SOURCE / "policy" / "packs").glob("*.toml")):
        for limit in tomllib.loads(file.read_text("utf-8"))["limits"].values():
            if "note" in limit:
                yield limit["note"], str(file.relative_to(ROOT))


def _plain(catalog: Catalog) -> Catalog:
    """Return the catalogue without flags of formats: ids are formatted by `str.format`, and "80 % chance" is none."""
    for entry in catalog:
        entry.flags -= {"python-format", "python-brace-format"}
    return catalog


def main() -> None:
    """Bring every catalogue up to date, and say what lacks a translation."""
    template = extracted()
    for place in sorted(LOCALE.glob("*.po")):
        with place.open("rb") as file:
            catalog = read_po(file, locale=place.stem)
        created = catalog.creation_date
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        catalog.creation_date = created
        out = BytesIO()
        write_po(out, _plain(catalog), width=118, sort_by_file=True, include_lineno=False)
        place.write_bytes(out.getvalue())
        lacking = [entry.id for entry in catalog if entry.id and not (entry.string and all(entry.string))]
        sys.stdout.write(f"{place.name}: {len(catalog)} messages, {len(lacking)} without a translation\n")
        sys.stdout.writelines(f"  {id}\n" for id in lacking)


if __name__ == "__main__":
    main()
