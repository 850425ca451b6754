# EMR Serverless for infra/spark: nothing runs, and nothing costs, between jobs.

data "aws_region" "current" {}
data "aws_partition" "current" {}

resource "aws_emrserverless_application" "this" {
  name          = var.name
  type          = "spark"
  release_label = "emr-spark-8.0.0" # Spark 4.0, which the jobs are tested on
  architecture  = "ARM64"

  auto_start_configuration {
    enabled = true
  }

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = 5
  }

  maximum_capacity {
    cpu    = "${var.limit.vcpu} vCPU"
    memory = "${var.limit.memory_gb} GB"
  }

  network_configuration {
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/spark"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_iam_role" "job" {
  name               = "${var.name}-spark-job"
  description        = "What the jobs of infra/spark run as"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["emr-serverless.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy" "job" {
  name   = "archive"
  role   = aws_iam_role.job.id
  policy = data.aws_iam_policy_document.job.json
}

module "key_use" {
  source = "../key-use"

  account_id = var.account_id
  alias      = var.data_key.alias
  actions    = ["kms:Decrypt", "kms:GenerateDataKey"]
  services   = ["s3"]
}

data "aws_iam_policy_document" "job" {
  #checkov:skip=CKV_AWS_356:DescribeLogGroups has no resource
  source_policy_documents = [module.key_use.json]

  statement {
    sid       = "ReadArchiveAndJobs"
    actions   = ["s3:GetObject"]
    resources = ["${var.bucket_arn}/archive/*", "${var.bucket_arn}/spark/jobs/*"]
  }

  statement {
    sid       = "WriteResults"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${var.bucket_arn}/spark/results/*"]
  }

  statement {
    sid       = "ListThem"
    actions   = ["s3:ListBucket"]
    resources = [var.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["archive/*", "spark/*"]
    }
  }

  statement {
    sid       = "WriteItsLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.name}:${var.account_id}:log-group:/${var.name}/spark:*"]
  }

  # EMR looks for its group first; that read has no resource.
  statement {
    sid       = "FindItsLog"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"]
  }
}
