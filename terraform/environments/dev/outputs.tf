output "millrace" {
  description = "Addresses and commands that a person needs."
  value       = module.millrace
}
