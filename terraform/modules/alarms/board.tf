# What is going on, on one page: one graph for each metric of the list, with its threshold.

locals {
  # One graph for each alarm of the list, with a line for each thing that it watches.
  graphs = { for alarm in var.alarms : alarm.name => [for key, it in local.alarms : it if it.name == alarm.name] }
  shown  = [for alarm in var.alarms : alarm if length(local.graphs[alarm.name]) > 0]

  widgets = [for index, alarm in local.shown : {
    type   = "metric"
    x      = (index % 3) * 8
    y      = floor(index / 3) * 6
    width  = 8
    height = 6
    properties = {
      title   = "${alarm.name}: ${alarm.meaning}"
      region  = data.aws_region.current.name
      stat    = alarm.statistic
      period  = alarm.period_seconds
      view    = "timeSeries"
      metrics = [for it in local.graphs[alarm.name] : concat([it.namespace, it.metric], flatten([for dimension, value in it.dimensions : [dimension, value]]))]
      annotations = { horizontal = [{
        label = alarm.severity, value = local.graphs[alarm.name][0].threshold
      }] }
    }
  }]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({ widgets = local.widgets })
}
