# What GitHub Actions may do, without any stored key: release new code of the functions and migrate (scripts/deploy --code).
# Infrastructure is planned and applied by a person: a pipeline that may do all that Terraform does would be an administrator.

data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  arn    = "arn:${data.aws_partition.current.partition}"
  at     = "${data.aws_region.current.name}:${var.account_id}"
  issuer = "token.actions.githubusercontent.com"
}

resource "aws_iam_openid_connect_provider" "this" {
  count = var.make_provider ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-pipeline"
  description          = "What GitHub Actions of ${var.repository} run as in ${var.environment}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600

  depends_on = [aws_iam_openid_connect_provider.this]
}

data "aws_iam_policy_document" "trust" {
  #checkov:skip=CKV_AWS_358:The claim names one repository and one environment; their variables refuse wildcards
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["${local.arn}:iam::${var.account_id}:oidc-provider/${local.issuer}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["repo:${var.repository}:environment:${var.environment}"]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "release"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

# Functions' variables are encrypted with this key, and Lambda asks for it in the name of who updates or publishes a function: it makes
# a grant for itself. Without Decrypt the variables stay unread.
module "key_use" {
  source = "../key-use"

  account_id = var.account_id
  alias      = var.data_key_alias
  actions    = ["kms:CreateGrant", "kms:Encrypt"]
  services   = ["lambda"]
}

data "aws_iam_policy_document" "this" {
  source_policy_documents = [module.key_use.json]

  statement {
    sid = "ReleaseFunctions"
    actions = [
      "lambda:GetFunctionConfiguration", "lambda:UpdateFunctionCode", "lambda:PublishVersion", "lambda:GetAlias",
      "lambda:ListVersionsByFunction",
    ]
    resources = flatten([for function in var.functions : ["${local.arn}:lambda:${local.at}:function:${function}", "${local.arn}:lambda:${local.at}:function:${function}:*"]])
  }

  statement {
    sid       = "Migrate"
    actions   = ["lambda:InvokeFunction"]
    resources = ["${local.arn}:lambda:${local.at}:function:${var.migrate_function}", "${local.arn}:lambda:${local.at}:function:${var.migrate_function}:*"]
  }

  statement {
    sid     = "ShiftTraffic"
    actions = ["codedeploy:CreateDeployment", "codedeploy:GetDeployment", "codedeploy:GetDeploymentConfig", "codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision", "codedeploy:StopDeployment"]
    resources = concat(
      ["${local.arn}:codedeploy:${local.at}:application:${var.name}", "${local.arn}:codedeploy:${local.at}:deploymentconfig:CodeDeployDefault.Lambda*"],
      [for function in var.functions : "${local.arn}:codedeploy:${local.at}:deploymentgroup:${var.name}/${function}"],
    )
  }
}
