variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}

variable "repository" {
  description = "The GitHub repository whose workflows may deploy, OWNER/NAME."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.repository))
    error_message = "repository must be OWNER/NAME, without wildcards."
  }
}

variable "environment" {
  description = "The GitHub environment that a workflow must run in; its branches and reviewers are the gate."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.environment))
    error_message = "environment must be letters, digits, _ and -, without wildcards."
  }
}

variable "functions" {
  description = "The functions' full names."
  type        = list(string)
}

variable "migrate_function" {
  description = "The full name of the function that keeps the schema."
  type        = string
}

variable "data_key_alias" {
  description = "The alias of the KMS key of the functions' variables."
  type        = string
}

variable "make_provider" {
  description = "Whether to make GitHub's identity provider; there is one in an account."
  type        = bool
  default     = true
}
