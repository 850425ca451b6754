# objects: models, forecasts and the archive. failed-batches: what Lambda gave up on. access-logs: who read either.

data "aws_partition" "current" {}

locals {
  purposes = toset(["objects", "failed-batches", "access-logs"])
  buckets  = { for purpose in local.purposes : purpose => "${var.name}-${var.account_id}-${purpose}" }
  logged   = toset(["objects", "failed-batches"])
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144:Models and archive can be made again, failed batches are replayed within days: no second region
  #checkov:skip=CKV2_AWS_62:Nothing acts on new objects
  #checkov:skip=CKV_AWS_18:The logging bucket does not log itself; the others do
  #checkov:skip=CKV_AWS_145:Log delivery writes with S3's own keys only; the other buckets have the KMS key
  for_each = local.purposes

  bucket        = local.buckets[each.key]
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.purposes

  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.purposes

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.purposes

  bucket = aws_s3_bucket.this[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.purposes

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    bucket_key_enabled = each.key != "access-logs"

    apply_server_side_encryption_by_default {
      # Log delivery can't use a KMS key.
      sse_algorithm     = each.key == "access-logs" ? "AES256" : "aws:kms"
      kms_master_key_id = each.key == "access-logs" ? null : var.data_key_arn
    }
  }
}

resource "aws_s3_bucket_logging" "this" {
  for_each = local.logged

  bucket        = aws_s3_bucket.this[each.key].id
  target_bucket = aws_s3_bucket.this["access-logs"].id
  target_prefix = "${each.key}/"

  # S3 asks whether log delivery may write there.
  depends_on = [aws_s3_bucket_policy.this]
}
