"""Policies and roles, whosever they are."""

import re

from plan import add, listed, rule, set_on, statements

POLICIES = {
    "aws_iam_role_policy": "policy",
    "aws_iam_policy": "policy",
    "aws_s3_bucket_policy": "policy",
    "aws_sns_topic_policy": "policy",
    "aws_sqs_queue_policy": "policy",
    "aws_iam_role": "assume_role_policy",
}


@rule(
    "No policy allows everyone",
    add(
        "aws_sqs_queue_policy",
        policy='{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"q"}]}',
    ),
)
def no_open_policy(plan):
    for kind, key in POLICIES.items():
        for resource in plan.of(kind):
            for statement in statements(resource[key]):
                if statement["Effect"] == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}):
                    yield resource.address
    for permission in plan.of("aws_lambda_permission"):
        if permission["principal"] == "*" or not permission["source_arn"]:
            yield permission.address


@rule(
    "Secrets that AWS names by chance are told apart by whose they are",
    add(
        "aws_iam_role_policy",
        policy='{"Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:r:0:secret:rds!*"}]}',
    ),
)
def tagged_secrets(plan):
    for policy in plan.of("aws_iam_role_policy"):
        for statement in statements(policy["policy"]):
            if statement["Effect"] == "Allow" and any("secret:rds!" in it for it in listed(statement["Resource"])):
                if not any("primaryDB" in key for test in statement.get("Condition", {}).values() for key in test):
                    yield policy.address


# Actions that AWS gives no narrower resource.
WITHOUT_RESOURCE = {
    "StandInTheVpc": "a function's interfaces are not known before",
    "Trace": "X-Ray has no resources",
    "MappingSeesTheNetwork": "reads of the network",
    "WatchAlarms": "a read of alarms",
    "ShowAlarms": "reads of alarms and metrics",
    "SeeTheNetwork": "reads of the network",
    "FindItsLog": "a read of log groups",
    "SignInToTheRegistry": "a token",
    "LetPeopleIn": "ECS Exec's channels",
}


@rule(
    "No role may do everything, or anything to everything, without a written reason",
    add("aws_iam_role_policy", policy='{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'),
)
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


@rule(
    "A role uses a key through the services that it is for, or for what it names, and not for whatever the key encrypts",
    add("aws_iam_role_policy", policy='{"Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"k"}]}'),
)
def keys(plan):
    for policy in plan.of("aws_iam_role_policy", "aws_iam_policy"):
        for statement in statements(policy["policy"]):
            if statement["Effect"] == "Allow" and any(it.startswith("kms:") for it in listed(statement["Action"])):
                tested = {key for test in statement.get("Condition", {}).values() for key in test}
                if not any(key == "kms:ViaService" or key.startswith("kms:EncryptionContext:") for key in tested):
                    yield f"{policy.address}: {statement.get('Sid')}"


@rule(
    "Roles trust one service or one workflow, never a whole account",
    set_on(
        "aws_iam_role",
        assume_role_policy='{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"sts:AssumeRole"}]}',
    ),
)
def trust(plan):
    for role in plan.of("aws_iam_role"):
        for statement in statements(role["assume_role_policy"]):
            principal = statement["Principal"]
            if set(principal) - {"Service", "Federated"} or len(listed(next(iter(principal.values())))) != 1:
                yield f"{role.address}: trusts {principal}"
            if "Federated" in principal and "StringEquals" not in statement.get("Condition", {}):
                yield f"{role.address}: trusts every workflow"
