output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "The private subnets, in the order of the zones."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "security_group_ids" {
  description = "The security groups by purpose; the …_client ones are for those who connect."
  value       = { for purpose, group in aws_security_group.this : purpose => group.id }
}
