mock_provider "aws" {
  source = "../../testing"
}

variables {
  name        = "millrace-test"
  cidr        = "10.9.0.0/16"
  zones       = ["a", "b", "c"]
  log_key_arn = "arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-0000-0000-000000000000"
}

run "makes_private_subnets_over_three_zones" {
  command = apply

  assert {
    condition     = length(aws_subnet.private) == 3 && alltrue([for subnet in aws_subnet.private : !subnet.map_public_ip_on_launch])
    error_message = "three private subnets"
  }

  assert {
    condition     = length(distinct([for subnet in aws_subnet.private : subnet.cidr_block])) == 3
    error_message = "subnets overlap"
  }

  assert {
    condition     = alltrue([for service in ["lambda", "sts", "secretsmanager"] : contains(keys(aws_vpc_endpoint.interface), service)])
    error_message = "MSK's mappings need lambda, sts and secretsmanager where there is no NAT"
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "clients find an endpoint by the service's own name"
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.flow) == keys(aws_vpc_security_group_egress_rule.flow)
    error_message = "a flow with one side lets nothing through"
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.flow : rule.cidr_ipv4 == null])
    error_message = "groups let in by reference"
  }
}

run "refuses_what_could_not_work" {
  command = plan

  variables {
    zones = ["a", "b"]
    cidr  = "10.9.0.0/24"

    interface_endpoints = ["logs"]
  }

  expect_failures = [
    var.zones,
    var.cidr,
    var.interface_endpoints,
  ]
}
