variable "name" {
  description = "What every name begins with, such as millrace-dev."
  type        = string
}

variable "account_id" {
  description = "The AWS account, 12 digits."
  type        = string
}

variable "function" {
  description = "The function that answers: its full name, its alias' ARN and what API Gateway invokes."
  type        = object({ name = string, alias_arn = string, invoke_arn = string })
}

variable "paths" {
  description = "The paths of the manifest's http triggers."
  type        = list(string)

  validation {
    condition     = length(var.paths) > 0 && alltrue([for path in var.paths : path == "$default" || startswith(path, "/")])
    error_message = "paths must be at least one, each $default or beginning with /."
  }
}

variable "timeout_seconds" {
  description = "How long an answer may take."
  type        = number

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 30
    error_message = "timeout_seconds must be 1 to 30: API Gateway waits no longer."
  }
}

variable "requests" {
  description = "Requests a second that pass, and how many may come at once."
  type        = object({ rate = number, burst = number })
  default     = { rate = 50, burst = 100 }

  validation {
    condition     = var.requests.rate >= 1 && var.requests.burst >= var.requests.rate
    error_message = "requests.rate must be at least 1, and requests.burst no less than it."
  }
}

variable "domain" {
  description = "An own domain with its certificate; null for API Gateway's address."
  type        = object({ name = string, certificate_arn = string })
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.domain.name)) && can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.domain.certificate_arn))
    error_message = "domain must be a name such as page.example.com with the ARN of its certificate in ACM, in this region."
  }
}

variable "sign_in_requests" {
  description = "Requests that one address may send to the sign-in in five minutes."
  type        = number
  default     = 300

  validation {
    condition     = var.sign_in_requests >= 100
    error_message = "sign_in_requests must be at least 100, the least that WAF takes."
  }
}

variable "log_key_arn" {
  description = "The KMS key of the logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long the logs are kept, in days."
  type        = number
  default     = 365
}

variable "deletion_protection" {
  description = "Whether deleting the users is refused."
  type        = bool
}

variable "waf" {
  description = "Whether WAF stands before the sign-in."
  type        = bool
  default     = true
}
