# What the function itself may do: what its manifest needs and its triggers ask for.

resource "aws_iam_role" "this" {
  name               = local.full_name
  description        = "What ${local.full_name} runs as"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "manifest"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

locals {
  # A secret's ARN ends with six characters that Secrets Manager chooses.
  secret_arn_of = "arn:${local.partition}:secretsmanager:${local.region}:${var.account_id}:secret:"

  named_secrets = concat(
    contains(local.needs, "mysql") && !local.owns_schema && try(!var.services.mysql.external, false) ? [var.services.mysql.secret_pattern] : [],
    contains(local.needs, "session") && var.services.session != null ? [var.services.session.password_hash_pattern, var.services.session.secret_pattern] : [],
    local.owns_schema ? var.schema_owner.user_secret_patterns : [],
  )

  # RDS and DocumentDB name their own secrets by chance; a tag tells whose they are.
  tagged_secrets = merge(
    local.owns_schema ? { AdminSecret = { tag = "aws:rds:primaryDB${strcontains(var.schema_owner.database_arn, ":cluster:") ? "Cluster" : "Instance"}Arn", value = var.schema_owner.database_arn } } : {},
    contains(local.needs, "documents") && try(!var.services.documents.external, false) ? { DocumentsSecret = { tag = "aws:rds:primaryDBClusterArn", value = var.services.documents.cluster_arn } } : {},
  )

  reads_secrets   = length(local.named_secrets) + length(local.tagged_secrets) > 0
  uses_objects    = contains(local.needs, "objects") && var.services.objects != null
  reads_objects   = local.uses_objects && length(var.manifest.objects.reads) > 0
  writes_objects  = local.uses_objects && length(var.manifest.objects.writes) > 0
  reads_kafka     = contains(local.needs, "kafka") && local.msk
  keeps_failures  = anytrue([for kafka in values(local.kafka) : kafka.on_failure != null]) && var.failed_batches != null
  data_key_via    = compact([local.reads_secrets ? "secretsmanager" : "", local.uses_objects || local.keeps_failures ? "s3" : ""])
  cluster_pattern = !local.msk ? "" : "arn:${local.partition}:kafka:${local.region}:${var.account_id}:cluster/${var.services.kafka.cluster_name}/*"
  topic_prefix    = !local.msk ? "" : "arn:${local.partition}:kafka:${local.region}:${var.account_id}:topic/${var.services.kafka.cluster_name}/*"
  group_prefix    = !local.msk ? "" : "arn:${local.partition}:kafka:${local.region}:${var.account_id}:group/${var.services.kafka.cluster_name}/*"
}

module "key_use" {
  count  = length(local.data_key_via) > 0 ? 1 : 0
  source = "../key-use"

  account_id = var.account_id
  alias      = var.data_key.alias
  actions    = concat(["kms:Decrypt"], local.writes_objects || local.keeps_failures ? ["kms:GenerateDataKey"] : [])
  services   = local.data_key_via
}

data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_111:ec2 interfaces and X-Ray have no narrower resource; the reason stands at each statement
  #checkov:skip=CKV_AWS_356:ec2 interfaces and X-Ray have no narrower resource; the reason stands at each statement
  source_policy_documents = module.key_use[*].json

  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_arn}:*"]
  }

  # Lambda's own interfaces in the VPC: the actions have no resource that is known before (Lambda's documentation asks for "*").
  statement {
    sid       = "StandInTheVpc"
    actions   = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
    resources = ["*"]
  }

  # The function's code must not use those rights itself.
  statement {
    sid       = "ButNotItsCode"
    effect    = "Deny"
    actions   = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = [local.function_arn]
    }
  }

  dynamic "statement" {
    for_each = var.tracing ? [1] : []
    content {
      sid       = "Trace"
      actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      resources = ["*"] # X-Ray has no resources
    }
  }

  dynamic "statement" {
    for_each = length(local.named_secrets) > 0 ? [1] : []
    content {
      sid       = "ReadItsSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for pattern in local.named_secrets : "${local.secret_arn_of}${pattern}-??????"]
    }
  }

  dynamic "statement" {
    for_each = local.tagged_secrets
    content {
      sid       = "Read${statement.key}"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = ["${local.secret_arn_of}rds!*"]

      condition {
        test     = "StringEquals"
        variable = "aws:ResourceTag/${statement.value.tag}"
        values   = [statement.value.value]
      }
    }
  }

  dynamic "statement" {
    for_each = local.reads_objects ? [1] : []
    content {
      sid       = "ReadObjects"
      actions   = ["s3:GetObject"]
      resources = [for prefix in var.manifest.objects.reads : "${var.services.objects.arn}/${prefix}*"]
    }
  }

  dynamic "statement" {
    for_each = local.writes_objects ? [1] : []
    content {
      sid       = "WriteObjects"
      actions   = ["s3:PutObject"]
      resources = [for prefix in var.manifest.objects.writes : "${var.services.objects.arn}/${prefix}*"]
    }
  }

  # IfExists, as S3 says that an object is missing only to who may list the bucket, and asks that without a prefix: otherwise a lost
  # model would look like one that is forbidden, and train would not replace it. What is listed without a prefix are names alone.
  dynamic "statement" {
    for_each = local.reads_objects ? [1] : []
    content {
      sid       = "ListObjects"
      actions   = ["s3:ListBucket"]
      resources = [var.services.objects.arn]

      condition {
        test     = "StringLikeIfExists"
        variable = "s3:prefix"
        values   = [for prefix in var.manifest.objects.reads : "${prefix}*"]
      }
    }
  }

  # The page's live tail: it fetches by offset, without a group.
  dynamic "statement" {
    for_each = local.reads_kafka ? [1] : []
    content {
      sid       = "ReadTopics"
      actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"]
      resources = [for topic in sort(keys(var.partitions)) : "${local.topic_prefix}/${topic}"]
    }
  }

  dynamic "statement" {
    for_each = local.reads_kafka || length(local.kafka) > 0 ? [1] : []
    content {
      sid       = "FindAndJoinTheCluster"
      actions   = ["kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers", "kafka-cluster:Connect", "kafka-cluster:DescribeClusterDynamicConfiguration"]
      resources = [local.cluster_pattern] # MSK adds a UUID to a cluster's name
    }
  }

  # The mapping reads the topic and keeps its group's offsets, in the function's name.
  dynamic "statement" {
    for_each = length(local.kafka) > 0 ? [1] : []
    content {
      sid       = "MappingReadsTopic"
      actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"]
      resources = [for topic in sort(keys(local.kafka)) : "${local.topic_prefix}/${topic}"]
    }
  }

  dynamic "statement" {
    for_each = length(local.kafka) > 0 ? [1] : []
    content {
      sid       = "MappingKeepsOffsets"
      actions   = ["kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup"]
      resources = [for topic in sort(keys(local.kafka)) : "${local.group_prefix}/${local.kafka[topic].consumer_group}"]
    }
  }

  # The mapping looks up the cluster's network; these reads have no resource.
  dynamic "statement" {
    for_each = length(local.kafka) > 0 ? [1] : []
    content {
      sid       = "MappingSeesTheNetwork"
      actions   = ["ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = local.keeps_failures ? [1] : []
    content {
      sid       = "MappingKeepsFailedBatches"
      actions   = ["s3:PutObject", "s3:ListBucket"]
      resources = [var.failed_batches.arn, "${var.failed_batches.arn}/*"]

      condition {
        test     = "StringEquals"
        variable = "s3:ResourceAccount"
        values   = [var.account_id]
      }
    }
  }
}
