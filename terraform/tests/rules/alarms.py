"""Each thing has its alarms, and one fault pages once."""

import json
from pathlib import Path

from plan import drop, rule, set_on

ALARMS = json.loads((Path(__file__).resolve().parents[2] / "alarms.json").read_text())


def wanted_alarms(plan):
    names = []
    for alarm in ALARMS["alarms"]:
        kind = alarm["for"]
        for name, manifest in plan.manifests.items():
            triggers = manifest.get("triggers", [])
            if kind == "each-function" or kind == "each-schedule" and any("schedule" in it for it in triggers):
                names.append(f"{alarm['name']}-{name}")
            if kind == "each-mapping":
                names += [f"{alarm['name']}-{name}-{it['kafka']['topic']}" for it in triggers if "kafka" in it]
            if kind == f"function:{name}":
                names.append(alarm["name"])
        present = {
            "database": "aws_db_instance",
            "database-disk": "aws_db_instance",
            "documents": "aws_docdb_cluster",
            "brokers": "aws_msk_cluster",
        }
        if kind in present and plan.of(present[kind]):
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


@rule(
    "Each alarm pages by exactly one group, and names its section of the runbook",
    set_on("aws_cloudwatch_composite_alarm", alarm_rule="FALSE"),
)
def paging(plan):
    groups = plan.of("aws_cloudwatch_composite_alarm")
    for alarm in plan.of("aws_cloudwatch_metric_alarm"):
        if "runbook.md#" not in alarm["alarm_description"]:
            yield f"{alarm['alarm_name']}: no runbook"
        if alarm.address.startswith("module.alarms."):
            count = sum(f'ALARM("{alarm["alarm_name"]}")' in group["alarm_rule"] for group in groups)
            if count != 1 or alarm["alarm_actions"]:
                yield f"{alarm['alarm_name']}: is in {count} groups"
    for group in groups:
        if not group["alarm_actions"] or not group["ok_actions"]:
            yield f"{group['alarm_name']}: tells nobody"
