#!/usr/bin/env python3
"""Sends records to a topic of MSK: `send.py CLUSTER_ARN TOPIC < records.jsonl`, a JSON object a line.

It finds the brokers by the cluster's ARN and signs in by IAM as whoever the AWS CLI is, so it runs where the brokers are
reached: in the VPC. `send.py --brokers HOST:PORT TOPIC` sends to a Kafka without TLS, such as a laptop's. Prints the
partition and offset of each record. Exit status 2 for a line that is no JSON object or lacks its key; nothing is sent then.
"""

import json
import sys

# A record's key is the value of this field, so that what is of one number, sensor or customer stays in order.
KEYS = {"usage-events": "subscriber", "sensor-readings": "sensor_id", "customers": "customer_id"}


def brokers_of(cluster_arn):
    """The brokers' addresses for clients that sign in by IAM."""
    import boto3

    client = boto3.client("kafka", region_name=cluster_arn.split(":")[3])
    return client.get_bootstrap_brokers(ClusterArn=cluster_arn)["BootstrapBrokerStringSaslIam"]


def sign_in(cluster_arn):
    """The settings of a client that signs in by IAM over TLS."""
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
    from kafka.sasl.oauth import AbstractTokenProvider

    class Token(AbstractTokenProvider):
        def token(self):
            return MSKAuthTokenProvider.generate_auth_token(cluster_arn.split(":")[3])[0]

    return {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": Token()}


def records(lines, key):
    """Each line with its key, as bytes."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)[key]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"line {number}: expected a JSON object with the field {key}") from None
        yield str(value).encode(), line.strip().encode()


def main():
    arguments = sys.argv[1:]
    local = arguments[:1] == ["--brokers"]
    if len(arguments) != (3 if local else 2) or arguments[-1] not in KEYS:
        print(__doc__)
        return 0 if {"--help", "-h"} & set(arguments) else 2
    place, topic = arguments[-2:]
    if not local and place.count(":") < 5:
        print(f"CLUSTER_ARN {place}: expected arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/ID", file=sys.stderr)
        return 2
    try:
        batch = list(records(sys.stdin, KEYS[topic]))
    except ValueError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    from kafka import KafkaProducer

    settings = {"bootstrap_servers": place} if local else {"bootstrap_servers": brokers_of(place), **sign_in(place)}
    producer = KafkaProducer(acks="all", **settings)
    for sent in [producer.send(topic, value=value, key=key) for key, value in batch]:
        there = sent.get(timeout=60)
        print(f"{there.topic} {there.partition}@{there.offset}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
