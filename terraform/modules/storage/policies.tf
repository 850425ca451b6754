resource "aws_s3_bucket_policy" "this" {
  for_each = { for purpose in local.purposes : purpose => purpose if var.require_tls || purpose == "access-logs" }

  bucket = aws_s3_bucket.this[each.key].id
  policy = data.aws_iam_policy_document.bucket[each.key].json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

data "aws_iam_policy_document" "bucket" {
  for_each = local.purposes

  dynamic "statement" {
    for_each = var.require_tls ? [1] : []
    content {
      sid     = "TlsOnly"
      effect  = "Deny"
      actions = ["s3:*"] # a denial may be wide
      resources = [
        "arn:${data.aws_partition.current.partition}:s3:::${local.buckets[each.key]}",
        "arn:${data.aws_partition.current.partition}:s3:::${local.buckets[each.key]}/*",
      ]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "Bool"
        variable = "aws:SecureTransport"
        values   = ["false"]
      }
    }
  }

  # One for each bucket that is logged: emulators understand a single resource.
  dynamic "statement" {
    for_each = each.key == "access-logs" ? local.logged : []
    content {
      sid       = "LogDeliveryOf${replace(title(statement.key), "-", "")}"
      actions   = ["s3:PutObject"]
      resources = ["arn:${data.aws_partition.current.partition}:s3:::${local.buckets["access-logs"]}/${statement.key}/*"]

      principals {
        type        = "Service"
        identifiers = ["logging.s3.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [var.account_id]
      }
    }
  }
}
