output "role_arn" {
  description = "What a workflow assumes: role-to-assume of aws-actions/configure-aws-credentials."
  value       = aws_iam_role.this.arn
}
