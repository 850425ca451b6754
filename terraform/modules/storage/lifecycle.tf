resource "aws_s3_bucket_lifecycle_configuration" "objects" {
  bucket = aws_s3_bucket.this["objects"].id

  rule {
    id     = "archive-grows-cold"
    status = "Enabled"

    filter {
      prefix = "archive/"
    }

    transition {
      days          = var.archive_cold_days
      storage_class = "GLACIER_IR"
    }
  }

  rule {
    id     = "remains-go"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = 90
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "failed_batches" {
  bucket = aws_s3_bucket.this["failed-batches"].id

  rule {
    id     = "old-batches-go"
    status = "Enabled"

    filter {}

    expiration {
      days = var.failed_batch_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "access_logs" {
  bucket = aws_s3_bucket.this["access-logs"].id

  rule {
    id     = "old-logs-go"
    status = "Enabled"

    filter {}

    expiration {
      days = 400
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
