"""Each function may do what its manifest needs."""

import json
import re

from plan import UNKNOWN, listed, rule, statements

EVERY = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
SECRETS = {"secretsmanager:GetSecretValue", "kms:Decrypt"}
CLUSTER = {
    "kafka:DescribeCluster",
    "kafka:DescribeClusterV2",
    "kafka:GetBootstrapBrokers",
    "kafka-cluster:Connect",
    "kafka-cluster:DescribeClusterDynamicConfiguration",
}
TOPIC = {"kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"}
NEEDS = {
    "mysql": SECRETS,
    "documents": SECRETS,
    "session": SECRETS,
    "objects": {"kms:Decrypt"},
    "kafka": CLUSTER | TOPIC,
}
OBJECTS = {"reads": {"s3:GetObject", "s3:ListBucket"}, "writes": {"s3:PutObject", "kms:GenerateDataKey"}}
MAPPING = (
    CLUSTER
    | TOPIC
    | {
        "kafka-cluster:DescribeGroup",
        "kafka-cluster:AlterGroup",
        "ec2:DescribeVpcs",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
    }
)
FAILURES = {"s3:PutObject", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey"}


def own_policy(plan, name):
    return next(
        (
            it
            for it in plan.of("aws_iam_role_policy")
            if it.address == f'module.function["{name}"].aws_iam_role_policy.this'
        ),
        None,
    )


def widen(plan):
    policy = own_policy(plan, "rate")
    document = json.loads(policy["policy"])
    document["Statement"].append({"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::x/*"})
    policy.values["policy"] = json.dumps(document)


@rule("Each function may do what its manifest needs, and nothing more", widen)
def permissions(plan):
    for name, manifest in plan.manifests.items():
        kafka = [trigger["kafka"] for trigger in manifest.get("triggers", []) if "kafka" in trigger]
        wanted = set(EVERY).union(*(NEEDS[need] for need in manifest.get("needs", [])))
        wanted = wanted.union(*(OBJECTS[how] for how, prefixes in manifest.get("objects", {}).items() if prefixes))
        wanted |= MAPPING if kafka else set()
        wanted |= FAILURES if any(it.get("on_failure") for it in kafka) else set()
        policy = own_policy(plan, name)
        if not policy or policy["policy"] == UNKNOWN:
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
        buckets = {
            re.sub(r"^.*?-\d{12}-", "", resource.split(":::")[1].split("/")[0])
            for resource in resources
            if ":s3:::" in resource
        }
        expected = ({"objects"} if "objects" in manifest.get("needs", []) else set()) | (
            {"failed-batches"} if any(it.get("on_failure") for it in kafka) else set()
        )
        if buckets != expected:
            yield f"{name}: reaches {sorted(buckets)}"
        secrets = {resource.split(":secret:")[1] for resource in resources if ":secret:" in resource}
        known = {
            "mysql": {f"{plan.name}/mysql/functions-??????"},
            "documents": {"rds!*"},
            "session": {f"{plan.name}/dashboard/password-hash-??????", f"{plan.name}/dashboard/session-??????"},
        }
        expected = set().union(*(known.get(need, set()) for need in manifest.get("needs", [])))
        expected |= {"rds!*", f"{plan.name}/mysql/bi-??????"} if name == "migrate" else set()
        if secrets != expected:
            yield f"{name}: reads {sorted(secrets ^ expected)}"


def reach_another_prefix(plan):
    policy = own_policy(plan, "score")
    policy.values["policy"] = policy["policy"].replace("-objects/models/*", "-objects/*")


@rule("Each function reads and writes the objects of its manifest's prefixes, and no others", reach_another_prefix)
def prefixes(plan):
    for name, manifest in plan.manifests.items():
        found = {"s3:GetObject": set(), "s3:PutObject": set(), "s3:ListBucket": set()}
        for statement in statements(own_policy(plan, name)["policy"]):
            for action in found.keys() & set(listed(statement["Action"])):
                resources = [it for it in listed(statement["Resource"]) if re.search(r"-objects(/|$)", it)]
                if action == "s3:ListBucket" and resources:
                    resources = listed(statement.get("Condition", {}).get("StringLikeIfExists", {}).get("s3:prefix", "*"))
                found[action] |= {re.sub(r"^.*?-objects/", "", it) for it in resources}
        said = {how: {f"{it}*" for it in manifest.get("objects", {}).get(how, [])} for how in ("reads", "writes")}
        wanted = {"s3:GetObject": said["reads"], "s3:PutObject": said["writes"], "s3:ListBucket": said["reads"]}
        yield from (f"{name}: {it} of {sorted(found[it])}" for it in found if found[it] != wanted[it])


@rule(
    "What every role may do can be read from the plan",
    lambda plan: own_policy(plan, "rate").values.update(policy=UNKNOWN),
)
def readable(plan):
    for policy in plan.of("aws_iam_role_policy", "aws_iam_policy"):
        if policy["policy"] == UNKNOWN:
            yield policy.address
