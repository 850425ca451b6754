output "buckets" {
  description = "The buckets' names by purpose: objects, failed-batches, access-logs."
  value       = local.buckets

  depends_on = [aws_s3_bucket.this]
}

output "arns" {
  description = "The buckets' ARNs by purpose."
  value       = { for purpose, name in local.buckets : purpose => "arn:${data.aws_partition.current.partition}:s3:::${name}" }
}
