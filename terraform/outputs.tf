output "dashboard" {
  description = "The page."
  value       = one(module.dashboard[*].address)
}

output "domain_target" {
  description = "What the CNAME of the page's own domain points to; null without one."
  value       = one(module.dashboard[*].domain_target)
}

output "sign_in" {
  description = "Cognito's sign-in of the page."
  value       = one(module.dashboard[*].sign_in)
}

output "functions" {
  description = "The functions' full names."
  value       = { for function, it in module.function : function => it.name }
}

output "codedeploy_application" {
  description = "The CodeDeploy application; null where aliases move without it."
  value       = one(aws_codedeploy_app.this[*].name)
}

output "buckets" {
  description = "The buckets by purpose."
  value       = module.storage.buckets
}

output "alarms" {
  description = "The alarms' names."
  value       = module.alarms.names
}

output "alarm_topics" {
  description = "The SNS topics of alarms by severity, for chats and on-call services that subscribe by themselves."
  value       = module.alarms.topic_arns
}

output "data_sets" {
  description = "QuickSight's data sets by view; null without bi."
  value       = one(module.bi[*].data_set_ids)
}

output "commands" {
  description = "Commands that a person needs."
  value = merge(
    { migrate = "aws lambda invoke --function-name ${local.name}-migrate:live /dev/stdout" },
    { for page in module.dashboard : "invite" => page.invite_command },
    { for it in module.database : "import" => it.import_command },
    { for it in module.database : "restore" => it.restore_command },
    { for it in module.streaming : "brokers" => it.brokers_command },
    { for it in module.streaming : "simulate" => it.simulate_command },
    { for it in module.spark : "spark" => it.start_command },
    { for it in module.nifi : "nifi" => it.shell_command },
  )
}

output "topic_commands" {
  description = "What makes the topics of serverless Kafka; empty where MSK makes them."
  value       = flatten(module.streaming[*].topic_commands)
}

output "graphs" {
  description = "CloudWatch's dashboard."
  value       = module.alarms.dashboard
}

output "pipeline_role_arn" {
  description = "What GitHub Actions assume."
  value       = one(module.pipeline[*].role_arn)
}

output "variables" {
  description = "The names of the variables that each function is given."
  value       = { for function, it in module.function : function => it.variables }
}

output "triggers_enabled" {
  description = "Whether mappings and schedules run."
  value       = var.triggers_enabled
}
