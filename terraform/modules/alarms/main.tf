# Each alarm of the list, once for each thing that it watches.

data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  # What there is to watch, and what stands for {…} in dimensions.
  things = concat(
    [for function, it in var.functions : {
      kinds = ["each-function", "function:${function}"], key = function, timeout_ms = it.timeout_ms,
      names = tomap({ function = it.full_name })
    }],
    [for function, it in var.functions : {
      kinds = ["each-schedule"], key = function, timeout_ms = it.timeout_ms,
      names = tomap({ function = it.full_name, queue = it.queue })
    } if it.queue != null],
    [for function, it in var.functions : {
      kinds = ["each-scheduled"], key = function, timeout_ms = it.timeout_ms,
      names = tomap({ function = it.full_name })
    } if it.seldom],
    flatten([for function, it in var.functions : [for topic, mapping in it.mappings : {
      kinds = ["each-mapping"], key = "${function}-${topic}", timeout_ms = it.timeout_ms,
      names = tomap({
        function = it.full_name, topic = topic, consumer_group = mapping.consumer_group, mapping = mapping.uuid,
        cluster  = var.streaming == null ? "" : var.streaming.cluster_name
      })
    }]]),
    [for it in var.streaming[*] : {
      kinds = ["brokers"], key = "", timeout_ms = 0, names = tomap({ cluster = it.cluster_name })
    } if it.brokers > 0],
    flatten([for it in var.streaming[*] : [for broker in range(1, it.brokers + 1) : {
      kinds = ["each-broker"], key = tostring(broker), timeout_ms = 0, names = tomap({ cluster = it.cluster_name, broker = tostring(broker) })
    }]]),
    [for it in var.database[*] : {
      kinds = it.cluster ? ["database"] : ["database", "database-disk"], key = "", timeout_ms = 0,
      names = tomap({ database = it.identifier, database_dimension = it.cluster ? "DBClusterIdentifier" : "DBInstanceIdentifier" })
    }],
    [for it in var.documents[*] : { kinds = ["documents"], key = "", timeout_ms = 0, names = tomap({ documents = it }) }],
  )

  alarms = merge([for alarm in var.alarms : {
    for thing in local.things : (thing.key == "" || startswith(alarm.for, "function:") ? alarm.name : "${alarm.name}-${thing.key}") => merge(alarm, {
      dimensions = { for dimension, value in alarm.dimensions :
        lookup(thing.names, trim(dimension, "{}"), dimension) => startswith(value, "{") ? thing.names[trim(value, "{}")] : value
      }
      threshold = lookup(var.thresholds, alarm.name, alarm.threshold_of == null ? alarm.threshold : floor(alarm.threshold * thing.timeout_ms))
    }) if contains(thing.kinds, alarm.for)
  }]...)

  percentiles = ["p50", "p90", "p95", "p99"]
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${title(each.value.severity)}: ${each.value.meaning}. See ${var.runbook}#${each.value.name}"

  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = contains(local.percentiles, each.value.statistic) ? null : each.value.statistic
  extended_statistic  = contains(local.percentiles, each.value.statistic) ? each.value.statistic : null
  period              = each.value.period_seconds
  evaluation_periods  = each.value.evaluation_periods
  datapoints_to_alarm = each.value.datapoints_to_alarm
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing_data

  # Its group pages; it only shows.
  alarm_actions = var.composite ? [] : [local.topic_arns[each.value.severity]]
  ok_actions    = var.composite ? [] : [local.topic_arns[each.value.severity]]
}
