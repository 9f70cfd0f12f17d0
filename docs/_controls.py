"""Say which rules and standards are to be looked up again: exit 1 where one is older than 180 days."""

from evenhand.report.sections.controls import OLD, frameworks, outdated, today

if __name__ == "__main__":
    found = list(outdated(today()))
    print("\n".join(found) or f"All {len(frameworks())} files were looked up within {OLD.days} days.")
    raise SystemExit(bool(found))
