#!/usr/bin/env python3
"""Sets a consumer group back in time: `rewind.py CLUSTER_ARN GROUP TOPIC TIME`, with a TIME such as 2026-11-21T08:00:00Z, or with
`--brokers HOST:PORT` instead of the ARN (cluster.py). The group goes on with the first record of each partition that the broker
took at TIME or after it. Its mapping must be off: Kafka refuses while somebody reads by the group. Prints each partition with the
offset to go on from and the one that comes next.
"""

import sys
from datetime import datetime

import cluster


def instant(text):
    """An RFC 3339 time in milliseconds since 1970."""
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise cluster.Wrong(f"TIME {text}: expected a time with its zone, such as 2026-11-21T08:00:00Z")
    return int(time.timestamp() * 1000)


def rewind(place, arguments):
    if len(arguments) != 3:
        raise cluster.Wrong("expected GROUP TOPIC TIME after the cluster; see --help")
    group, topic, time = arguments[0], arguments[1], instant(arguments[2])
    from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

    consumer = KafkaConsumer(group_id=group, enable_auto_commit=False, **place.settings())
    partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
    if not partitions:
        raise cluster.Wrong(f"TOPIC {topic}: there is no such topic")
    ends = consumer.end_offsets(partitions)
    # A partition without a record since TIME goes on at its end.
    found = consumer.offsets_for_times({partition: time for partition in partitions})
    offsets = {it: found[it].offset if found.get(it) else ends[it] for it in partitions}
    consumer.commit({it: OffsetAndMetadata(offset, "", -1) for it, offset in offsets.items()})
    for it, offset in offsets.items():
        print(f"{it.topic} {it.partition}@{offset} of {ends[it]}")
    consumer.close()


if __name__ == "__main__":
    sys.exit(cluster.run(__doc__, rewind))
