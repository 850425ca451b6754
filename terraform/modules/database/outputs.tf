output "url" {
  description = "What functions connect to, without the password."
  value       = "mysql://millrace@${local.host}:3306/millrace?${local.tls}"
}

output "admin_url" {
  description = "What `migrate` connects to: the database itself, not its proxy, as the administrator."
  value       = "mysql://admin@${local.writer}:3306/millrace?ssl-mode=VERIFY_IDENTITY&ssl-ca=/var/task/rds-ca.pem"
}

output "host" {
  description = "The host that clients connect to."
  value       = local.host
}

output "identifier" {
  description = "The instance's or cluster's identifier."
  value       = var.name

  depends_on = [aws_db_instance.this, aws_rds_cluster.this]
}

output "database_arn" {
  description = "The instance's or cluster's ARN."
  value       = local.rds ? "${local.arn}:db:${var.name}" : "${local.arn}:cluster:${var.name}"
}

output "user_secret_arns" {
  description = "The users' secrets: functions, bi."
  value       = { for user, secret in aws_secretsmanager_secret.user : user => secret.arn }
}

output "admin_secret_arn" {
  description = "The administrator's secret, which RDS rotates."
  value       = local.rds ? aws_db_instance.this[0].master_user_secret[0].secret_arn : aws_rds_cluster.this[0].master_user_secret[0].secret_arn
}

output "import_command" {
  description = "Imports the operator's data; run in the VPC, with the authority of RDS' certificates beside it."
  value       = "millrace import KIND FILE --secret-arn ${aws_secretsmanager_secret.user["functions"].arn} --mysql-url 'mysql://millrace@${local.host}:3306/millrace?${replace(local.tls, "/var/task/", "")}'"
}

output "restore_command" {
  description = "Restores the database as of a time beside the present one."
  value       = local.rds ? "aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier ${var.name} --target-db-instance-identifier ${var.name}-restored --restore-time TIME" : "aws rds restore-db-cluster-to-point-in-time --source-db-cluster-identifier ${var.name} --db-cluster-identifier ${var.name}-restored --restore-to-time TIME"
}
