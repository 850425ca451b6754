locals {
  topic_arns = { for severity in local.severities : severity => "arn:${data.aws_partition.current.partition}:sns:${data.aws_region.current.name}:${var.account_id}:${var.name}-${severity}" }
}

resource "aws_sns_topic" "this" {
  for_each = toset(local.severities)

  name              = "${var.name}-${each.key}"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_policy" "this" {
  for_each = aws_sns_topic.this

  arn    = each.value.arn
  policy = data.aws_iam_policy_document.topic[each.key].json
}

data "aws_iam_policy_document" "topic" {
  for_each = toset(local.severities)

  statement {
    sid       = "AlarmsPublish"
    actions   = ["sns:Publish"]
    resources = [local.topic_arns[each.key]]

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

resource "aws_sns_topic_subscription" "email" {
  for_each = { for pair in concat(
    [for address in var.emails.critical : { severity = "critical", address = address }],
    [for address in var.emails.warning : { severity = "warning", address = address }],
  ) : "${pair.severity} ${pair.address}" => pair }

  topic_arn = aws_sns_topic.this[each.value.severity].arn
  protocol  = "email"
  endpoint  = each.value.address
}

resource "aws_sns_topic_subscription" "critical_webhook" {
  count = nonsensitive(length(var.webhooks.critical))

  topic_arn = aws_sns_topic.this["critical"].arn
  protocol  = "https"
  endpoint  = var.webhooks.critical[count.index]
}

resource "aws_sns_topic_subscription" "warning_webhook" {
  count = nonsensitive(length(var.webhooks.warning))

  topic_arn = aws_sns_topic.this["warning"].arn
  protocol  = "https"
  endpoint  = var.webhooks.warning[count.index]
}
