# Channels of Slack and Teams that are told what the topics are, by Amazon Q Developer in chat applications (once AWS Chatbot).
# SNS' messages mean nothing to a chat's own webhooks.

locals {
  # By chat, channels by the severities that they are told of. A channel that is named for both is one configuration: AWS takes no
  # second one of it.
  chats = { for chat, channels in { slack = try(var.slack.channels, {}), teams = try(var.teams.channels, {}) } : chat => {
    for channel in distinct(compact(values(channels))) :
    join("-", [for severity in local.severities : severity if channels[severity] == channel]) => channel
  } }

  chat_roles = anytrue([for channels in values(local.chats) : length(channels) > 0]) ? 1 : 0
}

resource "aws_chatbot_slack_channel_configuration" "this" {
  for_each = local.chats.slack

  configuration_name    = "${var.name}-slack-${each.key}"
  slack_team_id         = var.slack.team_id
  slack_channel_id      = each.value
  sns_topic_arns        = [for severity in split("-", each.key) : aws_sns_topic.this[severity].arn]
  iam_role_arn          = aws_iam_role.chat[0].arn
  guardrail_policy_arns = [aws_iam_policy.chat[0].arn]
}

resource "aws_chatbot_teams_channel_configuration" "this" {
  for_each = local.chats.teams

  configuration_name    = "${var.name}-teams-${each.key}"
  team_id               = var.teams.team_id
  tenant_id             = var.teams.tenant_id
  channel_id            = each.value
  sns_topic_arns        = [for severity in split("-", each.key) : aws_sns_topic.this[severity].arn]
  iam_role_arn          = aws_iam_role.chat[0].arn
  guardrail_policy_arns = [aws_iam_policy.chat[0].arn]
}

# What the channel's messages and whoever writes in it may read: alarms and their graphs. Without a guardrail of its own a channel's
# is AdministratorAccess.
resource "aws_iam_policy" "chat" {
  count = local.chat_roles

  name   = "${var.name}-chat"
  policy = data.aws_iam_policy_document.chat.json
}

resource "aws_iam_role" "chat" {
  count = local.chat_roles

  name               = "${var.name}-chat"
  assume_role_policy = data.aws_iam_policy_document.chat_assumes.json
}

resource "aws_iam_role_policy_attachment" "chat" {
  count = local.chat_roles

  role       = aws_iam_role.chat[0].name
  policy_arn = aws_iam_policy.chat[0].arn
}

data "aws_iam_policy_document" "chat_assumes" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["chatbot.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "chat" {
  #checkov:skip=CKV_AWS_356:Reads of alarms and metrics have no resource
  statement {
    sid = "ShowAlarms"
    actions = [
      "cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics",
      "cloudwatch:GetMetricWidgetImage", "cloudwatch:ListMetrics",
    ]
    resources = ["*"]
  }
}
