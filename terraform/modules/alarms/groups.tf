# One fault pages once: alarms of a group and severity are one composite alarm, which keeps quiet while what may explain it
# is in alarm.

locals {
  severities = ["critical", "warning"]

  # The alarms of each group and severity, as CloudWatch combines them; empty where there are none.
  rules = { for pair in setproduct(var.groups[*].name, local.severities) : "${pair[0]}-${pair[1]}" => join(" OR ", [
    for key, alarm in local.alarms : "ALARM(\"${var.name}-${key}\")" if alarm.group == pair[0] && alarm.severity == pair[1]
  ]) }

  # What a group warns of mostly follows from what is critical in it.
  pages = merge([for group in var.groups : { for severity in local.severities : "${group.name}-${severity}" => {
    group    = group.name
    severity = severity
    silenced_by = [
      for by in sort(concat(group.silenced_by, severity == "warning" ? [group.name] : [])) : by if local.rules["${by}-critical"] != ""
    ]
  } if var.composite && local.rules["${group.name}-${severity}"] != "" }]...)

  # The sections of the alarms that a page holds. A description has 1024 characters: where all of them need more, they are named.
  names = { for key, page in local.pages : key => distinct([
    for alarm in local.alarms : alarm.name if alarm.group == page.group && alarm.severity == page.severity
  ]) }
  links    = { for key, names in local.names : key => join(" ", [for name in names : "${var.runbook}#${name}"]) }
  sections = { for key, names in local.names : key => length(local.links[key]) <= 900 ? local.links[key] : "${var.runbook}: ${join(", ", names)}" }

  # By the groups' names, as many pages have the same explanations.
  silencers = merge([for page in local.pages : {
    (join("-or-", page.silenced_by)) = join(" OR ", [for by in page.silenced_by : local.rules["${by}-critical"]])
  } if length(page.silenced_by) > 0]...)
}

# An alarm has one suppressor, so that it is made of all critical alarms that may explain the page. It tells nobody.
resource "aws_cloudwatch_composite_alarm" "silencer" {
  for_each = local.silencers

  alarm_name        = "${var.name}-silencer-${each.key}"
  alarm_description = "Keeps pages quiet that critical alarms of these groups explain"
  alarm_rule        = each.value

  depends_on = [aws_cloudwatch_metric_alarm.this]
}

resource "aws_cloudwatch_composite_alarm" "page" {
  for_each = local.pages

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${title(each.value.severity)} in ${each.value.group}: the alarms within say what. See ${local.sections[each.key]}"
  alarm_rule        = local.rules[each.key]
  alarm_actions     = [local.topic_arns[each.value.severity]]
  ok_actions        = [local.topic_arns[each.value.severity]]

  dynamic "actions_suppressor" {
    for_each = length(each.value.silenced_by) > 0 ? [join("-or-", each.value.silenced_by)] : []
    content {
      alarm            = aws_cloudwatch_composite_alarm.silencer[actions_suppressor.value].alarm_name
      wait_period      = var.silence.wait_seconds
      extension_period = var.silence.extension_seconds
    }
  }

  depends_on = [aws_cloudwatch_metric_alarm.this]
}
