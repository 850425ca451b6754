output "url" {
  description = "What functions connect to, without user and password. DocumentDB 5 has no retryable writes."
  value       = "mongodb://${aws_docdb_cluster.this.endpoint}:27017/?tls=true&tlsCAFile=/var/task/rds-ca.pem&replicaSet=rs0&readPreference=primaryPreferred&retryWrites=false"
}

output "username" {
  description = "Who signs in."
  value       = aws_docdb_cluster.this.master_username
}

output "secret_arn" {
  description = "The user's secret, which DocumentDB rotates."
  value       = aws_docdb_cluster.this.master_user_secret[0].secret_arn
}

output "cluster_arn" {
  description = "The cluster's ARN."
  value       = "arn:${data.aws_partition.current.partition}:rds:${data.aws_region.current.name}:${var.account_id}:cluster:${local.identifier}"
}

output "identifier" {
  description = "The cluster's identifier."
  value       = local.identifier

  depends_on = [aws_docdb_cluster.this]
}
