# CodeDeploy moves each function's alias to a new version, and back when its alarm goes off.

resource "aws_codedeploy_app" "this" {
  count = var.shift == null ? 0 : 1

  name             = local.name
  compute_platform = "Lambda"
}

resource "aws_iam_role" "codedeploy" {
  count = var.shift == null ? 0 : 1

  name               = "${local.name}-codedeploy"
  description        = "Moves aliases of ${local.name}'s functions"
  assume_role_policy = data.aws_iam_policy_document.codedeploy_trust.json
}

data "aws_iam_policy_document" "codedeploy_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codedeploy.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy" "codedeploy" {
  count = var.shift == null ? 0 : 1

  name   = "shift"
  role   = aws_iam_role.codedeploy[0].id
  policy = data.aws_iam_policy_document.codedeploy.json
}

data "aws_iam_policy_document" "codedeploy" {
  #checkov:skip=CKV_AWS_356:DescribeAlarms has no resource
  statement {
    sid     = "MoveAliases"
    actions = ["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"]
    resources = flatten([for function in sort(keys(local.manifests)) : [
      "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.name}:${var.account_id}:function:${local.name}-${function}",
      "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.name}:${var.account_id}:function:${local.name}-${function}:live",
    ]])
  }

  # This read has no resource.
  statement {
    sid       = "WatchAlarms"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["*"]
  }
}
