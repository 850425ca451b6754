output "arns" {
  description = "The keys' ARNs: data, telemetry."
  value       = { for purpose, key in aws_kms_key.this : purpose => key.arn }
}

output "aliases" {
  description = "The keys' aliases, by which policies name them: data, telemetry."
  value       = { for purpose, _ in local.purposes : purpose => "alias/${var.name}-${purpose}" }
}
