# A new version takes traffic step by step and gives it back when an alarm goes off.

resource "aws_codedeploy_deployment_group" "this" {
  count = var.codedeploy_application == null ? 0 : 1

  app_name               = var.codedeploy_application.name
  deployment_group_name  = local.full_name
  deployment_config_name = var.shift
  service_role_arn       = var.codedeploy_application.role_arn

  deployment_style {
    deployment_type   = "BLUE_GREEN"
    deployment_option = "WITH_TRAFFIC_CONTROL"
  }

  alarm_configuration {
    enabled = true
    alarms  = concat([aws_cloudwatch_metric_alarm.shift[0].alarm_name], [for alarm in aws_cloudwatch_metric_alarm.shift_batches : alarm.alarm_name])
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }
}

# Errors of the alias, watched while traffic moves. People are paged by modules/alarms.
resource "aws_cloudwatch_metric_alarm" "shift" {
  count = var.codedeploy_application == null ? 0 : 1

  alarm_name          = "${local.full_name}-shift"
  alarm_description   = "Takes a new version of ${local.full_name} back while traffic moves to it. See docs/runbook.md#function-errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = local.full_name, Resource = "${local.full_name}:live" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
}

# A version that stores nothing of what it reads asks for its batches again and returns no error. A passing fault asks once or twice.
resource "aws_cloudwatch_metric_alarm" "shift_batches" {
  for_each = { for topic, kafka in local.kafka : topic => kafka if var.codedeploy_application != null }

  alarm_name          = "${local.full_name}-shift-${each.key}"
  alarm_description   = "Takes a new version of ${local.full_name} back while traffic moves to it. See docs/runbook.md#batches-failed"
  namespace           = "Millrace"
  metric_name         = "BatchesFailed"
  dimensions          = { Function = local.full_name, Topic = each.key }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 3
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
}
