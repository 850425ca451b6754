# What Scheduler may do for this function: invoke it, and keep what failed.

resource "aws_iam_role" "scheduler" {
  count = length(local.schedules) > 0 ? 1 : 0

  name               = "${local.full_name}-scheduler"
  description        = "What the schedules of ${local.full_name} run as"
  assume_role_policy = data.aws_iam_policy_document.scheduler_trust.json
}

data "aws_iam_policy_document" "scheduler_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:scheduler:${local.region}:${var.account_id}:schedule-group/${local.full_name}"]
    }
  }
}

resource "aws_iam_role_policy" "scheduler" {
  count = length(local.schedules) > 0 ? 1 : 0

  name   = "invoke"
  role   = aws_iam_role.scheduler[0].id
  policy = data.aws_iam_policy_document.scheduler.json
}

module "failures_key_use" {
  source = "../key-use"

  account_id = var.account_id
  alias      = var.data_key.alias
  sid        = "EncryptFailures"
  actions    = ["kms:Decrypt", "kms:GenerateDataKey"]
  services   = ["sqs"]
}

# The schedules' events, which Scheduler decrypts as this role. It names the schedule, and may name no service that it comes by.
module "schedules_key_use" {
  source = "../key-use"

  account_id = var.account_id
  alias      = var.data_key.alias
  sid        = "DecryptItsSchedules"
  actions    = ["kms:Decrypt"]
  context    = { "aws:scheduler:schedule:arn" = "arn:${local.partition}:scheduler:${local.region}:${var.account_id}:schedule/${local.full_name}/*" }
}

data "aws_iam_policy_document" "scheduler" {
  source_policy_documents = [module.failures_key_use.json, module.schedules_key_use.json]

  statement {
    sid       = "Invoke"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.alias_arn]
  }

  statement {
    sid       = "KeepFailures"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arn]
  }
}
