#!/usr/bin/env python3
"""Applies the environment `local` to an emulator of AWS, reads it back, applies it a second time and destroys it:
`emulator.py CLONE [ADDRESS]`.

CLONE is a clone, or a copy of one, with packages in target/lambda. Without ADDRESS moto's server is started for it; a
LocalStack has one, such as http://127.0.0.1:4566. Exit status 1 when something is not as it should be.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3

ACCOUNT = "000000000000"
NAME = "millrace-local"

# The database that moto has and LocalStack's free edition has not.
DATABASE = {"instance_class": "db.t4g.medium", "multi_az": False, "backup_retention_days": 1, "proxy": True}

# What moto answers otherwise than it was told, so that a second plan would set it again.
ARTEFACTS = {
    ("aws_db_instance", "performance_insights_enabled"): "it does not know Performance Insights",
    ("aws_db_instance", "performance_insights_kms_key_id"): "it does not know Performance Insights",
    ("aws_db_parameter_group", "parameter"): "it does not say which ones were set by its user",
    ("aws_kms_key", "rotation_period_in_days"): "it knows one period only",
    ("aws_lambda_function", "logging_config"): "it answers the group that it would have chosen",
    ("aws_vpc_security_group_egress_rule", "description"): "it answers another",
    ("aws_vpc_security_group_egress_rule", "referenced_security_group_id"): "it puts the account before the group",
    ("aws_vpc_security_group_ingress_rule", "description"): "it answers another",
    ("aws_vpc_security_group_ingress_rule", "referenced_security_group_id"): "it puts the account before the group",
}
# What follows from a function that is set again: a new version.
FOLLOWING = {"qualified_arn", "qualified_invoke_arn", "version"}


class Failed(Exception):
    """Terraform could not do it."""


class Emulated:
    """The environment `local` of a clone, on the emulator at an address, with more values than those of its file."""

    def __init__(self, clone, address, **values):
        self.clone, self.address, self.values = Path(clone).resolve(), address, values
        self.told = (self.clone / "terraform/environments/local/values.tfvars").read_text()
        self.functions = {
            it.parent.name: json.loads(it.read_text()) for it in self.clone.glob("functions/*/function.json")
        }

    def terraform(self, *arguments):
        """Standard output of `scripts/terraform local …`."""
        command = [self.clone / "scripts/terraform", "local", *arguments]
        environment = os.environ | {"EMULATOR": self.address, "TF_CLI_ARGS": "-no-color"}
        environment |= {f"TF_VAR_{name}": json.dumps(value) for name, value in self.values.items()}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if run.returncode:
            raise Failed(f"terraform {arguments[0]} failed:\n{run.stdout[-2000:]}{run.stderr}")
        return run.stdout

    def output(self, name):
        return json.loads(self.terraform("output", "-json", name))

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.address,
            region_name="eu-central-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def changes(self):
        """What a plan would change, as (type, attribute); for what it would make or delete the attribute is `*`."""
        self.terraform("plan", "-input=false", "-out=second.plan")
        plan = json.loads(self.terraform("show", "-json", "second.plan"))
        for resource in plan["resource_changes"]:
            change = resource["change"]
            if change["actions"] in (["no-op"], ["read"]):
                continue
            if change["actions"] != ["update"]:
                yield resource["type"], "*"
                continue
            before, after, unknown = change["before"], change["after"], change["after_unknown"]
            for key in {*before, *after, *unknown} - FOLLOWING:
                if unknown.get(key) is True or before.get(key) != after.get(key):
                    yield resource["type"], key


def secret_is_kept(local):
    secret = local.client("secretsmanager").get_secret_value(SecretId=f"{NAME}/dashboard/password-hash")["SecretString"]
    if not secret.startswith("$argon2id$") or f'"{secret}"' not in local.told:
        yield f"the password's hash is {secret}, values.tfvars says another"


def bucket_is_private(local):
    s3, bucket = local.client("s3"), local.output("buckets")["objects"]
    s3.put_object(Bucket=bucket, Key="models/one", Body=b"a model")
    if s3.get_object(Bucket=bucket, Key="models/one")["Body"].read() != b"a model":
        yield f"{bucket}: an object is not what was put"
    if s3.head_object(Bucket=bucket, Key="models/one").get("ServerSideEncryption") != "aws:kms":
        yield f"{bucket}: an object is not encrypted with the key"
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        yield f"{bucket}: versions are not kept"
    if set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) != {True}:
        yield f"{bucket}: public access is not blocked"


def alarms_are_the_list(local):
    cloudwatch = local.client("cloudwatch")
    found = {
        it["AlarmName"]: it
        for page in cloudwatch.get_paginator("describe_alarms").paginate()
        for it in page["MetricAlarms"]
    }
    names = set(local.output("alarms"))
    yield from (f"{name}: there or said to be there, not both" for name in sorted(found.keys() ^ names))
    listed = {it["name"]: it for it in json.loads((local.clone / "terraform/alarms.json").read_text())["alarms"]}
    # A function emits its metrics under its own name: the whole one, as Lambda tells it.
    for name, wanted, function in (
        ("function-errors-rate", listed["function-errors"], {"FunctionName": f"{NAME}-rate"}),
        ("conservation-broken", listed["conservation-broken"], {"Function": f"{NAME}-cache"}),
    ):
        alarm = found[f"{NAME}-{name}"]
        keys = ("namespace", "metric", "statistic", "period_seconds", "evaluation_periods", "comparison", "threshold")
        said = [wanted[key] for key in keys]
        keys = ("Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator", "Threshold")
        if [alarm[key] for key in keys] != said:
            yield f"{alarm['AlarmName']}: is not what alarms.json says"
        if {it["Name"]: it["Value"] for it in alarm["Dimensions"]} != function:
            yield f"{alarm['AlarmName']}: asks for {alarm['Dimensions']}"
        if not alarm["AlarmActions"][0].endswith(f":{NAME}-{wanted['severity']}"):
            yield f"{alarm['AlarmName']}: tells {alarm['AlarmActions']}"


def database_is_behind_its_proxy(local):
    if "database" not in local.values:
        return
    rds = local.client("rds")
    database = rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"][0]
    if not (database["StorageEncrypted"] and not database["PubliclyAccessible"]):
        yield f"{NAME}: the database is not encrypted, or is public"
    parameters = {
        it["ParameterName"]: it.get("ParameterValue")
        for page in rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=f"{NAME}-mysql")
        for it in page["Parameters"]
    }
    if parameters.get("require_secure_transport") != "1":
        yield f"{NAME}: the database takes connections without TLS: {parameters}"
    proxy = rds.describe_db_proxies(DBProxyName=NAME)["DBProxies"][0]
    configuration = local.client("lambda").get_function_configuration(FunctionName=f"{NAME}-rate", Qualifier="live")
    variables = configuration["Environment"]["Variables"]
    if f"@{proxy['Endpoint']}:3306/millrace?" not in variables["MILLRACE_MYSQL_URL"]:
        yield f"rate: connects to {variables['MILLRACE_MYSQL_URL']}, the proxy is {proxy['Endpoint']}"
    # Read as the function reads it.
    secrets = local.client("secretsmanager")
    user = json.loads(
        secrets.get_secret_value(SecretId=variables["MILLRACE_MYSQL_PASSWORD_SECRET_ARN"])["SecretString"]
    )
    if user["username"] != "millrace" or user["password"] not in local.told:
        yield f"rate: its secret is of the user {user['username']}, or of another password than values.tfvars says"


def schedules_are_the_manifests(local):
    scheduler = local.client("scheduler")
    for name, manifest in local.functions.items():
        for said in (it["schedule"] for it in manifest["triggers"] if "schedule" in it):
            schedule = scheduler.get_schedule(GroupName=f"{NAME}-{name}", Name=f"{NAME}-{name}-{said['name']}")
            if schedule["ScheduleExpression"] != said["expression"]:
                yield f"{schedule['Name']}: runs at {schedule['ScheduleExpression']}"
            if not schedule["Target"]["Arn"].endswith(f":{NAME}-{name}:live"):
                yield f"{schedule['Name']}: invokes {schedule['Target']['Arn']}"


def functions_are_the_manifests(local):
    client = local.client("lambda")
    for name, manifest in local.functions.items():
        function = client.get_function_configuration(FunctionName=f"{NAME}-{name}", Qualifier="live")
        if (function["MemorySize"], function["Timeout"]) != (manifest["memory_mb"], manifest["timeout_seconds"]):
            yield f"{name}: has {function['MemorySize']} MB and {function['Timeout']} s"


CHECKS = (
    secret_is_kept,
    database_is_behind_its_proxy,
    bucket_is_private,
    alarms_are_the_list,
    schedules_are_the_manifests,
    functions_are_the_manifests,
)


def check(local, own_moto):
    local.terraform("apply", "-auto-approve")
    for check in CHECKS:
        yield from check(local)
    changes = set(local.changes())
    yield from (f"a second apply would change {kind}'s {key}" for kind, key in sorted(changes - ARTEFACTS.keys()))
    if own_moto:
        yield from (
            f"{kind}'s {key} is no artefact any more: take it out" for kind, key in sorted(ARTEFACTS.keys() - changes)
        )
    local.terraform("destroy", "-auto-approve")
    if left := local.terraform("state", "list").split():
        yield f"left after destroy: {left}"
    if left := [
        it["Name"] for it in local.client("s3").list_buckets()["Buckets"] if it["Name"].startswith(f"{NAME}-{ACCOUNT}")
    ]:
        yield f"buckets left after destroy: {left}"


@contextlib.contextmanager
def moto():
    """Moto's server on a free port: its address, once it answers."""
    for _ in range(5):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)],
            # The database's monitoring is allowed by a policy of AWS' own.
            env=os.environ | {"MOTO_ACCOUNT_ID": ACCOUNT, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            if answers(server, address):
                yield address
                return
        finally:
            server.terminate()
            server.wait()
    raise Failed("moto's server does not start")


def answers(server, address):
    """Whether the server answers; not when it ended, as another process took the port meanwhile."""
    for _ in range(300):
        time.sleep(0.2)
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{address}/moto-api/", timeout=5).close()
            return server.poll() is None
        if server.poll() is not None:
            return False
    return False


def check_on_moto(clone):
    """What is wrong, on a moto of its own. On a busy machine an answer of moto's gets lost, and the provider then asks for
    what it has already made; a second moto knows nothing of it."""
    for last in (False, True):
        try:
            with moto() as address:
                return list(check(Emulated(clone, address, database=DATABASE), own_moto=True))
        except Failed as failed:
            if last:
                raise
            print(f"{failed}\nonce more, on a new emulator", flush=True)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if {"--help", "-h"} & set(sys.argv) else 2
    # Whoever ends this ends moto, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    try:
        clone, addresses = sys.argv[1], sys.argv[2:]
        wrong = list(check(Emulated(clone, *addresses), own_moto=False)) if addresses else check_on_moto(clone)
    except Failed as failed:
        wrong = [str(failed)]
    seconds = time.monotonic() - began
    print("\n".join(wrong) or f"emulator: applied, read back, planned again and destroyed in {seconds:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
