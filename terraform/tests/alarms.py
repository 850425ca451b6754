#!/usr/bin/env python3
"""Holds three lists together: the alarms of terraform/alarms.json, their sections in docs/runbook.md, and the metrics that
functions emit (docs/metrics.md, which a test of crates/lambda-support compares with the code). Exit status 1 when they differ."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def documented_metrics():
    """Each metric of docs/metrics.md: its unit, its dimensions, and what is said of the alarms on it."""
    metrics = {}
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if line.startswith("| `"):
            name, unit, dimensions, _, alarms = [cell.strip() for cell in line.strip("|").split("|")]
            metrics[name.strip("`")] = unit, set(dimensions.split(", ")), alarms
    return metrics


def findings():
    document = json.loads((ROOT / "terraform/alarms.json").read_text())
    alarms, groups = document["alarms"], {group["name"]: group["silenced_by"] for group in document["groups"]}
    sections = re.findall(r"^## ([a-z-]+)$", (ROOT / "docs/runbook.md").read_text(), flags=re.MULTILINE)
    metrics = documented_metrics()
    functions = {path.parent.name for path in ROOT.glob("functions/*/function.json")}
    kinds = {"each-function", "each-mapping", "each-schedule", "each-scheduled", "each-broker", "database", "database-disk", "documents", "brokers"}

    names = [alarm["name"] for alarm in alarms]
    yield from (f"{name}: no section in docs/runbook.md" for name in names if name not in sections)
    yield from (f"{name}: a section of docs/runbook.md about no alarm" for name in sections if name not in names)
    yield from (f"{name}: twice" for name in sorted({name for name in names if names.count(name) > 1}))
    for name, silencers in groups.items():
        if not any(alarm["group"] == name for alarm in alarms):
            yield f"group {name}: has no alarm"
        for by in silencers:
            if by == name or not any((it["group"], it["severity"]) == (by, "critical") for it in alarms):
                yield f"group {name}: silenced by {by}, which is no other group with a critical alarm"
    for alarm in alarms:
        if alarm["namespace"] == "Millrace":
            unit, dimensions, _ = metrics.get(alarm["metric"], (None, set(), ""))
            if unit is None:
                yield f"{alarm['name']}: no function emits {alarm['metric']}"
            elif unit != alarm["unit"] or dimensions != set(alarm["dimensions"]):
                yield f"{alarm['name']}: {alarm['metric']} is emitted in {unit} by {', '.join(sorted(dimensions))}"
        if alarm["group"] not in groups:
            yield f"{alarm['name']}: {alarm['group']} is no group"
        if alarm["for"] not in kinds and alarm["for"].removeprefix("function:") not in functions:
            yield f"{alarm['name']}: there is no {alarm['for']}"
    for metric, (_, _, said) in metrics.items():
        told = re.findall(r"\[([a-z-]+)\]", said)
        watching = [alarm["name"] for alarm in alarms if (alarm["namespace"], alarm["metric"]) == ("Millrace", metric)]
        if told != watching:
            yield f"{metric}: docs/metrics.md says that {told} watch it, alarms.json {watching}"
        if not watching and not re.fullmatch("– .+", said):
            yield f"{metric}: docs/metrics.md does not say why it has no alarm"
        yield from (f"{metric}: {name}, which tells of it, is no alarm" for name in re.findall("`([a-z-]+)`", said) if name not in names)


def main():
    wrong = list(findings())
    print("\n".join(wrong) or "alarms: each has its runbook section, its group and a metric that is emitted; each metric names its alarms")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
