"""Each thing has its alarms, and one fault pages once."""

import json
import re
from pathlib import Path

from plan import drop, rule

ALARMS = json.loads((Path(__file__).resolve().parents[2] / "alarms.json").read_text())

# What there is once, and the types that it may be of. Aurora's disk grows without end, serverless Kafka has no brokers.
WATCHED = {
    "database": ("aws_db_instance", "aws_rds_cluster"),
    "database-disk": ("aws_db_instance",),
    "documents": ("aws_docdb_cluster",),
    "brokers": ("aws_msk_cluster",),
}


def wanted_alarms(plan):
    names = []
    for alarm in ALARMS["alarms"]:
        kind = alarm["for"]
        for name, manifest in plan.manifests.items():
            triggers = manifest.get("triggers", [])
            if kind == "each-function" or kind == "each-schedule" and any("schedule" in it for it in triggers):
                names.append(f"{alarm['name']}-{name}")
            expressions = [it.get("schedule", {}).get("expression", "rate(1 minute)") for it in triggers]
            if kind == "each-scheduled" and expressions and "rate(1 minute)" not in expressions:
                names.append(f"{alarm['name']}-{name}")
            if kind == "each-mapping":
                names += [f"{alarm['name']}-{name}-{it['kafka']['topic']}" for it in triggers if "kafka" in it]
            if kind == f"function:{name}":
                names.append(alarm["name"])
        if kind in WATCHED and plan.of(*WATCHED[kind]):
            names.append(alarm["name"])
        if kind == "each-broker":
            names += [
                f"{alarm['name']}-{broker + 1}"
                for it in plan.of("aws_msk_cluster")
                for broker in range(it["number_of_broker_nodes"])
            ]
    return {f"{plan.name}-{name}" for name in names}


@rule("Each function, mapping, schedule and service has its alarms", drop("aws_cloudwatch_metric_alarm"))
def alarms(plan):
    found = {
        it["alarm_name"] for it in plan.of("aws_cloudwatch_metric_alarm") if it.address.startswith("module.alarms.")
    }
    yield from (f"{name}: in the plan or wanted by alarms.json, not both" for name in found ^ wanted_alarms(plan))


def pages(plan):
    composites = plan.of("aws_cloudwatch_composite_alarm")
    return [it for it in composites if it.address.startswith("module.alarms.aws_cloudwatch_composite_alarm.page[")]


def members(alarm):
    return set(re.findall(r'ALARM\("([^"]+)"\)', alarm["alarm_rule"]))


@rule(
    "Each alarm pages by exactly one group, and names its section of the runbook",
    lambda plan: pages(plan)[0].values.update(alarm_rule="FALSE"),
)
def paging(plan):
    for alarm in plan.of("aws_cloudwatch_metric_alarm"):
        if "runbook.md#" not in alarm["alarm_description"]:
            yield f"{alarm['alarm_name']}: no runbook"
        if alarm.address.startswith("module.alarms."):
            count = sum(alarm["alarm_name"] in members(page) for page in pages(plan))
            if count != 1 or alarm["alarm_actions"]:
                yield f"{alarm['alarm_name']}: is in {count} groups"
    for page in pages(plan):
        if not page["alarm_actions"] or not page["ok_actions"]:
            yield f"{page['alarm_name']}: tells nobody"


@rule(
    "Each page keeps quiet for the critical alarms that may explain it, and for no others",
    lambda plan: next(it for it in pages(plan) if it["actions_suppressor"]).values.update(actions_suppressor=[]),
)
def silencing(plan):
    composites = {it["alarm_name"]: members(it) for it in plan.of("aws_cloudwatch_composite_alarm")}
    silenced_by = {group["name"]: group["silenced_by"] for group in ALARMS["groups"]}
    for page in pages(plan):
        group, severity = page.index.rsplit("-", 1)
        explanations = silenced_by[group] + ([group] if severity == "warning" else [])
        wanted = set().union(*(composites.get(f"{plan.name}-{name}-critical", set()) for name in explanations))
        found = set().union(*(composites[it["alarm"]] for it in page["actions_suppressor"]))
        yield from (f"{page.index}: {alarm} silences it or should, not both" for alarm in sorted(found ^ wanted))
