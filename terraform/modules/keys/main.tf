# Two keys: `data` encrypts what is stored (databases, streams, buckets, secrets, queues), `telemetry` encrypts logs and
# alarm topics, which AWS services write to by themselves.

data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  purposes = {
    data      = "Stored data, secrets and queues"
    telemetry = "Logs and alarm topics"
  }
}

resource "aws_kms_key" "this" {
  for_each = local.purposes

  description             = "${var.name}: ${each.value}"
  enable_key_rotation     = true
  rotation_period_in_days = 365
  deletion_window_in_days = var.deletion_window_days
  policy                  = data.aws_iam_policy_document.this[each.key].json
}

resource "aws_kms_alias" "this" {
  for_each = local.purposes

  name          = "alias/${var.name}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}

data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_109:A key policy; its resource "*" is this key, and the account must be able to administer it
  #checkov:skip=CKV_AWS_111:A key policy; its resource "*" is this key, and the account must be able to administer it
  #checkov:skip=CKV_AWS_356:A key policy; its resource "*" is this key
  for_each = local.purposes

  # Without this statement nobody could administer the key; IAM policies of the account decide who may. "*" in a key policy is the key itself.
  statement {
    sid       = "AccountAdministers"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${var.account_id}:root"]
    }
  }

  dynamic "statement" {
    for_each = each.key == "telemetry" ? [1] : []
    content {
      sid       = "LogsEncrypt"
      actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["logs.${data.aws_region.current.name}.amazonaws.com"]
      }

      condition {
        test     = "ArnLike"
        variable = "kms:EncryptionContext:aws:logs:arn"
        values   = ["arn:${data.aws_partition.current.partition}:logs:${data.aws_region.current.name}:${var.account_id}:log-group:*"]
      }
    }
  }

  dynamic "statement" {
    for_each = each.key == "telemetry" ? [1] : []
    content {
      sid       = "AlarmsPublish"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["cloudwatch.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [var.account_id]
      }
    }
  }
}
