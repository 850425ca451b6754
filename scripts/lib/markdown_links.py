#!/usr/bin/env python3
"""Sees that every relative link of the repository's Markdown leads to a file or folder that git knows or would, and every anchor to
a heading: `markdown_links.py`. Exit status 1 when one does not, with a line for each. Addresses elsewhere are not asked for.
"""

import html
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$")
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
# A link or picture, whose text may hold one in brackets itself, and the targets of reference definitions.
LINK = re.compile(r"\]\(\s*(?:<([^<>]*)>|([^()\s]*(?:\([^()\s]*\)[^()\s]*)*))(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)")
DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s<>]+)>?")
NAMED = re.compile(r"<a\s[^>]*\b(?:id|name)=[\"']([^\"']+)[\"']", re.IGNORECASE)
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def prose(text):
    """The lines with their numbers, but for blocks of code."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        found = FENCE.match(line)
        if fence:
            # A block ends with as many of the same sign, and nothing after them.
            if found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
        elif found:
            fence = found[1]
        else:
            yield number, line


def slug(heading):
    """The anchor that GitHub makes of a heading: its text in lower case, spaces as dashes, without signs but dash and underscore."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"<[^>]+>", "", text)
    text = re.sub(r"(?<!\w)(\*{1,3}|_{1,3})([^`]+?)\1(?!\w)", r"\2", text)
    text = html.unescape(text).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text):
    """Every anchor of a document; a heading that stands again has a number behind its own."""
    found = set()
    for _, line in prose(text):
        found.update(NAMED.findall(line))
        heading = HEADING.match(line)
        if heading:
            anchor = base = slug(heading[1])
            again = 0
            while anchor in found:
                again += 1
                anchor = f"{base}-{again}"
            found.add(anchor)
    return found


def targets(text):
    """The targets of all links, with their lines. Links don't reach over lines in these documents."""
    for number, line in prose(text):
        definition = DEFINITION.match(line)
        if definition:
            yield number, definition[1]
        for bracketed, plain in LINK.findall(CODE.sub("", line)):
            yield number, bracketed or plain


def git_files():
    """What git holds or would: a link to what a build leaves behind breaks in a fresh clone."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    return {ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()}


def faults():
    files = git_files()
    known = files | {folder for file in files for folder in file.parents}
    documents = {file: file.read_text(encoding="utf-8") for file in sorted(files) if file.suffix == ".md"}
    headings = {file: anchors(text) for file, text in documents.items()}
    links = 0
    told = []
    for file, text in documents.items():
        for number, target in targets(text):
            if ELSEWHERE.match(target):
                continue
            links += 1
            path, _, anchor = urllib.parse.unquote(target).partition("#")
            # A path from the root is the repository's, as GitHub reads it.
            place = (ROOT / path.lstrip("/") if path.startswith("/") else file.parent / path) if path else file
            resolved = place.resolve()
            where = f"{file.relative_to(ROOT)}:{number}: {target}"
            if resolved not in known:
                told.append(f"{where}: there is no such file")
            elif anchor and resolved in headings and anchor not in headings[resolved]:
                told.append(f"{where}: {resolved.relative_to(ROOT)} has no such heading")
    return told, links, len(documents)


def main():
    told, links, documents = faults()
    for line in told:
        print(line, file=sys.stderr)
    if told:
        return 1
    print(f"{links} links of {documents} documents lead somewhere")
    return 0


if __name__ == "__main__":
    sys.exit(main())
