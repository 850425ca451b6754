output "application_id" {
  description = "The application that jobs are sent to."
  value       = aws_emrserverless_application.this.id
}

output "job_role_arn" {
  description = "What jobs run as."
  value       = aws_iam_role.job.arn
}

output "start_command" {
  description = "Starts a job of infra/spark, with its log in the log group."
  value = join(" ", [
    "aws emr-serverless start-job-run --application-id ${aws_emrserverless_application.this.id} --execution-role-arn ${aws_iam_role.job.arn}",
    "--configuration-overrides '${jsonencode({ monitoringConfiguration = { cloudWatchLoggingConfiguration = { enabled = true, logGroupName = aws_cloudwatch_log_group.this.name } } })}'",
    "--job-driver file://JOB.json",
  ])
}
