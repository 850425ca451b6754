mock_provider "aws" {
  source = "../../testing"
}

variables {
  name         = "millrace-test"
  account_id   = "000000000000"
  data_key_arn = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
}

run "makes_private_encrypted_versioned_buckets" {
  command = apply

  assert {
    condition     = alltrue([for block in aws_s3_bucket_public_access_block.this : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "public access is blocked"
  }

  assert {
    condition     = alltrue([for versioning in aws_s3_bucket_versioning.this : versioning.versioning_configuration[0].status == "Enabled"])
    error_message = "versions are kept"
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this["objects"].rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    error_message = "the KMS key encrypts objects"
  }

  assert {
    condition     = toset(keys(aws_s3_bucket_logging.this)) == toset(["failed-batches", "objects"])
    error_message = "access to both is logged"
  }

  assert {
    condition     = output.buckets["failed-batches"] == "millrace-test-000000000000-failed-batches"
    error_message = "names are stable"
  }

  assert {
    condition     = length(aws_s3_bucket_policy.this) == 3
    error_message = "each bucket has its policy"
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : !bucket.force_destroy])
    error_message = "unless it is allowed, no bucket goes with what it holds"
  }
}

run "refuses_what_could_not_work" {
  command = plan

  variables {
    failed_batch_days = 7
    archive_cold_days = 1
  }

  expect_failures = [
    var.failed_batch_days,
    var.archive_cold_days,
  ]
}
