variable "account_id" {
  description = "The account of the key."
  type        = string
}

variable "alias" {
  description = "The key's alias, alias/…"
  type        = string

  validation {
    condition     = startswith(var.alias, "alias/")
    error_message = "alias must begin with alias/."
  }
}

variable "sid" {
  description = "The statement's name, which no other of the role's policy has."
  type        = string
  default     = "UseTheDataKey"
}

variable "actions" {
  description = "What the role may have done with the key."
  type        = list(string)

  validation {
    condition     = length(var.actions) > 0 && alltrue([for action in var.actions : can(regex("^kms:[A-Za-z]+$", action))])
    error_message = "actions must be KMS' by their whole names, such as kms:Decrypt."
  }
}

variable "services" {
  description = "The services that use the key in the role's name, such as s3."
  type        = list(string)
  default     = []
}

variable "context" {
  description = "ARNs by the encryption context's names, for a service that does not say which it is."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.services) > 0 || length(var.context) > 0
    error_message = "services or context must narrow what the key is used for."
  }
}
