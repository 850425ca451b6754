"""Functions are what their manifests say."""

import json
import re

from plan import drop, rule, set_on


@rule("Each function is as its manifest says, and there is no other", set_on("aws_lambda_function", memory_size=3000))
def functions(plan):
    names = {it["function_name"] for it in plan.of("aws_lambda_function")}
    wanted = {f"{plan.name}-{name}" for name in plan.manifests}
    yield from (f"{name}: in the plan or in functions/, not in both" for name in names ^ wanted)
    for name, manifest in plan.manifests.items():
        function = plan.function(name)
        if not function:
            continue
        said = {
            "timeout": manifest["timeout_seconds"],
            "memory_size": manifest["memory_mb"],
            "reserved_concurrent_executions": manifest.get("concurrency", 1),
            "description": manifest["description"],
            "runtime": "provided.al2023",
            "architectures": ["arm64"],
            "publish": True,
        }
        for key, value in said.items():
            if function[key] != value:
                yield f"{name}: {key} is {function[key]}, the manifest says {value}"
        if not function["vpc_config"]:
            yield f"{name}: stands outside of the VPC"
    aliases = {it.address.split('"')[1] for it in plan.of("aws_lambda_alias") if it["name"] == "live"}
    yield from (f"{name}: no alias live" for name in plan.manifests.keys() - aliases)


@rule(
    "Each function has the variables that its manifest needs, and no other's",
    lambda plan: plan.variables["rate"].append("MILLRACE_SESSION_SECRET_SECRET_ARN"),
)
def variables(plan):
    groups = {
        "mysql": {"MILLRACE_MYSQL_URL", "MILLRACE_MYSQL_PASSWORD_SECRET_ARN"},
        "documents": {
            "MILLRACE_DOCUMENTS_URL",
            "MILLRACE_DOCUMENTS_DATABASE",
            "MILLRACE_DOCUMENTS_USER",
            "MILLRACE_DOCUMENTS_PASSWORD_SECRET_ARN",
        },
        "objects": {"MILLRACE_OBJECTS_BUCKET"},
        "kafka": {"MILLRACE_KAFKA_CLUSTER_ARN"},
        "session": {
            "MILLRACE_DASHBOARD_PASSWORD_HASH_SECRET_ARN",
            "MILLRACE_SESSION_SECRET_SECRET_ARN",
            "MILLRACE_SIGN_IN_ADDRESS",
            "MILLRACE_SIGN_IN_CLIENT_ID",
        },
    }
    for name, manifest in plan.manifests.items():
        wanted = set(manifest.get("environment", {})).union(*(groups[need] for need in manifest.get("needs", [])))
        wanted |= {"MILLRACE_MYSQL_USER_SECRET_ARNS"} if name == "migrate" else set()
        has = set(plan.variables.get(name, []))
        if has != wanted:
            yield f"{name}: {sorted(has ^ wanted)}"
        # A secret itself would be readable by whoever may read the function's configuration.
        yield from (
            f"{name}: {key} holds a secret"
            for key in has
            if re.search("PASSWORD|SECRET", key) and not key.endswith(("_ARN", "_ARNS"))
        )


@rule(
    "Each mapping is as its manifest says, and there is no other",
    set_on("aws_lambda_event_source_mapping", maximum_retry_attempts=3),
)
def mappings(plan):
    wanted = {
        (name, trigger["kafka"]["topic"]): trigger["kafka"]
        for name, manifest in plan.manifests.items()
        for trigger in manifest.get("triggers", [])
        if "kafka" in trigger
    }
    found = {(it.address.split('"')[1], it["topics"][0]): it for it in plan.of("aws_lambda_event_source_mapping")}
    yield from (f"{key}: in the plan or in a manifest, not in both" for key in found.keys() ^ wanted.keys())
    for key in found.keys() & wanted.keys():
        mapping, said = found[key], wanted[key]
        values = {
            "batch_size": said.get("batch_size", 100),
            "starting_position": said["starting_position"],
            "bisect_batch_on_function_error": said.get("bisect_on_error", False),
            "maximum_retry_attempts": said.get("maximum_retry_attempts", -1),
            "maximum_record_age_in_seconds": said.get("maximum_record_age_seconds", -1),
            "function_response_types": ["ReportBatchItemFailures"] if said.get("report_batch_item_failures") else [],
            "amazon_managed_kafka_event_source_config": [{"consumer_group_id": said["consumer_group"]}],
        }
        for attribute, value in values.items():
            if (mapping[attribute] or type(value)()) != value:
                yield f"{key}: {attribute} is {mapping[attribute]}, the manifest says {value}"
        if bool(mapping["destination_config"]) != bool(said.get("on_failure")):
            yield f"{key}: its on-failure destination"
        if not mapping["function_name"].endswith(f":{plan.name}-{key[0]}:live"):
            yield f"{key}: invokes {mapping['function_name']}"


@rule(
    "Each schedule is as its manifest says, with a queue for failed runs, and there is no other",
    set_on("aws_scheduler_schedule", schedule_expression="rate(7 days)"),
)
def schedules(plan):
    wanted = {
        f"{plan.name}-{name}-{trigger['schedule']['name']}": (name, trigger["schedule"])
        for name, manifest in plan.manifests.items()
        for trigger in manifest.get("triggers", [])
        if "schedule" in trigger
    }
    found = {it["name"]: it for it in plan.of("aws_scheduler_schedule")}
    yield from (f"{key}: in the plan or in a manifest, not in both" for key in found.keys() ^ wanted.keys())
    for key in found.keys() & wanted.keys():
        (name, said), schedule = wanted[key], found[key]
        target = schedule["target"][0]
        if schedule["schedule_expression"] != said["expression"] or schedule[
            "schedule_expression_timezone"
        ] != said.get("timezone", "UTC"):
            yield f"{key}: runs at {schedule['schedule_expression']} {schedule['schedule_expression_timezone']}"
        if json.loads(target["input"]) != said.get("input", {}):
            yield f"{key}: sends {target['input']}"
        if target["retry_policy"][0]["maximum_retry_attempts"] != said.get("maximum_retry_attempts", 0):
            yield f"{key}: tries again {target['retry_policy'][0]['maximum_retry_attempts']} times"
        if not target["dead_letter_config"][0]["arn"].endswith(f":{plan.name}-{name}-schedule-failures"):
            yield f"{key}: no queue for failed runs"


@rule(
    "A scheduled run that fails is run again as its manifest says, not as Lambda would",
    set_on("aws_lambda_function_event_invoke_config", maximum_retry_attempts=2),
)
def scheduled_retries(plan):
    found = {it["function_name"]: it for it in plan.of("aws_lambda_function_event_invoke_config")}
    for name, manifest in plan.manifests.items():
        said = {
            trigger["schedule"].get("maximum_retry_attempts", 0)
            for trigger in manifest.get("triggers", [])
            if "schedule" in trigger
        }
        config = found.get(f"{plan.name}-{name}")
        if ({config["maximum_retry_attempts"]} if config else set()) != said or config and config["qualifier"] != "live":
            yield f"{name}: its manifest says {sorted(said)}"


@rule("The API has the paths of the manifests, and the one that takes people's tokens", drop("aws_apigatewayv2_route"))
def routes(plan):
    paths = {
        trigger["http"]["path"]
        for manifest in plan.manifests.values()
        for trigger in manifest.get("triggers", [])
        if "http" in trigger
    }
    paths |= {"/"} if "/{proxy+}" in paths else set()
    wanted = {path if path == "$default" else f"ANY {path}" for path in paths} | {"POST /signed-in"}
    found = {it["route_key"] for it in plan.of("aws_apigatewayv2_route")}
    yield from (f"{route}: in the plan or in a manifest, not in both" for route in found ^ wanted)


def token_unchecked(plan):
    routes = plan.of("aws_apigatewayv2_route")
    next(it for it in routes if it["route_key"] == "POST /signed-in").values.update(authorization_type="NONE")


@rule("A session of a person begins with a token that API Gateway has checked", token_unchecked)
def tokens(plan):
    for route in plan.of("aws_apigatewayv2_route"):
        if route["route_key"] == "POST /signed-in" and route["authorization_type"] != "JWT":
            yield route.address


def batches_unwatched(plan):
    groups = {it["deployment_group_name"]: it for it in plan.of("aws_codedeploy_deployment_group")}
    groups[f"{plan.name}-rate"]["alarm_configuration"][0]["alarms"] = [f"{plan.name}-rate-shift"]


@rule("Each function gives a new version back when its errors or its failed batches rise", batches_unwatched)
def roll_back(plan):
    groups = {it["deployment_group_name"]: it for it in plan.of("aws_codedeploy_deployment_group")}
    alarms = {it["alarm_name"] for it in plan.of("aws_cloudwatch_metric_alarm")}
    for name, manifest in plan.manifests.items():
        group = groups.get(f"{plan.name}-{name}")
        if not group or not group["auto_rollback_configuration"][0]["enabled"]:
            yield f"{name}: takes nothing back"
            continue
        topics = [trigger["kafka"]["topic"] for trigger in manifest.get("triggers", []) if "kafka" in trigger]
        wanted = {f"{plan.name}-{name}-shift", *(f"{plan.name}-{name}-shift-{topic}" for topic in topics)}
        if set(group["alarm_configuration"][0]["alarms"]) != wanted or wanted - alarms:
            yield f"{name}: watches {sorted(group['alarm_configuration'][0]['alarms'])}"
