variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "account_id" {
  description = "The AWS account, 12 digits; buckets' names end with it, as they are unique in the world."
  type        = string
}

variable "data_key_arn" {
  description = "The KMS key of the objects."
  type        = string
}

variable "deletion_protection" {
  description = "Whether deleting a bucket that holds objects is refused."
  type        = bool
  default     = true
}

variable "failed_batch_days" {
  description = "How long a batch that was given up on is kept, in days. It must be replayed before."
  type        = number
  default     = 400

  validation {
    condition     = var.failed_batch_days >= 30
    error_message = "failed_batch_days must be at least 30: records that were given up on exist nowhere else."
  }
}

variable "archive_cold_days" {
  description = "After how many days the archive moves to Glacier Instant Retrieval."
  type        = number
  default     = 90

  validation {
    condition     = var.archive_cold_days >= 30
    error_message = "archive_cold_days must be at least 30."
  }
}

variable "require_tls" {
  description = "Whether a request without TLS is denied. Only an emulator, which has no TLS, goes without."
  type        = bool
  default     = true
}
