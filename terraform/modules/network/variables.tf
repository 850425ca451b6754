variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "cidr" {
  description = "The VPC's addresses, a /16 to /20."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr must be an IPv4 range from /16 to /20, such as 10.20.0.0/16."
  }
}

variable "zones" {
  description = "The availability zones, three of them: MSK and Multi-AZ databases want that many."
  type        = list(string)

  validation {
    condition     = length(var.zones) == 3 && length(distinct(var.zones)) == 3
    error_message = "zones must name three different availability zones."
  }
}

variable "log_retention_days" {
  description = "How long flow logs are kept, in days."
  type        = number
  default     = 365
}

variable "log_key_arn" {
  description = "The KMS key that encrypts the flow logs."
  type        = string
}

variable "interface_endpoints" {
  description = "The AWS services that are reached by an endpoint in the VPC. There is no NAT: what is not listed cannot be reached. KMS is not among them: services decrypt by themselves, nothing in the VPC asks it."
  type        = set(string)
  default     = ["lambda", "sts", "secretsmanager", "logs", "xray", "kafka"]

  validation {
    condition     = length(setsubtract(["lambda", "sts", "secretsmanager"], var.interface_endpoints)) == 0
    error_message = "interface_endpoints must hold lambda, sts and secretsmanager: without NAT, MSK's mappings and every function's secrets need them."
  }
}
