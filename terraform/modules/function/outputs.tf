output "name" {
  description = "The function's full name."
  value       = local.full_name
}

output "arn" {
  description = "The function's ARN."
  value       = local.function_arn
}

output "alias_arn" {
  description = "The ARN that triggers invoke."
  value       = local.alias_arn

  depends_on = [aws_lambda_alias.live]
}

output "invoke_arn" {
  description = "The alias as API Gateway names it."
  value       = aws_lambda_alias.live.invoke_arn
}

output "log_group" {
  description = "The function's log."
  value       = aws_cloudwatch_log_group.this.name
}

output "schedule_failures_queue" {
  description = "The queue of runs that failed; null without schedules."
  value       = length(local.schedules) > 0 ? local.queue_name : null
}

output "mappings" {
  description = "The topics that it reads: by which group and mapping."
  value       = { for topic, kafka in local.kafka : topic => { consumer_group = kafka.consumer_group, uuid = aws_lambda_event_source_mapping.kafka[topic].uuid } }
}

output "timeout_ms" {
  description = "How long an invocation may take, in milliseconds."
  value       = var.manifest.timeout_seconds * 1000
}

output "variables" {
  description = "The names of the variables that it is given."
  value       = sort(keys(local.variables))
}
