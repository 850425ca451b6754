# What lets a role use one of the platform's keys: a policy of one statement, which roles put into theirs.

data "aws_region" "current" {}
data "aws_partition" "current" {}

data "aws_iam_policy_document" "this" {
  statement {
    sid     = var.sid
    actions = var.actions
    # A key's id is only known once it is made: it is named by its alias.
    resources = ["arn:${data.aws_partition.current.partition}:kms:${data.aws_region.current.name}:${var.account_id}:key/*"]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = [var.alias]
    }

    dynamic "condition" {
      for_each = length(var.services) > 0 ? [1] : []
      content {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = [for service in var.services : "${service}.${data.aws_region.current.name}.amazonaws.com"]
      }
    }

    dynamic "condition" {
      for_each = var.context
      content {
        test     = "ArnLike"
        variable = "kms:EncryptionContext:${condition.key}"
        values   = [condition.value]
      }
    }
  }
}
