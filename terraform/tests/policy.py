#!/usr/bin/env python3
"""What must hold of a plan, whatever the environment: `policy.py PLAN.json ENVIRONMENT FUNCTIONS`.

PLAN.json is the answer of `terraform show -json`, FUNCTIONS the folder of the manifests that it was made from. Each rule is a sentence; before it is trusted it must find the fault
that is put into a copy of the plan for it. Exit status 1 when a rule does not hold, or can't fail.
"""

import copy
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = {path.parent.name: json.loads(path.read_text()) for path in sorted(Path(sys.argv[3]).glob("*/function.json"))} if len(sys.argv) == 4 else {}
ALARMS = json.loads((ROOT / "terraform/alarms.json").read_text())
RULES = []


class Plan:
    """A plan's resources with what is planned for them; a value that is only known once applied is UNKNOWN."""

    UNKNOWN = "(known after apply)"

    def __init__(self, document, environment):
        self.environment = environment
        self.name = f"millrace-{environment}"
        self.resources = []
        # The provider hides a function's variables as soon as one of them is unknown; the platform says their names.
        self.variables = document["output_changes"]["millrace"]["after"]["variables"]
        for change in document["resource_changes"]:
            if change["mode"] == "managed" and "create" in change["change"]["actions"]:
                values = self.merged(change["change"]["after"], change["change"]["after_unknown"])
                self.resources.append(Resource(change["address"], change["type"], change.get("index"), values))

    @classmethod
    def merged(cls, after, unknown):
        if unknown is True:
            return cls.UNKNOWN
        if isinstance(after, dict) or isinstance(unknown, dict) and after is None:
            after, unknown = after or {}, unknown or {}
            return {key: cls.merged(after.get(key), unknown.get(key, False)) for key in {*after, *unknown}}
        if isinstance(after, list):
            unknown = unknown or []
            return [cls.merged(value, unknown[i] if i < len(unknown) else False) for i, value in enumerate(after)]
        return after

    def of(self, *types):
        return [resource for resource in self.resources if resource.type in types]

    def function(self, name):
        return next((it for it in self.of("aws_lambda_function") if it.values["function_name"] == f"{self.name}-{name}"), None)


class Resource:
    def __init__(self, address, kind, index, values):
        self.address, self.type, self.index, self.values = address, kind, index, values

    def __getitem__(self, key):
        return self.values.get(key)


def rule(sentence, fault):
    """A rule yields a line for each violation. `fault` breaks a copy of the plan so that the rule must find it."""

    def register(check):
        RULES.append((sentence, check, fault))
        return check

    return register


def set_on(kind, **values):
    def fault(plan):
        plan.of(kind)[0].values.update(values)

    return fault


def add(kind, **values):
    def fault(plan):
        plan.resources.append(Resource(f"{kind}.added", kind, None, values))

    return fault


def drop(kind):
    def fault(plan):
        plan.resources.remove(plan.of(kind)[0])

    return fault


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(text):
    return json.loads(text)["Statement"] if text and text != Plan.UNKNOWN else []


POLICIES = {
    "aws_iam_role_policy": "policy", "aws_iam_policy": "policy", "aws_s3_bucket_policy": "policy",
    "aws_sns_topic_policy": "policy", "aws_sqs_queue_policy": "policy", "aws_iam_role": "assume_role_policy",
}


# ---- nothing is public

@rule("There is no way in from the internet, and none out", add("aws_internet_gateway"))
def no_gateway(plan):
    for resource in plan.of("aws_internet_gateway", "aws_nat_gateway", "aws_eip", "aws_lambda_function_url", "aws_lb"):
        yield resource.address


@rule("Security groups let in and out by reference, never by address", set_on("aws_vpc_security_group_ingress_rule", cidr_ipv4="0.0.0.0/0"))
def groups_by_reference(plan):
    for resource in plan.of("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"):
        if resource["cidr_ipv4"] or resource["cidr_ipv6"]:
            yield f"{resource.address}: an address range"
        if not resource["referenced_security_group_id"] and not resource["prefix_list_id"]:
            yield f"{resource.address}: no group"
    for resource in plan.of("aws_security_group"):
        for side in ("ingress", "egress"):
            if isinstance(resource[side], list) and resource[side]:
                yield f"{resource.address}: {side} beside the table of flows"


@rule("Databases, brokers, subnets and buckets are private", set_on("aws_s3_bucket_public_access_block", block_public_policy=False))
def private(plan):
    for resource in plan.of("aws_db_instance", "aws_rds_cluster_instance"):
        if resource["publicly_accessible"] is not False:
            yield resource.address
    for resource in plan.of("aws_subnet"):
        if resource["map_public_ip_on_launch"]:
            yield resource.address
    for resource in plan.of("aws_msk_cluster"):
        if resource["broker_node_group_info"][0]["connectivity_info"][0]["public_access"][0]["type"] != "DISABLED":
            yield resource.address
    blocked = {block.index for block in plan.of("aws_s3_bucket_public_access_block") if all(
        block[key] is True for key in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"))}
    for bucket in plan.of("aws_s3_bucket"):
        if bucket.index not in blocked:
            yield f"{bucket.address}: public access is not blocked"


@rule("No policy allows everyone", add("aws_sqs_queue_policy", policy='{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"q"}]}'))
def no_open_policy(plan):
    for kind, key in POLICIES.items():
        for resource in plan.of(kind):
            for statement in statements(resource[key]):
                if statement["Effect"] == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}):
                    yield resource.address
    for permission in plan.of("aws_lambda_permission"):
        if permission["principal"] == "*" or not permission["source_arn"]:
            yield permission.address


# ---- everything is encrypted

@rule("What is stored is encrypted with the platform's keys", set_on("aws_secretsmanager_secret", kms_key_id=None))
def encrypted(plan):
    keys = {
        "aws_cloudwatch_log_group": "kms_key_id", "aws_secretsmanager_secret": "kms_key_id", "aws_sqs_queue": "kms_master_key_id",
        "aws_sns_topic": "kms_master_key_id", "aws_lambda_function": "kms_key_arn", "aws_scheduler_schedule": "kms_key_arn",
        "aws_db_instance": "kms_key_id", "aws_rds_cluster": "kms_key_id", "aws_docdb_cluster": "kms_key_id",
    }
    for kind, key in keys.items():
        for resource in plan.of(kind):
            if not resource[key]:
                yield f"{resource.address}: {key}"
    for resource in plan.of("aws_db_instance", "aws_rds_cluster", "aws_docdb_cluster"):
        if resource["storage_encrypted"] is not True:
            yield resource.address
    for resource in plan.of("aws_msk_cluster"):
        if not resource["encryption_info"][0]["encryption_at_rest_kms_key_arn"]:
            yield resource.address
    encrypted_buckets = {it.index for it in plan.of("aws_s3_bucket_server_side_encryption_configuration")}
    for bucket in plan.of("aws_s3_bucket"):
        if bucket.index not in encrypted_buckets:
            yield bucket.address
    for key in plan.of("aws_kms_key"):
        if key["enable_key_rotation"] is not True:
            yield f"{key.address}: does not rotate"


@rule("What travels is encrypted", drop("aws_s3_bucket_policy"))
def tls(plan):
    for resource in plan.of("aws_msk_cluster"):
        transit = resource["encryption_info"][0]["encryption_in_transit"][0]
        if transit["client_broker"] != "TLS" or transit["in_cluster"] is not True:
            yield resource.address
    for resource in plan.of("aws_db_parameter_group", "aws_rds_cluster_parameter_group"):
        if {"require_secure_transport": "1"}.items() - {it["name"]: it["value"] for it in resource["parameter"]}.items():
            yield resource.address
    for resource in plan.of("aws_docdb_cluster_parameter_group"):
        if {"tls": "enabled"}.items() - {it["name"]: it["value"] for it in resource["parameter"]}.items():
            yield resource.address
    for resource in plan.of("aws_db_proxy"):
        if resource["require_tls"] is not True:
            yield resource.address
    denied = {it.index for it in plan.of("aws_s3_bucket_policy") for statement in statements(it["policy"]) if statement.get("Sid") == "TlsOnly" and statement["Effect"] == "Deny"}
    for bucket in plan.of("aws_s3_bucket"):
        if bucket.index not in denied:
            yield f"{bucket.address}: requests without TLS are not denied"


# ---- functions are what their manifests say

@rule("Each function is as its manifest says, and there is no other", set_on("aws_lambda_function", memory_size=3000))
def functions(plan):
    names = {it["function_name"] for it in plan.of("aws_lambda_function")}
    wanted = {f"{plan.name}-{name}" for name in MANIFESTS}
    yield from (f"{name}: in the plan or in functions/, not in both" for name in names ^ wanted)
    for name, manifest in MANIFESTS.items():
        function = plan.function(name)
        if not function:
            continue
        said = {
            "timeout": manifest["timeout_seconds"], "memory_size": manifest["memory_mb"],
            "reserved_concurrent_executions": manifest.get("concurrency", 1), "description": manifest["description"],
            "runtime": "provided.al2023", "architectures": ["arm64"], "publish": True,
        }
        for key, value in said.items():
            if function[key] != value:
                yield f"{name}: {key} is {function[key]}, the manifest says {value}"
        if not function["vpc_config"]:
            yield f"{name}: stands outside of the VPC"
    aliases = {it.address.split('"')[1] for it in plan.of("aws_lambda_alias") if it["name"] == "live"}
    yield from (f"{name}: no alias live" for name in MANIFESTS.keys() - aliases)


@rule("Each function has the variables that its manifest needs, and no other's", lambda plan: plan.variables["rate"].append("MILLRACE_SESSION_SECRET_SECRET_ARN"))
def variables(plan):
    groups = {
        "mysql": {"MILLRACE_MYSQL_URL", "MILLRACE_MYSQL_PASSWORD_SECRET_ARN"},
        "documents": {"MILLRACE_DOCUMENTS_URL", "MILLRACE_DOCUMENTS_DATABASE", "MILLRACE_DOCUMENTS_USER", "MILLRACE_DOCUMENTS_PASSWORD_SECRET_ARN"},
        "objects": {"MILLRACE_OBJECTS_BUCKET"},
        "kafka": {"MILLRACE_KAFKA_CLUSTER_ARN"},
        "session": {"MILLRACE_DASHBOARD_PASSWORD_HASH_SECRET_ARN", "MILLRACE_SESSION_SECRET_SECRET_ARN", "MILLRACE_SIGN_IN_ADDRESS", "MILLRACE_SIGN_IN_CLIENT_ID"},
    }
    for name, manifest in MANIFESTS.items():
        wanted = set(manifest.get("environment", {})).union(*(groups[need] for need in manifest.get("needs", [])))
        wanted |= {"MILLRACE_MYSQL_USER_SECRET_ARNS"} if name == "migrate" else set()
        has = set(plan.variables.get(name, []))
        if has != wanted:
            yield f"{name}: {sorted(has ^ wanted)}"
        # A secret itself would be readable by whoever may read the function's configuration.
        yield from (f"{name}: {key} holds a secret" for key in has if re.search("PASSWORD|SECRET", key) and not key.endswith(("_ARN", "_ARNS")))


@rule("Each mapping is as its manifest says, and there is no other", set_on("aws_lambda_event_source_mapping", maximum_retry_attempts=3))
def mappings(plan):
    wanted = {(name, trigger["kafka"]["topic"]): trigger["kafka"] for name, manifest in MANIFESTS.items() for trigger in manifest.get("triggers", []) if "kafka" in trigger}
    found = {(it.address.split('"')[1], it["topics"][0]): it for it in plan.of("aws_lambda_event_source_mapping")}
    yield from (f"{key}: in the plan or in a manifest, not in both" for key in found.keys() ^ wanted.keys())
    for key in found.keys() & wanted.keys():
        mapping, said = found[key], wanted[key]
        values = {
            "batch_size": said.get("batch_size", 100), "starting_position": said["starting_position"],
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


@rule("Each schedule is as its manifest says, with a queue for failed runs, and there is no other", set_on("aws_scheduler_schedule", schedule_expression="rate(7 days)"))
def schedules(plan):
    wanted = {f"{plan.name}-{name}-{trigger['schedule']['name']}": (name, trigger["schedule"]) for name, manifest in MANIFESTS.items() for trigger in manifest.get("triggers", []) if "schedule" in trigger}
    found = {it["name"]: it for it in plan.of("aws_scheduler_schedule")}
    yield from (f"{key}: in the plan or in a manifest, not in both" for key in found.keys() ^ wanted.keys())
    for key in found.keys() & wanted.keys():
        (name, said), schedule = wanted[key], found[key]
        target = schedule["target"][0]
        if schedule["schedule_expression"] != said["expression"] or schedule["schedule_expression_timezone"] != said.get("timezone", "UTC"):
            yield f"{key}: runs at {schedule['schedule_expression']} {schedule['schedule_expression_timezone']}"
        if json.loads(target["input"]) != said.get("input", {}):
            yield f"{key}: sends {target['input']}"
        if target["retry_policy"][0]["maximum_retry_attempts"] != said.get("maximum_retry_attempts", 0):
            yield f"{key}: tries again {target['retry_policy'][0]['maximum_retry_attempts']} times"
        if not target["dead_letter_config"][0]["arn"].endswith(f":{plan.name}-{name}-schedule-failures"):
            yield f"{key}: no queue for failed runs"


@rule("The API has the paths of the manifests, and the one that takes people's tokens", drop("aws_apigatewayv2_route"))
def routes(plan):
    paths = {trigger["http"]["path"] for manifest in MANIFESTS.values() for trigger in manifest.get("triggers", []) if "http" in trigger}
    paths |= {"/"} if "/{proxy+}" in paths else set()
    wanted = {path if path == "$default" else f"ANY {path}" for path in paths} | {"POST /signed-in"}
    found = {it["route_key"] for it in plan.of("aws_apigatewayv2_route")}
    yield from (f"{route}: in the plan or in a manifest, not in both" for route in found ^ wanted)


def without_token(plan):
    next(it for it in plan.of("aws_apigatewayv2_route") if it["route_key"] == "POST /signed-in").values.update(authorization_type="NONE")


@rule("A session of a person begins with a token that API Gateway has checked", without_token)
def tokens(plan):
    for route in plan.of("aws_apigatewayv2_route"):
        if route["route_key"] == "POST /signed-in" and route["authorization_type"] != "JWT":
            yield route.address


# ---- permissions

EVERY = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords", "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"}
SECRETS = {"secretsmanager:GetSecretValue", "kms:Decrypt"}
CLUSTER = {"kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers", "kafka-cluster:Connect", "kafka-cluster:DescribeClusterDynamicConfiguration"}
TOPIC = {"kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"}
NEEDS = {
    "mysql": SECRETS, "documents": SECRETS, "session": SECRETS,
    "objects": {"s3:GetObject", "s3:PutObject", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey"},
    "kafka": CLUSTER | TOPIC,
}
MAPPING = CLUSTER | TOPIC | {"kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup", "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"}
FAILURES = {"s3:PutObject", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey"}


def own_policy(plan, name):
    return next((it for it in plan.of("aws_iam_role_policy") if it.address == f'module.millrace.module.function["{name}"].aws_iam_role_policy.this'), None)


def widen(plan):
    policy = own_policy(plan, "rate")
    document = json.loads(policy["policy"])
    document["Statement"].append({"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::x/*"})
    policy.values["policy"] = json.dumps(document)


@rule("Each function may do what its manifest needs, and nothing more", widen)
def permissions(plan):
    for name, manifest in MANIFESTS.items():
        kafka = [trigger["kafka"] for trigger in manifest.get("triggers", []) if "kafka" in trigger]
        wanted = set(EVERY).union(*(NEEDS[need] for need in manifest.get("needs", [])))
        wanted |= MAPPING if kafka else set()
        wanted |= FAILURES if any(it.get("on_failure") for it in kafka) else set()
        policy = own_policy(plan, name)
        if not policy or policy["policy"] == Plan.UNKNOWN:
            yield f"{name}: its policy can't be known from the plan"
            continue
        allowed = [it for it in statements(policy["policy"]) if it["Effect"] == "Allow"]
        actions = {action for it in allowed for action in listed(it["Action"])}
        if actions != wanted:
            yield f"{name}: {sorted(actions ^ wanted)}"
        resources = {resource for it in allowed for resource in listed(it["Resource"])}
        topics = {resource.rsplit("/", 1)[1] for resource in resources if ":topic/" in resource}
        if "kafka" not in manifest.get("needs", []) and topics != {it["topic"] for it in kafka}:
            yield f"{name}: reads {sorted(topics)}"
        groups = {resource.rsplit("/", 1)[1] for resource in resources if ":group/" in resource}
        if groups != {it["consumer_group"] for it in kafka}:
            yield f"{name}: keeps offsets of {sorted(groups)}"
        buckets = {re.sub(r"^.*?-\d{12}-", "", resource.split(":::")[1].split("/")[0]) for resource in resources if ":s3:::" in resource}
        expected = ({"objects"} if "objects" in manifest.get("needs", []) else set()) | ({"failed-batches"} if any(it.get("on_failure") for it in kafka) else set())
        if buckets != expected:
            yield f"{name}: reaches {sorted(buckets)}"
        secrets = {resource.split(":secret:")[1] for resource in resources if ":secret:" in resource}
        known = {
            "mysql": {f"{plan.name}/mysql/functions-??????"}, "documents": {"rds!*"},
            "session": {f"{plan.name}/dashboard/password-hash-??????", f"{plan.name}/dashboard/session-??????"},
        }
        expected = set().union(*(known.get(need, set()) for need in manifest.get("needs", [])))
        expected |= {"rds!*", f"{plan.name}/mysql/bi-??????"} if name == "migrate" else set()
        if secrets != expected:
            yield f"{name}: reads {sorted(secrets ^ expected)}"


@rule("Secrets that AWS names by chance are told apart by whose they are", add("aws_iam_role_policy", policy='{"Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:r:0:secret:rds!*"}]}'))
def tagged_secrets(plan):
    for policy in plan.of("aws_iam_role_policy"):
        for statement in statements(policy["policy"]):
            if statement["Effect"] == "Allow" and any("secret:rds!" in it for it in listed(statement["Resource"])):
                if not any("primaryDB" in key for test in statement.get("Condition", {}).values() for key in test):
                    yield policy.address


# Actions that AWS gives no narrower resource.
WITHOUT_RESOURCE = {
    "StandInTheVpc": "a function's interfaces are not known before", "Trace": "X-Ray has no resources",
    "MappingSeesTheNetwork": "reads of the network", "WatchAlarms": "a read of alarms", "SeeTheNetwork": "reads of the network",
    "FindItsLog": "a read of log groups", "SignInToTheRegistry": "a token", "LetPeopleIn": "ECS Exec's channels",
}


@rule("No role may do everything, or anything to everything, without a written reason", add("aws_iam_role_policy", policy='{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'))
def wildcards(plan):
    for policy in plan.of("aws_iam_role_policy", "aws_iam_policy"):
        for statement in statements(policy["policy"]):
            if statement["Effect"] != "Allow":
                continue
            if any("*" in action for action in listed(statement["Action"])):
                yield f"{policy.address}: {statement['Action']}"
            if "*" in listed(statement["Resource"]) and statement.get("Sid") not in WITHOUT_RESOURCE:
                yield f"{policy.address}: {statement.get('Sid')} for every resource"
    for attachment in plan.of("aws_iam_role_policy_attachment"):
        if re.search("Administrator|FullAccess|PowerUser", str(attachment["policy_arn"])):
            yield attachment.address


@rule("Roles trust one service or one workflow, never a whole account", set_on("aws_iam_role", assume_role_policy='{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"sts:AssumeRole"}]}'))
def trust(plan):
    for role in plan.of("aws_iam_role"):
        for statement in statements(role["assume_role_policy"]):
            principal = statement["Principal"]
            if set(principal) - {"Service", "Federated"} or len(listed(next(iter(principal.values())))) != 1:
                yield f"{role.address}: trusts {principal}"
            if "Federated" in principal and "StringEquals" not in statement.get("Condition", {}):
                yield f"{role.address}: trusts every workflow"


# ---- alarms

def wanted_alarms(plan):
    names = []
    for alarm in ALARMS["alarms"]:
        kind = alarm["for"]
        for name, manifest in MANIFESTS.items():
            triggers = manifest.get("triggers", [])
            if kind == "each-function" or kind == "each-schedule" and any("schedule" in it for it in triggers):
                names.append(f"{alarm['name']}-{name}")
            if kind == "each-mapping":
                names += [f"{alarm['name']}-{name}-{it['kafka']['topic']}" for it in triggers if "kafka" in it]
            if kind == f"function:{name}":
                names.append(alarm["name"])
        present = {"database": "aws_db_instance", "database-disk": "aws_db_instance", "documents": "aws_docdb_cluster", "brokers": "aws_msk_cluster"}
        if kind in present and plan.of(present[kind]):
            names.append(alarm["name"])
        if kind == "each-broker":
            names += [f"{alarm['name']}-{broker + 1}" for it in plan.of("aws_msk_cluster") for broker in range(it["number_of_broker_nodes"])]
    return {f"{plan.name}-{name}" for name in names}


@rule("Each function, mapping, schedule and service has its alarms", drop("aws_cloudwatch_metric_alarm"))
def alarms(plan):
    found = {it["alarm_name"] for it in plan.of("aws_cloudwatch_metric_alarm") if ".module.alarms." in it.address}
    yield from (f"{name}: in the plan or wanted by alarms.json, not both" for name in found ^ wanted_alarms(plan))


@rule("Each alarm pages by exactly one group, and names its section of the runbook", set_on("aws_cloudwatch_composite_alarm", alarm_rule="FALSE"))
def paging(plan):
    groups = plan.of("aws_cloudwatch_composite_alarm")
    for alarm in plan.of("aws_cloudwatch_metric_alarm"):
        if "runbook.md#" not in alarm["alarm_description"]:
            yield f"{alarm['alarm_name']}: no runbook"
        if ".module.alarms." in alarm.address:
            count = sum(f'ALARM("{alarm["alarm_name"]}")' in group["alarm_rule"] for group in groups)
            if count != 1 or alarm["alarm_actions"]:
                yield f"{alarm['alarm_name']}: is in {count} groups"
    for group in groups:
        if not group["alarm_actions"] or not group["ok_actions"]:
            yield f"{group['alarm_name']}: tells nobody"


@rule("Each function gives a new version back when its errors rise", drop("aws_codedeploy_deployment_group"))
def roll_back(plan):
    groups = {it["deployment_group_name"]: it for it in plan.of("aws_codedeploy_deployment_group")}
    for name in MANIFESTS:
        group = groups.get(f"{plan.name}-{name}")
        if not group or not group["auto_rollback_configuration"][0]["enabled"] or not group["alarm_configuration"][0]["alarms"]:
            yield name


@rule("What every role may do can be read from the plan", lambda plan: own_policy(plan, "rate").values.update(policy=Plan.UNKNOWN))
def readable(plan):
    for policy in plan.of("aws_iam_role_policy", "aws_iam_policy"):
        if policy["policy"] == Plan.UNKNOWN:
            yield policy.address


# ---- the rest

@rule("Nothing is named by chance, so that a second apply changes nothing", set_on("aws_s3_bucket", bucket=Plan.UNKNOWN))
def stable_names(plan):
    for resource in plan.resources:
        for key in ("name", "bucket", "function_name", "identifier", "cluster_identifier", "alarm_name"):
            kinds = ("aws_cloudwatch", "aws_s3_bucket", "aws_lambda_function", "aws_iam_role", "aws_db_", "aws_docdb_cluster", "aws_sns_topic", "aws_sqs_queue", "aws_secretsmanager_secret", "aws_scheduler")
            if resource.type in ("aws_s3_bucket", "aws_sns_topic", "aws_sqs_queue", "aws_secretsmanager_secret", "aws_lambda_function", "aws_db_instance", "aws_cloudwatch_metric_alarm", "aws_iam_role") and key in resource.values and resource[key] == Plan.UNKNOWN:
                yield f"{resource.address}: {key}"


@rule("Everything that can be tagged says whose it is", set_on("aws_lambda_function", tags_all={}))
def tags(plan):
    for resource in plan.resources:
        if "tags_all" in resource.values and isinstance(resource["tags_all"], dict):
            missing = {"Project", "Environment", "ManagedBy"} - resource["tags_all"].keys()
            if missing:
                yield f"{resource.address}: {sorted(missing)}"


@rule("Logs end", set_on("aws_cloudwatch_log_group", retention_in_days=0))
def retention(plan):
    for group in plan.of("aws_cloudwatch_log_group"):
        if not group["retention_in_days"]:
            yield group.address


@rule("What prod holds survives a zone, a mistake and a bad release", set_on("aws_db_instance", multi_az=False))
def survives(plan):
    if plan.environment != "prod":
        return
    for database in plan.of("aws_db_instance"):
        if not (database["multi_az"] and database["deletion_protection"] and database["backup_retention_period"] >= 30):
            yield database.address
    for cluster in plan.of("aws_docdb_cluster"):
        if not cluster["deletion_protection"] or len(plan.of("aws_docdb_cluster_instance")) < 2:
            yield cluster.address
    for configuration in plan.of("aws_msk_configuration"):
        text = configuration["server_properties"]
        if "min.insync.replicas=2" not in text or "unclean.leader.election.enable=false" not in text:
            yield configuration.address
    for group in plan.of("aws_codedeploy_deployment_group"):
        if "AllAtOnce" in group["deployment_config_name"]:
            yield f"{group.address}: shifts at once"


def main():
    if not MANIFESTS:
        print(__doc__)
        return 0 if {"--help", "-h"} & set(sys.argv) else 2
    document = json.loads(Path(sys.argv[1]).read_text())
    environment = sys.argv[2]
    plan = Plan(document, environment)
    failed = False
    for sentence, check, fault in RULES:
        violations = list(check(plan))
        broken = copy.deepcopy(plan)
        fault(broken)
        # A rule for prod holds of the others by saying nothing.
        blind = not (check is survives and environment != "prod") and list(check(broken)) == violations
        print(f"{'FAIL' if violations or blind else 'ok  '} {environment}: {sentence}")
        for violation in violations:
            print(f"       {violation}")
        if blind:
            print("       the rule does not find the fault that was put in for it")
        failed |= bool(violations) or blind
    print(f"{environment}: {len(plan.resources)} resources, {len(RULES)} rules")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
