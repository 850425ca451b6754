mock_provider "aws" {
  source = "../../testing"
}

variables {
  name       = "millrace-test"
  function   = "rate"
  account_id = "000000000000"
  package    = "tests/package.txt"
  manifest = {
    description     = "Prices usage events"
    timeout_seconds = 60
    memory_mb       = 256
    concurrency     = 4
    needs           = ["mysql"]
    environment     = { RUST_LOG = "info" }
    triggers = [
      { kafka = { topic = "usage-events", consumer_group = "millrace-rate", batch_size = 10000, batch_window_ms = 500, starting_position = "TRIM_HORIZON", report_batch_item_failures = true, bisect_on_error = true, maximum_retry_attempts = 100, on_failure = "failed-batches" } },
      { schedule = { name = "silent", expression = "rate(1 minute)", input_json = "{\"task\":\"silent\"}" } },
    ]
  }
  services = {
    mysql   = { url = "mysql://millrace@db:3306/millrace", secret_pattern = "millrace-test/mysql/functions", secret_arn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:millrace-test/mysql/functions-abcdef" }
    objects = { bucket = "millrace-test-objects", arn = "arn:aws:s3:::millrace-test-objects" }
    kafka   = { cluster_arn = "arn:aws:kafka:eu-central-1:000000000000:cluster/millrace-test/00000000-0000-0000-0000-000000000000-0", cluster_name = "millrace-test" }
  }
  partitions             = { usage-events = 4 }
  failed_batches         = { bucket = "millrace-test-failed-batches", arn = "arn:aws:s3:::millrace-test-failed-batches" }
  codedeploy_application = { name = "millrace-test", role_arn = "arn:aws:iam::000000000000:role/codedeploy" }
  subnet_ids             = ["subnet-1"]
  security_group_ids     = { aws = "sg-aws", mysql = "sg-mysql", documents = "sg-documents", kafka = "sg-kafka" }
  data_key               = { arn = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000", alias = "alias/millrace-test-data" }
  log_key_arn            = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
}

run "makes_what_the_manifest_says" {
  command = apply

  assert {
    condition     = aws_lambda_function.this.timeout == 60 && aws_lambda_function.this.memory_size == 256 && aws_lambda_function.this.reserved_concurrent_executions == 4 && aws_lambda_function.this.architectures[0] == "arm64"
    error_message = "sizes are the manifest's, on arm64"
  }

  assert {
    condition     = sort(keys(aws_lambda_function.this.environment[0].variables)) == tolist(["MILLRACE_MYSQL_PASSWORD_SECRET_ARN", "MILLRACE_MYSQL_URL", "RUST_LOG"])
    error_message = "a function that needs mysql gets mysql's variables and its own, not those of objects or kafka"
  }

  assert {
    condition     = toset(one(aws_lambda_function.this.vpc_config).security_group_ids) == toset(["sg-aws", "sg-mysql"])
    error_message = "it may reach what it needs"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.kafka["usage-events"].batch_size == 10000 && aws_lambda_event_source_mapping.kafka["usage-events"].maximum_batching_window_in_seconds == 1 && aws_lambda_event_source_mapping.kafka["usage-events"].bisect_batch_on_function_error
    error_message = "the mapping is the manifest's; half a second is a whole one on AWS"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.kafka["usage-events"].provisioned_poller_config[0].maximum_pollers == 4
    error_message = "as many pollers as partitions"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.kafka["usage-events"].destination_config[0].on_failure[0].destination_arn == "arn:aws:s3:::millrace-test-failed-batches"
    error_message = "what is given up on is kept"
  }

  assert {
    condition     = endswith(aws_scheduler_schedule.this["silent"].target[0].arn, ":millrace-test-rate:live") && aws_scheduler_schedule.this["silent"].target[0].input == "{\"task\":\"silent\"}" && aws_scheduler_schedule.this["silent"].target[0].retry_policy[0].maximum_retry_attempts == 0
    error_message = "the schedule invokes the alias with the manifest's event"
  }

  assert {
    condition     = endswith(aws_scheduler_schedule.this["silent"].target[0].dead_letter_config[0].arn, ":millrace-test-rate-schedule-failures")
    error_message = "a failed run is kept"
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.schedule[0].maximum_retry_attempts == 0 && aws_lambda_function_event_invoke_config.schedule[0].qualifier == "live"
    error_message = "a scheduled run that fails is not run again by Lambda, unless the manifest says so"
  }

  assert {
    condition     = aws_codedeploy_deployment_group.this[0].auto_rollback_configuration[0].enabled && toset(aws_codedeploy_deployment_group.this[0].alarm_configuration[0].alarms) == toset(["millrace-test-rate-shift", "millrace-test-rate-shift-usage-events"])
    error_message = "a bad version is taken back, also one that fails batches without an error"
  }
}

run "makes_no_mapping_beside_an_external_kafka" {
  command = apply

  variables {
    services = {
      mysql = { url = "mysql://millrace@127.0.0.1:8003/millrace", external = true }
      kafka = { brokers = "127.0.0.1:8001", external = true }
    }
    triggers_enabled = false
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.kafka) == 0
    error_message = "the local host drives it"
  }

  assert {
    condition     = sort(keys(aws_lambda_function.this.environment[0].variables)) == tolist(["MILLRACE_MYSQL_URL", "RUST_LOG"])
    error_message = "an external database has no secret on AWS"
  }

  assert {
    condition     = aws_scheduler_schedule.this["silent"].state == "DISABLED"
    error_message = "nothing runs before the schema is there"
  }
}

run "refuses_what_lambda_would_refuse" {
  command = plan

  variables {
    shift              = "AtOnce"
    log_retention_days = 42
    manifest = {
      description     = "wrong in every way"
      timeout_seconds = 901
      memory_mb       = 64
      concurrency     = 0
      needs           = ["oracle"]
      environment     = { AWS_REGION = "mine" }
      triggers = [
        { kafka = { topic = "t", consumer_group = "g", batch_size = 20000, batch_window_ms = 400000, starting_position = "AT_TIMESTAMP", maximum_retry_attempts = 20000, maximum_record_age_seconds = 5 } },
        { schedule = { name = "twice", expression = "every minute" } },
        { schedule = { name = "twice", expression = "rate(1 minute)" } },
        {},
      ]
    }
  }

  expect_failures = [
    var.shift,
    var.log_retention_days,
    var.manifest,
  ]
}

run "refuses_objects_without_a_prefix" {
  command = plan

  variables {
    manifest = {
      description     = "reaches nothing of what it needs"
      timeout_seconds = 60
      memory_mb       = 256
      needs           = ["objects"]
    }
  }

  expect_failures = [var.manifest]
}

run "refuses_a_prefix_that_others_begin_with" {
  command = plan

  variables {
    manifest = {
      description     = "reads models-of-others, too"
      timeout_seconds = 60
      memory_mb       = 256
      needs           = ["objects"]
      objects         = { reads = ["models"] }
    }
  }

  expect_failures = [var.manifest]
}

run "refuses_retries_that_lambda_does_not_make" {
  command = plan

  variables {
    manifest = {
      description     = "retries too often"
      timeout_seconds = 60
      memory_mb       = 256
      triggers        = [{ schedule = { name = "often", expression = "rate(1 minute)", maximum_retry_attempts = 3 } }]
    }
  }

  expect_failures = [var.manifest]
}

run "refuses_a_shift_that_codedeploy_has_not" {
  command = plan

  variables {
    shift = "CodeDeployDefault.LambdaCanary20Percent5Minutes"
  }

  expect_failures = [var.shift]
}

run "takes_a_linear_shift" {
  command = plan

  variables {
    shift = "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes"
  }
}

run "refuses_a_schedule_s_name_with_spaces" {
  command = plan

  variables {
    manifest = {
      description     = "has a schedule"
      timeout_seconds = 60
      memory_mb       = 256
      triggers        = [{ schedule = { name = "every minute", expression = "rate(1 minute)" } }]
    }
  }

  expect_failures = [var.manifest]
}

run "refuses_a_schedule_s_name_that_scheduler_finds_too_long" {
  command = plan

  variables {
    manifest = {
      description     = "has a schedule"
      timeout_seconds = 60
      memory_mb       = 256
      # With millrace-test-rate- before it, 65.
      triggers = [{ schedule = { name = "a-name-of-forty-six-characters-and-no-more-yes", expression = "rate(1 minute)" } }]
    }
  }

  expect_failures = [var.manifest]
}

run "refuses_schedules_that_differ_in_retries" {
  command = plan

  variables {
    manifest = {
      description     = "retries one of two"
      timeout_seconds = 60
      memory_mb       = 256
      triggers = [
        { schedule = { name = "one", expression = "rate(1 minute)", maximum_retry_attempts = 1 } },
        { schedule = { name = "two", expression = "rate(1 minute)" } },
      ]
    }
  }

  expect_failures = [var.manifest]
}

run "refuses_a_need_that_is_not_there_and_a_topic_that_nobody_makes" {
  command = plan

  variables {
    services   = { mysql = null, kafka = { cluster_arn = "arn:aws:kafka:eu-central-1:000000000000:cluster/millrace-test/00000000-0000-0000-0000-000000000000-0", cluster_name = "millrace-test" } }
    partitions = { usage-events = 4, other = 1 }
  }

  expect_failures = [aws_lambda_function.this]
}
