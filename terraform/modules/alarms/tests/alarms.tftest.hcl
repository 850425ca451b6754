mock_provider "aws" {
  source = "../../testing"
}

override_resource {
  target = aws_sns_topic.this["critical"]
  values = { arn = "arn:aws:sns:eu-central-1:000000000000:millrace-test-critical" }
}

override_resource {
  target = aws_sns_topic.this["warning"]
  values = { arn = "arn:aws:sns:eu-central-1:000000000000:millrace-test-warning" }
}

variables {
  name       = "millrace-test"
  account_id = "000000000000"
  key_arn    = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
  silence    = { wait_seconds = 240, extension_seconds = 300 }
  groups = [
    { name = "database", silenced_by = [] },
    { name = "streaming", silenced_by = [] },
    { name = "functions", silenced_by = ["database"] },
    { name = "ingest", silenced_by = ["functions", "database", "streaming"] },
    { name = "runs", silenced_by = ["database"] },
  ]
  alarms = [
    { name = "function-near-timeout", group = "functions", for = "each-function", namespace = "AWS/Lambda", metric = "Duration", unit = "Milliseconds", dimensions = { FunctionName = "{function}" }, statistic = "Maximum", period_seconds = 300, evaluation_periods = 3, datapoints_to_alarm = 2, comparison = "GreaterThanThreshold", threshold = 0.5, threshold_of = "timeout_ms", missing_data = "notBreaching", severity = "critical", meaning = "slow" },
    { name = "run-failed", group = "runs", for = "each-scheduled", namespace = "AWS/Lambda", metric = "Errors", unit = "Count", dimensions = { FunctionName = "{function}" }, statistic = "Sum", period_seconds = 300, evaluation_periods = 1, datapoints_to_alarm = 1, comparison = "GreaterThanThreshold", threshold = 0, missing_data = "ignore", severity = "warning", meaning = "failed" },
    { name = "batch-slow", group = "ingest", for = "each-mapping", namespace = "Millrace", metric = "BatchDuration", unit = "Milliseconds", dimensions = { Function = "{function}", Topic = "{topic}" }, statistic = "p99", period_seconds = 300, evaluation_periods = 3, datapoints_to_alarm = 3, comparison = "GreaterThanThreshold", threshold = 20000, missing_data = "notBreaching", severity = "warning", meaning = "batches take long" },
    { name = "database-away", group = "database", for = "database", namespace = "AWS/RDS", metric = "CPUUtilization", unit = "Percent", dimensions = { "{database_dimension}" = "{database}" }, statistic = "SampleCount", period_seconds = 60, evaluation_periods = 5, datapoints_to_alarm = 5, comparison = "LessThanThreshold", threshold = 1, missing_data = "breaching", severity = "critical", meaning = "away" },
    { name = "database-busy", group = "database", for = "database", namespace = "AWS/RDS", metric = "CPUUtilization", unit = "Percent", dimensions = { "{database_dimension}" = "{database}" }, statistic = "Average", period_seconds = 300, evaluation_periods = 3, datapoints_to_alarm = 3, comparison = "GreaterThanThreshold", threshold = 90, missing_data = "notBreaching", severity = "warning", meaning = "busy" },
  ]
  functions = {
    rate  = { full_name = "millrace-test-rate", timeout_ms = 60000, mappings = { usage-events = { consumer_group = "millrace-rate", uuid = "u-1" } }, queue = null }
    cache = { full_name = "millrace-test-cache", timeout_ms = 300000, mappings = {}, queue = "millrace-test-cache-schedule-failures" }
    bill  = { full_name = "millrace-test-bill", timeout_ms = 900000, mappings = {}, queue = "millrace-test-bill-schedule-failures", seldom = true }
  }
  database   = { identifier = "millrace-test", cluster = false }
  thresholds = { batch-slow = 5000 }
  runbook    = "https://git.example.com/docs/runbook.md"
  emails     = { critical = ["on-call@example.com"] }
}

run "makes_an_alarm_for_each_thing" {
  command = apply

  assert {
    condition     = output.names == tolist(["millrace-test-batch-slow-rate-usage-events", "millrace-test-database-away", "millrace-test-database-busy", "millrace-test-function-near-timeout-bill", "millrace-test-function-near-timeout-cache", "millrace-test-function-near-timeout-rate", "millrace-test-run-failed-bill"])
    error_message = "one for each function, mapping and database, and for a run of what runs seldom"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["function-near-timeout-cache"].threshold == 150000 && aws_cloudwatch_metric_alarm.this["batch-slow-rate-usage-events"].threshold == 5000
    error_message = "a share of the timeout, and the environment's own threshold"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["batch-slow-rate-usage-events"].dimensions == tomap({ Function = "millrace-test-rate", Topic = "usage-events" }) && aws_cloudwatch_metric_alarm.this["batch-slow-rate-usage-events"].extended_statistic == "p99"
    error_message = "dimensions are the thing's names"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["database-away"].dimensions == tomap({ DBInstanceIdentifier = "millrace-test" })
    error_message = "an instance and a cluster have dimensions of their own"
  }

  assert {
    condition     = endswith(aws_cloudwatch_metric_alarm.this["database-away"].alarm_description, "See https://git.example.com/docs/runbook.md#database-away")
    error_message = "each names its section of the runbook"
  }

  assert {
    condition     = endswith(aws_cloudwatch_composite_alarm.page["functions-critical"].alarm_description, "See https://git.example.com/docs/runbook.md#function-near-timeout") && strcontains(aws_cloudwatch_composite_alarm.page["database-critical"].alarm_description, "runbook.md#database-away")
    error_message = "a page, which is all that is sent, leads to the sections of its alarms, each once"
  }

  # What is going on, on one page.
  assert {
    condition = { for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : split(":", widget.properties.title)[0] => [
      widget.properties.stat, widget.properties.period, widget.properties.annotations.horizontal[0].value, widget.properties.metrics
      ] } == {
      run-failed            = ["Sum", 300, 0, [["AWS/Lambda", "Errors", "FunctionName", "millrace-test-bill"]]]
      function-near-timeout = ["Maximum", 300, 450000, [for function in ["bill", "cache", "rate"] : ["AWS/Lambda", "Duration", "FunctionName", "millrace-test-${function}"]]]
      batch-slow            = ["p99", 300, 5000, [["Millrace", "BatchDuration", "Function", "millrace-test-rate", "Topic", "usage-events"]]]
      database-away         = ["SampleCount", 60, 1, [["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", "millrace-test"]]]
      database-busy         = ["Average", 300, 90, [["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", "millrace-test"]]]
    }
    error_message = "a graph for each alarm that is there, with all that it watches and its threshold: ${aws_cloudwatch_dashboard.this.dashboard_body}"
  }

  assert {
    condition     = length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.x} ${widget.y}"])) == 5
    error_message = "no graph hides another"
  }

  assert {
    condition = { for key, page in aws_cloudwatch_composite_alarm.page : key => join(", ", page.actions_suppressor[*].alarm) } == {
      database-critical  = ""
      database-warning   = "millrace-test-silencer-database"
      functions-critical = "millrace-test-silencer-database"
      ingest-warning     = "millrace-test-silencer-database-or-functions"
      runs-warning       = "millrace-test-silencer-database"
    }
    error_message = "a page keeps quiet for what may explain it, and a warning for what is critical in its group"
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.silencer["database-or-functions"].alarm_rule == "ALARM(\"millrace-test-database-away\") OR ALARM(\"millrace-test-function-near-timeout-bill\") OR ALARM(\"millrace-test-function-near-timeout-cache\") OR ALARM(\"millrace-test-function-near-timeout-rate\")"
    error_message = "what explains is any critical alarm of the groups that are there"
  }

  assert {
    condition     = alltrue([for silencer in aws_cloudwatch_composite_alarm.silencer : try(length(silencer.alarm_actions), 0) == 0]) && alltrue([for page in aws_cloudwatch_composite_alarm.page : length(page.alarm_actions) == 1])
    error_message = "pages tell, silencers do not"
  }

  assert {
    condition     = length(aws_chatbot_slack_channel_configuration.this) + length(aws_chatbot_teams_channel_configuration.this) + length(aws_iam_role.chat) == 0
    error_message = "without a chat nothing is made for one"
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 0])
    error_message = "the group pages, not each alarm"
  }
}

run "tells_a_chat_that_is_asked_for" {
  command = apply

  variables {
    slack = { team_id = "T0123456789", channels = { critical = "C0123456789", warning = "C0123456789" } }
    teams = {
      team_id   = "00000000-0000-4000-8000-000000000001"
      tenant_id = "00000000-0000-4000-8000-000000000002"
      channels  = { warning = "19%3A0123456789%40thread.tacv2" }
    }
  }

  assert {
    condition = { for key, it in aws_chatbot_slack_channel_configuration.this : key => [it.slack_channel_id, it.configuration_name, sort(it.sns_topic_arns)] } == {
      critical-warning = ["C0123456789", "millrace-test-slack-critical-warning", tolist(["arn:aws:sns:eu-central-1:000000000000:millrace-test-critical", "arn:aws:sns:eu-central-1:000000000000:millrace-test-warning"])]
    }
    error_message = "a channel for both severities is one configuration with both topics"
  }

  assert {
    condition = { for key, it in aws_chatbot_teams_channel_configuration.this : key => [it.channel_id, it.configuration_name, sort(it.sns_topic_arns)] } == {
      warning = ["19%3A0123456789%40thread.tacv2", "millrace-test-teams-warning", tolist(["arn:aws:sns:eu-central-1:000000000000:millrace-test-warning"])]
    }
    error_message = "a channel for warnings is told of nothing else"
  }

  assert {
    condition     = alltrue([for it in concat(values(aws_chatbot_slack_channel_configuration.this), values(aws_chatbot_teams_channel_configuration.this)) : it.guardrail_policy_arns == tolist([aws_iam_policy.chat[0].arn]) && it.iam_role_arn == aws_iam_role.chat[0].arn])
    error_message = "whoever writes in a channel may read alarms, and nothing else"
  }
}

run "refuses_names_for_a_chat_s_ids" {
  command = plan

  variables {
    slack = { team_id = "millrace", channels = { critical = "#on-call" } }
    teams = { team_id = "On call", tenant_id = "example.com", channels = {} }
  }

  expect_failures = [var.slack, var.teams]
}

run "pages_by_each_alarm_where_there_are_no_groups" {
  command = apply

  variables {
    composite = false
  }

  assert {
    condition     = length(aws_cloudwatch_composite_alarm.page) + length(aws_cloudwatch_composite_alarm.silencer) == 0 && alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 1])
    error_message = "each alarm pages"
  }
}

run "refuses_a_threshold_of_no_alarm" {
  command = plan

  variables {
    thresholds = { batch-slow = 5000, batch-slwo = 5000 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_what_cloudwatch_would_refuse" {
  command = plan

  variables {
    groups   = [{ name = "database", silenced_by = ["database"] }]
    webhooks = { critical = ["http://chat.example.com"] }
    alarms = [
      { name = "wrong", group = "database", for = "database", namespace = "AWS/RDS", metric = "CPUUtilization", unit = "Percent", dimensions = {}, statistic = "Average", period_seconds = 45, evaluation_periods = 1, datapoints_to_alarm = 2, comparison = "LessThanThreshold", threshold = 1, missing_data = "perhaps", severity = "loud", meaning = "wrong" },
    ]
  }

  expect_failures = [
    var.groups,
    var.webhooks,
    var.alarms,
  ]
}
