#!/usr/bin/env python3
"""Calls one operation of an emulator's CloudWatch by AWS' own client: `cloudwatch.py ADDRESS REGION OPERATION`, such as
`put_metric_data`. Parameters come on standard input as JSON, the answer goes to standard output as JSON."""

import json
import sys

import boto3


def main():
    address, region, operation = sys.argv[1:]
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("cloudwatch", endpoint_url=address, region_name=region, **keys)
    answer = getattr(client, operation)(**json.load(sys.stdin))
    json.dump(answer, sys.stdout, default=lambda time: time.isoformat())


if __name__ == "__main__":
    main()
