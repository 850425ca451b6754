#!/usr/bin/env python3
"""Makes infra/sam/template.yaml from functions/*/function.json: `generate.py`, or `generate.py --check` to see that it is
what the manifests say. With --check the exit status is 1 when it is not.

The template is for `sam local`: what a function is and what invokes it. AWS is provisioned by terraform/.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra/sam/template.yaml"
EVENTS = ROOT / "infra/sam/events"

# What a function is given by its needs on a laptop: the services of scripts/up, as a container sees them.
VARIABLES = {
    "mysql": {"MILLRACE_MYSQL_URL": "mysql://millrace@host.docker.internal:8003/millrace", "MILLRACE_MYSQL_PASSWORD": ""},
    "documents": {"MILLRACE_DOCUMENTS_URL": "mongodb://host.docker.internal:8004/?retryWrites=false", "MILLRACE_DOCUMENTS_DATABASE": "millrace"},
    "objects": {"MILLRACE_OBJECTS_ENDPOINT": "http://host.docker.internal:8005", "MILLRACE_OBJECTS_BUCKET": "millrace"},
    "kafka": {"MILLRACE_KAFKA_BROKERS": "host.docker.internal:8001"},
    "session": {"MILLRACE_DASHBOARD_PASSWORD_HASH": "", "MILLRACE_SESSION_SECRET": ""},
}


def title(name):
    return "".join(part.title() for part in name.replace("_", "-").split("-"))


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


def template():
    manifests = {path.parent.name: json.loads(path.read_text()) for path in sorted(ROOT.glob("functions/*/function.json"))}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": "Millrace's functions for sam local; made by infra/sam/generate.py from functions/*/function.json",
        "Parameters": {"KafkaClusterArn": {"Type": "String", "Default": "arn:aws:kafka:eu-central-1:000000000000:cluster/millrace/00000000-0000-0000-0000-000000000000-0"}},
        "Globals": {"Function": {"Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": ["arm64"]}},
        "Resources": {f"{title(name)}Function": function(name, manifest) for name, manifest in manifests.items()},
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


def main():
    text = "# Made by infra/sam/generate.py from functions/*/function.json; change those.\n" + "\n".join(yaml(template())) + "\n"
    if sys.argv[1:] == []:
        TEMPLATE.write_text(text)
        return 0
    if sys.argv[1:] != ["--check"]:
        print(__doc__)
        return 0 if sys.argv[1:] in (["--help"], ["-h"]) else 2
    wrong = []
    if not TEMPLATE.is_file() or TEMPLATE.read_text() != text:
        wrong.append("infra/sam/template.yaml is not what the manifests say: run infra/sam/generate.py")
    names = {path.parent.name for path in ROOT.glob("functions/*/function.json")}
    events = {path.stem for path in EVENTS.glob("*.json")}
    wrong += [f"infra/sam/events/{name}.json is missing" for name in sorted(names - events)]
    wrong += [f"infra/sam/events/{name}.json is of no function" for name in sorted(events - names)]
    for path in EVENTS.glob("*.json"):
        json.loads(path.read_text())
    print("\n".join(wrong) or f"SAM: {len(names)} functions and their events")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
