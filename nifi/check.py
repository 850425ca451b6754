#!/usr/bin/env python3
"""Holds flow.json to rules, without a NiFi: `check.py`, or `check.py FLOW` for a flow exported from one.

A rule is a sentence; before it is trusted it must find the fault that is put into a copy of the flow for it. Exit status 1
when the flow breaks a rule, or a rule does not find its fault.
"""

import copy
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
IMAGE = (HERE / "Dockerfile").read_text()
TOPICS = (HERE.parent / "docs" / "topics.md").read_text()

# What each type of processor hands on. RouteOnAttribute has a relationship of its own for each property that a person adds.
RELATIONSHIPS = {
    "ListFile": {"success"},
    "FetchFile": {"success", "not.found", "permission.denied", "failure"},
    "ListS3": {"success"},
    "FetchS3Object": {"success", "failure"},
    "CopyS3Object": {"success", "failure"},
    "DeleteS3Object": {"success", "failure"},
    "UpdateAttribute": {"success"},
    "RouteOnAttribute": {"unmatched"},
    "ConvertRecord": {"success", "failure"},
    "PublishKafka": {"success", "failure"},
}
# Where a file that fails still lies in the folder or bucket; from anywhere else it must be led to an end.
KEEP_THE_FILE = {"FetchFile", "CopyS3Object", "DeleteS3Object"}
SECRET = re.compile(r"AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|-----BEGIN|password|secret|://[^/\s]*:[^/\s]*@", re.IGNORECASE)
RULES = []


class Flow:
    """A flow definition, as the rules look at it."""

    def __init__(self, definition):
        self.definition = definition
        self.group = definition["flowContents"]
        self.processors = {it["identifier"]: it for it in self.group["processors"]}
        self.services = {it["identifier"]: it for it in self.group["controllerServices"]}
        self.connections = self.group["connections"]

    def named(self, name):
        return next(it for it in self.group["processors"] + self.group["controllerServices"] if it["name"] == name)

    def components(self):
        return [*self.processors.values(), *self.services.values()]

    def parameters(self):
        return {it["name"]: it for context in self.definition["parameterContexts"].values() for it in context["parameters"]}


def short(component):
    return component["type"].rsplit(".", 1)[-1]


def relationships(processor):
    added = {name for name, it in processor["propertyDescriptors"].items() if it.get("dynamic")}
    return RELATIONSHIPS[short(processor)] | (added if short(processor) == "RouteOnAttribute" else set())


def rule(sentence, spoil):
    """Registers a rule that yields what breaks it; `spoil` puts a fault into a flow for it."""

    def register(function):
        RULES.append((sentence, spoil, function))
        return function

    return register


def spoil_id(flow):
    flow.connections[0]["identifier"] = flow.connections[1]["identifier"]


@rule("every identifier stands once, in this group", spoil_id)
def identifiers(flow):
    seen = {flow.group["identifier"]}
    for it in [*flow.components(), *flow.connections]:
        if it["identifier"] in seen:
            yield f"{it['identifier']} stands twice"
        seen.add(it["identifier"])
        if it["groupIdentifier"] != flow.group["identifier"]:
            yield f"{it['identifier']} is of another group"


def spoil_end(flow):
    flow.connections[3]["destination"]["id"] = "00000000-0000-0000-0000-000000000000"


@rule("both ends of a connection are processors of the flow, by id and name", spoil_end)
def ends(flow):
    for it in flow.connections:
        for end in (it["source"], it["destination"]):
            processor = flow.processors.get(end["id"])
            if processor is None or end["type"] != "PROCESSOR" or end["groupId"] != flow.group["identifier"]:
                yield f"{end['name']} ({end['id']}) is no processor"
            elif processor["name"] != end["name"]:
                yield f"{end['id']} is named {processor['name']}, the connection says {end['name']}"


def spoil_relationship(flow):
    flow.connections[:] = [it for it in flow.connections if it["selectedRelationships"] != ["unmatched"]]


@rule("every relationship is either connected or ended, and exists", spoil_relationship)
def every_relationship(flow):
    for processor in flow.processors.values():
        known = relationships(processor)
        out = [it for it in flow.connections if it["source"]["id"] == processor["identifier"]]
        connected = {name for it in out for name in it["selectedRelationships"]}
        ended = set(processor["autoTerminatedRelationships"])
        for name in sorted((connected | ended | set(processor["retriedRelationships"])) - known):
            yield f"{processor['name']} has no relationship {name}"
        for name in sorted(known - connected - ended):
            yield f"{processor['name']}: {name} leads nowhere"
        for name in sorted(connected & ended):
            yield f"{processor['name']}: {name} is connected and ended"


def spoil_loss(flow):
    flow.named("Read JSON")["autoTerminatedRelationships"] = ["failure"]


@rule("a relationship ends only where the file lies in its folder or bucket", spoil_loss)
def nothing_is_lost(flow):
    for processor in flow.processors.values():
        if processor["autoTerminatedRelationships"] and short(processor) not in KEEP_THE_FILE:
            yield f"{processor['name']} ends {', '.join(processor['autoTerminatedRelationships'])}"


def spoil_failure(flow):
    next(it for it in flow.connections if it["source"]["name"] == "Send the records" and it["selectedRelationships"] == ["failure"])[
        "selectedRelationships"
    ] = ["success"]


@rule("what can't be read or sent is set aside, what was sent is done", spoil_failure)
def outcomes(flow):
    led = {(it["source"]["name"], name, it["destination"]["name"]) for it in flow.connections for name in it["selectedRelationships"]}
    for name, relationship, end in [
        ("Read the object", "failure", "Set aside"),
        ("Tell the format", "unmatched", "Set aside"),
        ("Read JSON", "failure", "Set aside"),
        ("Read CSV", "failure", "Set aside"),
        ("Send the records", "failure", "Set aside"),
        ("Send the records", "success", "Done"),
    ]:
        if [it for it in led if it[:2] == (name, relationship)] != [(name, relationship, end)]:
            yield f"{name}: {relationship} does not lead to {end} alone"


def spoil_pressure(flow):
    flow.connections[5]["backPressureObjectThreshold"] = 0


@rule("a full queue holds its source back, and nothing in it gets too old", spoil_pressure)
def back_pressure(flow):
    for it in flow.connections:
        if it["backPressureObjectThreshold"] < 1 or not re.fullmatch(r"[1-9]\d* (KB|MB|GB)", it["backPressureDataSizeThreshold"]):
            yield f"{it['source']['name']} to {it['destination']['name']} has no back pressure"
        if it["flowFileExpiration"] != "0 sec":
            yield f"{it['source']['name']} to {it['destination']['name']} throws away after {it['flowFileExpiration']}"


def spoil_service(flow):
    flow.named("Read CSV")["properties"]["record-reader"] = "CSV"


@rule("a property that names a service names one of the flow", spoil_service)
def services(flow):
    for it in flow.components():
        for name, descriptor in it["propertyDescriptors"].items():
            if descriptor["identifiesControllerService"] and it["properties"].get(name) not in flow.services:
                yield f"{it['name']}: {name} is no service of the flow"


def spoil_parameter(flow):
    flow.named("Kafka")["properties"]["bootstrap.servers"] = "#{kafka.address}"


@rule("the parameters that are used are the ones that are declared", spoil_parameter)
def parameters(flow):
    text = json.dumps([it["properties"] for it in flow.components()])
    used, declared = set(re.findall(r"#\{'?([^}']+)'?\}", text)), set(flow.parameters())
    for name in sorted(used - declared):
        yield f"#{{{name}}} is not declared"
    for name in sorted(declared - used):
        yield f"{name} is declared and not used"
    if flow.group["parameterContextName"] not in flow.definition["parameterContexts"]:
        yield "the group's parameter context is missing"


def spoil_secret(flow):
    flow.named("AWS credentials")["properties"]["Access Key ID"] = "AKIA" + "Q" * 16


@rule("there is no secret and no place for one", spoil_secret)
def secrets(flow):
    for it in flow.components():
        for name, value in it["properties"].items():
            if SECRET.search(f"{name}={value}") or it["propertyDescriptors"].get(name, {}).get("sensitive"):
                yield f"{it['name']}: {name}"
    for name, it in flow.parameters().items():
        if it["sensitive"] or SECRET.search(f"{name}={it.get('value')}"):
            yield f"parameter {name}"


def spoil_version(flow):
    flow.named("Done")["bundle"]["version"] = "1.28.1"


@rule("every part is of the image's version of NiFi", spoil_version)
def version(flow):
    image = re.search(r"^FROM apache/nifi:(\S+)$", IMAGE, re.MULTILINE)[1]
    for it in flow.components():
        if it["bundle"]["version"] != image:
            yield f"{it['name']} is of {it['bundle']['version']}, the image is {image}"


def documented_fields(section):
    """The fields of a topic's table in docs/topics.md, with `a_{b,c}_d` written out and `…_e` for the same with another end."""
    stem = ""
    for cell in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", cell):
            if name.startswith("…"):
                name = stem.rsplit("_", 1)[0] + name[1:]
            stem = name
            braces = re.search(r"\{([^}]+)\}", name)
            for choice in braces[1].split(",") if braces else [""]:
                yield name.replace(braces[0], choice) if braces else name


def documented():
    """Key and fields by topic, as docs/topics.md says."""
    answer = {}
    for part in TOPICS.split("\n## ")[1:]:
        key = re.search(r"^Keyed by `(\w+)`", part, re.MULTILINE)
        if key:
            answer[part.split("\n", 1)[0]] = (key[1], list(documented_fields(part)))
    return answer


def spoil_key(flow):
    properties = flow.named("Send the records")["properties"]
    properties["Message Key Field"] = properties["Message Key Field"].replace("subscriber", "event_id")


@rule("a record's key is the field that docs/topics.md names", spoil_key)
def keys(flow):
    topics = {topic: key for topic, (key, _) in documented().items()}
    expression = flow.named("Send the records")["properties"]["Message Key Field"]
    pairs = dict(re.findall(r"topic:equals\('([^']+)'\):ifElse\('([^']+)'", expression))
    rest = re.findall(r", '([^']+)'\)", expression)
    last = sorted(set(topics) - set(pairs))
    if len(last) != 1 or len(rest) != 1 or {**pairs, last[0]: rest[0]} != topics:
        yield f"{expression} is not {topics}"
    for name in ("json", "csv"):
        known = re.search(r"topic:in\(([^)]*)\)", flow.named("Tell the format")["properties"][name])
        if sorted(re.findall(r"'([^']+)'", known[1])) != sorted(topics):
            yield f"Tell the format: {name} does not know the topics {', '.join(topics)}"


def spoil_columns(flow):
    reader = flow.named("CSV with a header")["properties"]
    reader["schema-text"] = reader["schema-text"].replace('"sensor_id"', '"sensor"')


@rule("CSV is read with the fields of docs/topics.md, as text but for what must be a boolean", spoil_columns)
def columns(flow):
    schema = json.loads(flow.named("CSV with a header")["properties"]["schema-text"])
    read = {it["name"]: it["type"] for it in schema["fields"]}
    wanted = {field for _, fields in documented().values() for field in fields}
    for name in sorted(wanted ^ set(read)):
        yield f"{name} is {'not read' if name in wanted else 'not documented'}"
    for name, kind in read.items():
        if kind != ["null", "boolean" if name == "roaming" else "string"]:
            yield f"{name} is read as {kind}"


def spoil_delivery(flow):
    flow.named("Send the records")["properties"]["Transactions Enabled"] = "true"


@rule("Kafka acknowledges every copy, without transactions, by the broker's and the sign-in's parameters", spoil_delivery)
def delivery(flow):
    send, kafka = flow.named("Send the records")["properties"], flow.named("Kafka")["properties"]
    wanted = {"acks": "all", "Transactions Enabled": "false", "Failure Strategy": "Route to Failure", "Topic Name": "${topic}"}
    for name, value in wanted.items():
        if send.get(name) != value:
            yield f"{name} is {send.get(name)}, not {value}"
    if kafka["bootstrap.servers"] != "#{kafka.brokers}" or kafka["security.protocol"] != "#{kafka.security.protocol}":
        yield "Kafka's address or protocol is not a parameter"
    if kafka["sasl.mechanism"] != "AWS_MSK_IAM":
        yield "the sign-in is not by IAM"


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "flow.json"
    definition = json.loads(path.read_text())
    broken = 0
    for sentence, spoil, find in RULES:
        for fault in find(Flow(definition)):
            broken += 1
            print(f"{path.name}: {sentence}: {fault}", file=sys.stderr)
        spoiled = Flow(copy.deepcopy(definition))
        spoil(spoiled)
        if not list(find(Flow(spoiled.definition))):
            broken += 1
            print(f"the rule does not find its fault: {sentence}", file=sys.stderr)
    if broken:
        sys.exit(1)
    flow = Flow(definition)
    print(f"{path.name}: {len(flow.processors)} processors, {len(flow.connections)} connections, {len(RULES)} rules")


if __name__ == "__main__":
    main()
