# One fault pages once: alarms of a group and severity are one composite alarm, which keeps quiet while the group that
# explains it is in alarm.

locals {
  severities = ["critical", "warning"]

  members = { for group in setproduct([for group in var.groups : group.name], local.severities) : "${group[0]}-${group[1]}" => {
    group    = group[0]
    severity = group[1]
    alarms   = sort([for key, alarm in local.alarms : "${var.name}-${key}" if alarm.group == group[0] && alarm.severity == group[1]])
  } }

  composites = { for key, it in local.members : key => it if var.composite && length(it.alarms) > 0 }
  silencer   = { for group in var.groups : group.name => group.silenced_by }

  # Two tiers, as a composite alarm may only name one that exists: first those that nothing silences.
  first  = { for key, it in local.composites : key => it if local.silencer[it.group] == null }
  second = { for key, it in local.composites : key => it if try(contains(keys(local.first), "${local.silencer[it.group]}-critical"), false) }
  third  = { for key, it in local.composites : key => it if !contains(keys(local.first), key) && !contains(keys(local.second), key) }

  rules = { for key, it in local.composites : key => join(" OR ", [for alarm in it.alarms : "ALARM(\"${alarm}\")"]) }
}

resource "aws_cloudwatch_composite_alarm" "first" {
  for_each = local.first

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${title(each.value.severity)} in ${each.value.group}: the alarms within say what. See ${var.runbook}"
  alarm_rule        = local.rules[each.key]
  alarm_actions     = [local.topic_arns[each.value.severity]]
  ok_actions        = [local.topic_arns[each.value.severity]]

  depends_on = [aws_cloudwatch_metric_alarm.this]
}

resource "aws_cloudwatch_composite_alarm" "second" {
  for_each = local.second

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${title(each.value.severity)} in ${each.value.group}: the alarms within say what. See ${var.runbook}"
  alarm_rule        = local.rules[each.key]
  alarm_actions     = [local.topic_arns[each.value.severity]]
  ok_actions        = [local.topic_arns[each.value.severity]]

  actions_suppressor {
    alarm            = "${var.name}-${local.silencer[each.value.group]}-critical"
    wait_period      = var.silence.wait_seconds
    extension_period = var.silence.extension_seconds
  }

  depends_on = [aws_cloudwatch_metric_alarm.this, aws_cloudwatch_composite_alarm.first]
}

resource "aws_cloudwatch_composite_alarm" "third" {
  for_each = local.third

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${title(each.value.severity)} in ${each.value.group}: the alarms within say what. See ${var.runbook}"
  alarm_rule        = local.rules[each.key]
  alarm_actions     = [local.topic_arns[each.value.severity]]
  ok_actions        = [local.topic_arns[each.value.severity]]

  dynamic "actions_suppressor" {
    for_each = contains(keys(local.composites), "${local.silencer[each.value.group]}-critical") ? [1] : []
    content {
      alarm            = "${var.name}-${local.silencer[each.value.group]}-critical"
      wait_period      = var.silence.wait_seconds
      extension_period = var.silence.extension_seconds
    }
  }

  depends_on = [aws_cloudwatch_metric_alarm.this, aws_cloudwatch_composite_alarm.second]
}
