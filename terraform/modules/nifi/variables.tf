variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}

variable "image" {
  description = "The image of NiFi 2 in this account's registry, by digest, so that it never changes by itself."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/.+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image must be in an ECR registry and named by its digest (@sha256:…): the VPC reaches no other."
  }
}

variable "vcpu" {
  description = "CPU units, 1024 to a core."
  type        = number
  default     = 2048

  validation {
    condition     = contains([1024, 2048, 4096, 8192, 16384], var.vcpu)
    error_message = "vcpu must be one of Fargate's from a core on: 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "memory_mib" {
  description = "Memory in MiB."
  type        = number
  default     = 4096

  validation {
    condition     = var.memory_mib >= 2 * var.vcpu && var.memory_mib <= 8 * var.vcpu && var.memory_mib % 1024 == 0
    error_message = "memory_mib must be whole GiB, two to eight for each core: Fargate has no other sizes."
  }
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_ids" {
  description = "The groups that reach Kafka and AWS services."
  type        = list(string)
}

variable "kafka" {
  description = "The cluster that the flow writes to, and the topics."
  type        = object({ cluster_name = string, brokers = string, topics = list(string) })

  validation {
    condition     = var.kafka.brokers != ""
    error_message = "kafka.brokers must name the brokers: NiFi can't ask MSK for them, as it would have to for a serverless cluster."
  }
}

variable "intake" {
  description = "The bucket whose files the flow takes, and the alias of its KMS key."
  type        = object({ bucket = string, bucket_arn = string, key_alias = string })
}

variable "log_key_arn" {
  description = "The KMS key of the log."
  type        = string
}

variable "log_retention_days" {
  description = "How long the log is kept, in days."
  type        = number
  default     = 365
}
