#!/usr/bin/env python3
"""Holds the data sets of modules/bi/views.tf to the views of docs/views.md and of migrations/: the same views, each with the same
columns in the same order. Exit status 1 when they differ."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def documented():
    text = (ROOT / "docs/views.md").read_text()
    return {view: columns.split(", ") for view, columns in re.findall(r"^\| `(bi_\w+)` \|.*\| ([^|]+) \|$", text, re.MULTILINE)}


def planned():
    text = (ROOT / "terraform/modules/bi/views.tf").read_text()
    views = re.findall(r"^    (bi_\w+) = \[$(.*?)^    \]$", text, re.MULTILINE | re.DOTALL)
    return {view: re.findall(r'name = "(\w+)"', columns) for view, columns in views}


def migrated():
    files = (file.read_text() for file in (ROOT / "migrations").glob("*.sql"))
    return {view for text in files for view in re.findall(r"CREATE OR REPLACE VIEW (bi_\w+)", text)}


def findings():
    wanted, found, made = documented(), planned(), migrated()
    yield from (f"{view}: in docs/views.md or in migrations, not in both" for view in sorted(wanted.keys() ^ made))
    for view in sorted(wanted.keys() | found.keys()):
        if wanted.get(view) != found.get(view):
            yield f"{view}: docs/views.md has {wanted.get(view)}, views.tf {found.get(view)}"


def main():
    wrong = list(findings())
    print("\n".join(wrong) or f"views: {len(documented())} are documented, made and data sets of QuickSight")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
