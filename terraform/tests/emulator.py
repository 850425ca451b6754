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
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3

ACCOUNT = "000000000000"
NAME = "millrace-local"

# What moto answers otherwise than it was told, so that a second plan would set it again.
ARTEFACTS = {
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
    """The environment `local` of a clone, on the emulator at an address."""

    def __init__(self, clone, address):
        self.clone, self.address = Path(clone).resolve(), address
        self.functions = {
            it.parent.name: json.loads(it.read_text()) for it in self.clone.glob("functions/*/function.json")
        }

    def terraform(self, *arguments):
        """Standard output of `scripts/terraform local …`."""
        command = [self.clone / "scripts/terraform", "local", *arguments]
        environment = os.environ | {"EMULATOR": self.address, "TF_CLI_ARGS": "-no-color"}
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
    text = (local.clone / "terraform/environments/local/values.tfvars").read_text()
    secret = local.client("secretsmanager").get_secret_value(SecretId=f"{NAME}/dashboard/password-hash")["SecretString"]
    if not secret.startswith("$argon2id$") or f'"{secret}"' not in text:
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
    wanted, alarm = listed["function-errors"], found[f"{NAME}-function-errors-rate"]
    said = (wanted["metric"], wanted["period_seconds"], wanted["evaluation_periods"], wanted["threshold"])
    if (alarm["MetricName"], alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) != said:
        yield f"{alarm['AlarmName']}: is not what alarms.json says"
    if not alarm["AlarmActions"][0].endswith(f":{NAME}-{wanted['severity']}"):
        yield f"{alarm['AlarmName']}: tells {alarm['AlarmActions']}"


def a_metric_raises_its_alarm(local):
    """A value that is put as CloudWatch puts what a function emits is found by the alarm's own question, and the alarm can be
    told as raised. To make metrics of the lines in a function's log, to judge an alarm by them and to tell its topic is
    CloudWatch's work: moto does none of the three, so that here the value is put and the state set through the API. That
    functions emit such lines is held by their tests, the rules of judging by those of the stack on a laptop."""
    cloudwatch, name = local.client("cloudwatch"), f"{NAME}-billing-differs"

    def alarm():
        return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]

    def highest():
        """The metric's highest value within the hour, as the alarm asks for it; nothing where there is none."""
        asked = {key: alarm()[key] for key in ("Namespace", "MetricName", "Dimensions", "Period")}
        now = datetime.now(timezone.utc)
        found = cloudwatch.get_metric_statistics(
            **asked, StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1), Statistics=["Maximum"]
        )
        return max((it["Maximum"] for it in found["Datapoints"]), default=None)

    def put(function, value):
        dimensions = [{"Name": "Function", "Value": function}]
        datum = {"MetricName": "BillingDifference", "Dimensions": dimensions, "Value": value, "Unit": "None"}
        cloudwatch.put_metric_data(Namespace="Millrace", MetricData=[datum])

    put(f"{NAME}-rate", 0.5)
    if (value := highest()) is not None:
        yield f"{name}: sees {value} of another function"
    put(f"{NAME}-cache", 0.25)
    value, threshold = highest(), alarm()["Threshold"]
    if value != 0.25 or not value > threshold:
        yield f"{name}: sees {value} of 0.25, with a threshold of {threshold}"
    for state in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=f"a difference of {value}")
        if alarm()["StateValue"] != state:
            yield f"{name}: is {alarm()['StateValue']}, was set to {state}"


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
    bucket_is_private,
    alarms_are_the_list,
    a_metric_raises_its_alarm,
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
            env=os.environ | {"MOTO_ACCOUNT_ID": ACCOUNT},
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
                return list(check(Emulated(clone, address), own_moto=True))
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
