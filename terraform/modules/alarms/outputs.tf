output "topic_arns" {
  description = "The SNS topics by severity."
  value       = { for severity, topic in aws_sns_topic.this : severity => topic.arn }
}

output "names" {
  description = "The alarms' names."
  value       = sort([for key in keys(local.alarms) : "${var.name}-${key}"])
}

output "dashboard" {
  description = "Where the graphs are."
  value       = "https://${data.aws_region.current.name}.console.aws.amazon.com/cloudwatch/home#dashboards:name=${aws_cloudwatch_dashboard.this.dashboard_name}"
}
