#!/usr/bin/env python3
"""Makes infra/sam/template.yaml from functions/*/function.json: `generate.py`, or `generate.py --check` to see that it is
what the manifests say. With --check the exit status is 1 when it is not.

--check also sees that each function has a sample event, and that it is one that its triggers send. The template is for `sam
local`: what a function is and what invokes it. AWS is provisioned by terraform/.
"""

import base64
import binascii
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra/sam/template.yaml"
EVENTS = ROOT / "infra/sam/events"


def on_host(text):
    return {"Fn::Sub": text}


# What a function is given by its needs on a laptop: the services of scripts/up, as a container sees them. What is empty is a
# home's own secret: scripts/invoke fills it in, and `sam local` takes no variable that does not stand here.
VARIABLES = {
    "mysql": {"MILLRACE_MYSQL_URL": on_host("mysql://millrace@${Host}:8003/millrace"), "MILLRACE_MYSQL_PASSWORD": ""},
    "documents": {
        "MILLRACE_DOCUMENTS_URL": on_host("mongodb://${Host}:8004/?retryWrites=false"),
        "MILLRACE_DOCUMENTS_DATABASE": "millrace",
    },
    "objects": {"MILLRACE_OBJECTS_ENDPOINT": on_host("http://${Host}:8005"), "MILLRACE_OBJECTS_BUCKET": "millrace"},
    "kafka": {"MILLRACE_KAFKA_BROKERS": on_host("${Host}:8001")},
    "session": {"MILLRACE_DASHBOARD_PASSWORD_HASH": "", "MILLRACE_SESSION_SECRET": ""},
}
# The function that keeps the schema signs in as its owner.
SCHEMA_OWNER = "migrate"
OWNER_VARIABLES = {"MILLRACE_MYSQL_URL": on_host("mysql://root@${Host}:8003/millrace")}
HOST = {
    "Type": "String",
    "Default": "host.docker.internal",
    "Description": "This machine, as a container reaches it; 127.0.0.1 in the host's own network (Linux)",
}
CLUSTER = {
    "Type": "String",
    "Default": "arn:aws:kafka:eu-central-1:000000000000:cluster/millrace/00000000-0000-0000-0000-000000000000-0",
}


def title(name):
    return "".join(part.title() for part in name.replace("_", "-").split("-"))


def logical_id(name):
    """The function's own name, so that `sam local invoke rate` finds it: letters and digits, as CloudFormation wants."""
    return name.replace("-", "")


def event(trigger):
    kind, said = next(iter(trigger.items()))
    if kind == "kafka":
        properties = {
            "Stream": {"Ref": "KafkaClusterArn"},
            "Topics": [said["topic"]],
            "StartingPosition": said["starting_position"],
            "ConsumerGroupId": said["consumer_group"],
            "BatchSize": said.get("batch_size", 100),
        }
        return title(said["topic"]), {"Type": "MSK", "Properties": properties}
    if kind == "schedule":
        properties = {
            "ScheduleExpression": said["expression"],
            "ScheduleExpressionTimezone": said.get("timezone", "UTC"),
            "Input": json.dumps(said.get("input", {}), separators=(",", ":")),
            "RetryPolicy": {"MaximumRetryAttempts": said.get("maximum_retry_attempts", 0)},
        }
        return title(said["name"]), {"Type": "ScheduleV2", "Properties": properties}
    properties = {"Path": said["path"], "Method": "ANY", "PayloadFormatVersion": "2.0"}
    return "Page", {"Type": "HttpApi", "Properties": properties}


def function(name, manifest):
    variables = {}
    for need in manifest.get("needs", []):
        variables |= VARIABLES[need]
    if name == SCHEMA_OWNER:
        variables |= OWNER_VARIABLES
    variables |= manifest.get("environment", {})
    properties = {
        "FunctionName": f"millrace-{name}",
        "Description": manifest["description"],
        "CodeUri": f"../../target/lambda/{name}/bootstrap.zip",
        "Timeout": manifest["timeout_seconds"],
        "MemorySize": manifest["memory_mb"],
        "ReservedConcurrentExecutions": manifest.get("concurrency", 1),
        "Environment": {"Variables": dict(sorted(variables.items()))},
    }
    events = dict(event(trigger) for trigger in manifest.get("triggers", []))
    if events:
        properties["Events"] = events
    return {"Type": "AWS::Serverless::Function", "Properties": properties}


def manifests():
    paths = sorted(ROOT.glob("functions/*/function.json"))
    return {path.parent.name: json.loads(path.read_text()) for path in paths}


def template():
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": "Millrace's functions for sam local; made by infra/sam/generate.py from functions/*/function.json",
        "Parameters": {"Host": HOST, "KafkaClusterArn": CLUSTER},
        "Globals": {"Function": {"Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": ["arm64"]}},
        "Resources": {logical_id(name): function(name, manifest) for name, manifest in manifests().items()},
    }


def yaml(value, depth=0):
    """The little YAML that a template needs: blocks of mappings and lists, and every text quoted as JSON quotes it."""
    indent = "  " * depth
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, (dict, list)) and inner:
                yield f"{indent}{key}:"
                yield from yaml(inner, depth + 1)
            else:
                yield f"{indent}{key}: {json.dumps(inner, ensure_ascii=False)}"
    else:
        for inner in value:
            yield f"{indent}- {json.dumps(inner, ensure_ascii=False)}"


def faults_of(name, manifest):
    """What is wrong with a function's sample event, a line each."""
    path = EVENTS / f"{name}.json"
    if not path.is_file():
        yield "is missing"
        return
    event, triggers = json.loads(path.read_text()), manifest.get("triggers", [])
    topics = {it["kafka"]["topic"] for it in triggers if "kafka" in it}
    if topics:
        records = [record for partition in event.get("records", {}).values() for record in partition]
        if not records or {record["topic"] for record in records} - topics:
            yield f"must hold records of {', '.join(sorted(topics))}"
        for record in records:
            try:
                json.loads(base64.b64decode(record["value"], validate=True))
            except (binascii.Error, ValueError) as error:
                yield f"the record at offset {record['offset']} is no JSON in base64: {error}"
    elif any("http" in it for it in triggers):
        if event.get("version") != "2.0" or "requestContext" not in event:
            yield "must be an HTTP API's request of version 2.0"
    elif event != {} and event not in [it["schedule"].get("input", {}) for it in triggers]:
        yield "must be what a schedule of the manifest sends, or empty"


def main():
    text = (
        "# Made by infra/sam/generate.py from functions/*/function.json; change those.\n"
        + "\n".join(yaml(template()))
        + "\n"
    )
    if sys.argv[1:] == []:
        TEMPLATE.write_text(text)
        return 0
    if sys.argv[1:] != ["--check"]:
        print(__doc__)
        return 0 if sys.argv[1:] in (["--help"], ["-h"]) else 2
    wrong = []
    if not TEMPLATE.is_file() or TEMPLATE.read_text() != text:
        wrong.append("infra/sam/template.yaml is not what the manifests say: run infra/sam/generate.py")
    all_manifests = manifests()
    for name, manifest in all_manifests.items():
        wrong += [f"infra/sam/events/{name}.json {fault}" for fault in faults_of(name, manifest)]
    others = {path.stem for path in EVENTS.glob("*.json")} - all_manifests.keys()
    wrong += [f"infra/sam/events/{name}.json is of no function" for name in sorted(others)]
    print("\n".join(wrong) or f"SAM: {len(all_manifests)} functions and their events")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
