variable "emulator" {
  description = "The emulator's address: LocalStack, or moto's server."
  type        = string
  default     = "http://127.0.0.1:4566"

  validation {
    condition     = can(regex("^http://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?$", var.emulator))
    error_message = "emulator must be on this machine, such as http://127.0.0.1:4566: nothing here may reach AWS."
  }
}

variable "account_id" {
  description = "The emulator's account: LocalStack's 000000000000, moto's 123456789012."
  type        = string
  default     = "000000000000"
}

variable "packages" {
  description = "The folder of cargo lambda's zips."
  type        = string
  default     = "../../../target/lambda"
}

variable "external" {
  description = "The services beside the emulator, which run on this machine (scripts/up prints them)."
  type        = object({ mysql_url = string, documents_url = string, kafka_brokers = string })
  default = {
    mysql_url     = "mysql://millrace@127.0.0.1:8003/millrace"
    documents_url = "mongodb://127.0.0.1:8004/?retryWrites=false"
    kafka_brokers = "127.0.0.1:8001"
  }
}
