variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "variant" {
  description = "provisioned: brokers of a chosen size. serverless: capacity by use, up to 200 MB/s in; its topics are made by hand."
  type        = string

  validation {
    condition     = contains(["provisioned", "serverless"], var.variant)
    error_message = "variant must be provisioned or serverless."
  }
}

variable "topics" {
  description = "The topics and their partitions. A mapping reads at most one batch of each partition at a time."
  type        = map(object({ partitions = number, retention_hours = optional(number, 168) }))

  validation {
    condition     = length(var.topics) > 0 && alltrue([for topic in values(var.topics) : topic.partitions >= 1 && topic.partitions <= 1000])
    error_message = "topics must name at least one topic, each with 1 to 1000 partitions."
  }

  validation {
    condition     = alltrue([for name in keys(var.topics) : can(regex("^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", name)) && length(name) <= 249])
    error_message = "topics must be named by letters, digits and single hyphens between them, 249 at most, such as usage-events: CloudFormation takes no other names."
  }

  validation {
    # As topics.tf names them for CloudFormation.
    condition     = length(distinct([for name in keys(var.topics) : join("", [for part in split("-", name) : title(part)])])) == length(var.topics)
    error_message = "topics must differ by more than hyphens, unlike a-1 and a1: CloudFormation would have one name for both."
  }

  validation {
    condition     = alltrue([for topic in values(var.topics) : topic.retention_hours >= 24])
    error_message = "retention_hours must be at least 24: records wait in Kafka while a database is away."
  }
}

variable "broker" {
  description = "The provisioned brokers: how many (a multiple of three), their type, their disks at first in GiB, and how far these grow by themselves."
  type = object({
    count       = optional(number, 3)
    type        = optional(string, "kafka.m7g.large")
    storage_gib = optional(number, 100)
    most_gib    = optional(number, 4000)
    version     = optional(string, "3.8.x")
  })
  default = {}

  validation {
    condition     = var.broker.count % 3 == 0 && var.broker.count > 0
    error_message = "broker.count must be a multiple of three, one for each zone."
  }

  validation {
    condition     = var.broker.storage_gib >= 1 && var.broker.most_gib > var.broker.storage_gib && var.broker.most_gib <= 16384
    error_message = "broker.storage_gib must be at least 1, broker.most_gib more than it and at most 16384."
  }

  validation {
    # Express brokers have no disks of their own to size, and take no settings for copies.
    condition     = can(regex("^kafka\\.(t3\\.small|m5\\.(large|([248]|12|16|24)?xlarge)|m7g\\.(large|([248]|12|16)?xlarge))$", var.broker.type))
    error_message = "broker.type must be kafka.t3.small, or of kafka.m5 or kafka.m7g from large up, such as kafka.m7g.large; express brokers are not among them."
  }
}

variable "subnet_ids" {
  description = "Three private subnets."
  type        = list(string)

  validation {
    condition     = length(distinct(var.subnet_ids)) == 3
    error_message = "subnet_ids must name three different subnets: a copy of each record lies in each zone."
  }
}

variable "security_group_ids" {
  description = "The brokers' security groups."
  type        = list(string)
}

variable "data_key_arn" {
  description = "The KMS key of the brokers' disks."
  type        = string
}

variable "log_key_arn" {
  description = "The KMS key of the brokers' log."
  type        = string
}

variable "log_retention_days" {
  description = "How long the brokers' log is kept, in days."
  type        = number
  default     = 365
}
