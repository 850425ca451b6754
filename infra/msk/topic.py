#!/usr/bin/env python3
"""Makes a topic, for a serverless cluster, where no service of AWS does: `topic.py CLUSTER_ARN TOPIC PARTITIONS [KEY=VALUE…]`, or
with `--brokers HOST:PORT` instead of the ARN (cluster.py), which makes one copy instead of three. Terraform's output
topic_commands has the lines. A topic that is there already is an error, and left as it is.
"""

import sys

import cluster


def make(place, arguments):
    if len(arguments) < 2 or not arguments[1].isdigit() or not all("=" in it for it in arguments[2:]):
        raise cluster.Wrong("expected TOPIC PARTITIONS [KEY=VALUE…] after the cluster; see --help")
    name, partitions, *settings = arguments
    from kafka.admin import KafkaAdminClient, NewTopic

    topic = NewTopic(
        name,
        num_partitions=int(partitions),
        replication_factor=1 if place.brokers else 3,
        topic_configs=dict(it.split("=", 1) for it in settings),
    )
    admin = KafkaAdminClient(**place.settings())
    admin.create_topics([topic])
    print(f"{name}: {partitions} partitions")
    admin.close()


if __name__ == "__main__":
    sys.exit(cluster.run(__doc__, make))
