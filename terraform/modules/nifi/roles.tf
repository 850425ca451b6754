# start: fetches the image and opens the log. flow: takes files from the bucket and writes their records to the topics.

locals {
  policies = { start = data.aws_iam_policy_document.start.json, flow = data.aws_iam_policy_document.flow.json }
}

resource "aws_iam_role" "this" {
  for_each = toset(["start", "flow"])

  name               = "${var.name}-nifi-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = aws_iam_role.this

  name   = each.key
  role   = each.value.id
  policy = local.policies[each.key]
}

data "aws_iam_policy_document" "start" {
  #checkov:skip=CKV_AWS_356:GetAuthorizationToken has no resource
  statement {
    sid       = "FetchTheImage"
    actions   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
    resources = ["${local.arn}:ecr:${data.aws_region.current.name}:${split(".", var.image)[0]}:repository/${split("@", join("/", slice(split("/", var.image), 1, length(split("/", var.image)))))[0]}"]
  }

  # This read has no resource.
  statement {
    sid       = "SignInToTheRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.arn}:logs:${local.at}:log-group:/${var.name}/nifi:*"]
  }
}

module "key_use" {
  source = "../key-use"

  account_id = var.account_id
  alias      = var.intake.key_alias
  actions    = ["kms:Decrypt", "kms:GenerateDataKey"]
  services   = ["s3"]
}

data "aws_iam_policy_document" "flow" {
  #checkov:skip=CKV_AWS_111:ECS Exec's channels have no resource; the reason stands at the statement
  #checkov:skip=CKV_AWS_356:ECS Exec's channels have no resource; the reason stands at the statement
  source_policy_documents = [module.key_use.json]

  statement {
    sid       = "JoinTheCluster"
    actions   = ["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently"]
    resources = ["${local.arn}:kafka:${local.at}:cluster/${var.kafka.cluster_name}/*"] # MSK adds a UUID to a cluster's name
  }

  statement {
    sid       = "WriteToTopics"
    actions   = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
    resources = [for topic in var.kafka.topics : "${local.arn}:kafka:${local.at}:topic/${var.kafka.cluster_name}/*/${topic}"]
  }

  statement {
    sid       = "TakeFiles"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${var.intake.bucket_arn}/${local.intake_prefix}*"]
  }

  statement {
    sid       = "ListFiles"
    actions   = ["s3:ListBucket"]
    resources = [var.intake.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.intake_prefix}*"]
    }
  }

  # ECS Exec opens channels that have no resource.
  statement {
    sid       = "LetPeopleIn"
    actions   = ["ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"]
    resources = ["*"]
  }
}
