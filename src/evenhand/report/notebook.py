"""Show a record in a notebook: the page in an iframe. Records do not render themselves."""

from __future__ import annotations

import html as escaping
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord


def frame(record: AuditRecord) -> str:
    """Return the page in a sandboxed iframe, so that its style stays inside."""
    from evenhand.report.formats.html import html

    page = escaping.escape(html(record), quote=True)
    return f'<iframe title="evenhand audit" sandbox="" width="100%" height="640" srcdoc="{page}"></iframe>'


def register() -> None:
    """Register the display of records with a running IPython; do nothing elsewhere."""
    shell_of = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = shell_of() if shell_of is not None else None
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/html"]
        formatter.for_type_by_name("evenhand.findings", "AuditRecord", frame)
