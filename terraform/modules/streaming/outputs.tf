output "cluster_arn" {
  description = "The cluster's ARN."
  value       = local.cluster_arn

  # Whoever reads a topic waits until it is there.
  depends_on = [aws_cloudformation_stack.topics]
}

output "brokers" {
  description = "The brokers' addresses for clients that sign in by IAM; empty for the serverless variant, whose address is asked of MSK by the ARN."
  value       = local.provisioned ? aws_msk_cluster.this[0].bootstrap_brokers_sasl_iam : ""
}

output "partitions" {
  description = "The partitions of each topic."
  value       = { for name, topic in var.topics : name => topic.partitions }
}

output "topic_commands" {
  description = "What makes the topics of the serverless variant, run in the VPC (infra/msk); empty where MSK makes them."
  value       = local.provisioned ? [] : [for name, topic in var.topics : join(" ", concat(["python3 msk/topic.py", local.cluster_arn, name, topic.partitions], local.topic_configs[name]))]
}

output "simulate_command" {
  description = "Sends simulated records for a minute; run in the VPC."
  value       = "millrace simulate --seconds 60 --cluster-arn ${local.cluster_arn}"
}

output "brokers_command" {
  description = "Prints the brokers' addresses."
  value       = "aws kafka get-bootstrap-brokers --cluster-arn ${local.cluster_arn}"
}
