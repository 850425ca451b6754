#!/usr/bin/env python3
"""Sends records to a topic: `send.py CLUSTER_ARN TOPIC < records.jsonl`, a JSON object a line, or with `--brokers HOST:PORT`
instead of the ARN (cluster.py). Prints the partition and offset of each record. Nothing is sent when a line is no JSON object or
lacks its key.
"""

import json
import sys

import cluster

# A record's key is the value of this field, so that what is of one number, sensor or customer stays in order.
KEYS = {"usage-events": "subscriber", "sensor-readings": "sensor_id", "customers": "customer_id"}


def records(lines, key):
    """Each line with its key, as bytes."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)[key]
        except (ValueError, KeyError, TypeError):
            raise cluster.Wrong(f"line {number}: expected a JSON object with the field {key}") from None
        yield str(value).encode(), line.strip().encode()


def send(place, arguments):
    if len(arguments) != 1 or arguments[0] not in KEYS:
        raise cluster.Wrong(f"TOPIC: expected one of {', '.join(KEYS)}")
    topic = arguments[0]
    batch = list(records(sys.stdin, KEYS[topic]))
    from kafka import KafkaProducer

    producer = KafkaProducer(acks="all", **place.settings())
    for sent in [producer.send(topic, value=value, key=key) for key, value in batch]:
        there = sent.get(timeout=60)
        print(f"{there.topic} {there.partition}@{there.offset}")


if __name__ == "__main__":
    sys.exit(cluster.run(__doc__, send))
