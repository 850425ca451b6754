# The provider has no resource for MSK's topics, CloudFormation has. A stack needs no machine that reaches the brokers. MSK
# makes topics on provisioned clusters only; on a serverless one a client in the VPC does (output topic_commands).

locals {
  topic_configs = { for name, topic in var.topics : name => [
    "message.timestamp.type=LogAppendTime",
    "retention.ms=${topic.retention_hours * 3600 * 1000}",
  ] }

  topic_resources = {
    for name, topic in var.topics : join("", [for part in split("-", name) : title(part)]) => {
      Type = "AWS::MSK::Topic"
      # A topic holds records: taking it out of the list must not delete them. One that a failed stack just made goes with it, or
      # its name would stop the next try.
      DeletionPolicy = "RetainExceptOnCreate"
      Properties = {
        ClusterArn        = local.cluster_arn
        TopicName         = name
        PartitionCount    = topic.partitions
        ReplicationFactor = 3
        Configs           = base64encode(join("\n", local.topic_configs[name]))
      }
    }
  }
}

resource "aws_cloudformation_stack" "topics" {
  #checkov:skip=CKV_AWS_124:Terraform waits for the stack and shows what went wrong
  count = local.provisioned ? 1 : 0

  name = "${var.name}-topics"

  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "The topics of ${var.name}"
    Resources                = local.topic_resources
  })
}
