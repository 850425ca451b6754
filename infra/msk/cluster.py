"""What the programs of infra/msk have in common: which Kafka is meant, how to sign in to it, and how they end.

Their arguments begin with the cluster: the CLUSTER_ARN of MSK, whose brokers are asked for and signed in to by IAM as whoever the
AWS CLI is, so that they run where the brokers are reached, in the VPC; or `--brokers HOST:PORT` for a Kafka without TLS, such as
a laptop's. Exit status 1 when AWS or Kafka refused, 2 for wrong use or bad input.
"""

import sys


class Wrong(Exception):
    """Wrong use or bad input; the message says what was expected."""


class Cluster:
    """A cluster of MSK by its ARN, or the brokers of another Kafka."""

    def __init__(self, arn=None, brokers=None):
        self.arn, self.brokers = arn, brokers

    def settings(self):
        """The settings of a client: the brokers' addresses and how to sign in."""
        if self.brokers:
            return {"bootstrap_servers": self.brokers}
        import boto3
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
        from kafka.sasl.oauth import AbstractTokenProvider

        region = self.arn.split(":")[3]
        answer = boto3.client("kafka", region_name=region).get_bootstrap_brokers(ClusterArn=self.arn)

        class Token(AbstractTokenProvider):
            def token(self):
                return MSKAuthTokenProvider.generate_auth_token(region)[0]

        return {
            "bootstrap_servers": answer["BootstrapBrokerStringSaslIam"],
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauth_token_provider": Token(),
        }


def named(arguments):
    """The cluster that the arguments begin with, and those after it."""
    if arguments[:1] == ["--brokers"]:
        if len(arguments) < 2 or ":" not in arguments[1]:
            raise Wrong("--brokers: expected HOST:PORT")
        return Cluster(brokers=arguments[1]), arguments[2:]
    if not arguments or arguments[0].count(":") < 5:
        raise Wrong("CLUSTER_ARN: expected arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/ID, or --brokers HOST:PORT; see --help")
    return Cluster(arn=arguments[0]), arguments[1:]


def run(documentation, work):
    """Calls `work` with the cluster that the command line names and the arguments after it. The answer is the exit status."""
    arguments = sys.argv[1:]
    if {"--help", "-h"} & set(arguments):
        print(documentation)
        return 0
    from kafka.errors import KafkaError

    refusals = [KafkaError]
    if arguments[:1] != ["--brokers"]:
        from botocore.exceptions import BotoCoreError, ClientError

        refusals += [BotoCoreError, ClientError]
    try:
        work(*named(arguments))
    except Wrong as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 2
    except tuple(refusals) as refused:
        print(f"error: {refused}", file=sys.stderr)
        return 1
    return 0
