resource "aws_lambda_event_source_mapping" "kafka" {
  for_each = local.kafka

  event_source_arn  = var.services.kafka.cluster_arn
  function_name     = local.alias_arn
  enabled           = var.triggers_enabled
  topics            = [each.key]
  starting_position = each.value.starting_position

  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = ceil(each.value.batch_window_ms / 1000)
  function_response_types            = each.value.report_batch_item_failures ? ["ReportBatchItemFailures"] : []
  bisect_batch_on_function_error     = each.value.bisect_on_error
  maximum_retry_attempts             = each.value.maximum_retry_attempts
  maximum_record_age_in_seconds      = each.value.maximum_record_age_seconds

  amazon_managed_kafka_event_source_config {
    consumer_group_id = each.value.consumer_group
  }

  # Retry controls want provisioned pollers; more of them than partitions do nothing.
  provisioned_poller_config {
    minimum_pollers = 1
    maximum_pollers = min(200, var.partitions[each.key])
  }

  metrics_config {
    metrics = ["EventCount"]
  }

  dynamic "destination_config" {
    for_each = each.value.on_failure == null ? [] : [1]
    content {
      on_failure {
        destination_arn = var.failed_batches.arn
      }
    }
  }

  lifecycle {
    precondition {
      condition     = each.value.on_failure == null || var.failed_batches != null
      error_message = "${var.function} keeps batches that it gives up on, but there is no bucket for them."
    }
  }

  depends_on = [aws_lambda_alias.live]
}

resource "aws_scheduler_schedule_group" "this" {
  count = length(local.schedules) > 0 ? 1 : 0

  name = local.full_name
}

resource "aws_scheduler_schedule" "this" {
  for_each = local.schedules

  name                         = "${local.full_name}-${each.key}"
  group_name                   = aws_scheduler_schedule_group.this[0].name
  description                  = var.manifest.description
  state                        = var.triggers_enabled ? "ENABLED" : "DISABLED"
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.timezone
  kms_key_arn                  = var.data_key.arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = local.alias_arn
    role_arn = aws_iam_role.scheduler[0].arn
    input    = each.value.input_json

    retry_policy {
      maximum_retry_attempts       = each.value.maximum_retry_attempts
      maximum_event_age_in_seconds = 3600
    }

    dead_letter_config {
      arn = local.queue_arn
    }
  }

  depends_on = [aws_lambda_alias.live, aws_sqs_queue.schedule]
}

# Scheduler hands an event over to Lambda's own queue and is done. What becomes of the run is decided here: without this, one that
# fails would be run twice more, and one that waits for a free instance would wait for six hours.
resource "aws_lambda_function_event_invoke_config" "schedule" {
  count = length(local.schedules) > 0 ? 1 : 0

  function_name                = aws_lambda_function.this.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_retry_attempts       = max([for schedule in values(local.schedules) : schedule.maximum_retry_attempts]...)
  maximum_event_age_in_seconds = 3600
}

# Runs that Scheduler could not hand over.
resource "aws_sqs_queue" "schedule" {
  count = length(local.schedules) > 0 ? 1 : 0

  name                      = local.queue_name
  kms_master_key_id         = var.data_key.arn
  message_retention_seconds = 14 * 24 * 3600
}

locals {
  queue_name = "${local.full_name}-schedule-failures"
  queue_arn  = "arn:${local.partition}:sqs:${local.region}:${var.account_id}:${local.queue_name}"
}
