# Who may talk to whom: one table, from which both sides' rules are made, always by reference to a group.

locals {
  groups = {
    aws_client       = "Reaches AWS services by the endpoints"
    mysql_client     = "Reaches the database"
    documents_client = "Reaches the documents"
    kafka_client     = "Reaches Kafka"
    database         = "The database and its proxy"
    documents        = "The document database"
    streaming        = "Kafka, and the pollers of its event source mappings"
    endpoints        = "The endpoints of AWS services"
  }

  flows = {
    aws_client_endpoints     = { from = "aws_client", to = "endpoints", port = 443 }
    mysql_client_database    = { from = "mysql_client", to = "database", port = 3306 }
    database_database        = { from = "database", to = "database", port = 3306 }
    documents_client_docdb   = { from = "documents_client", to = "documents", port = 27017 }
    kafka_client_streaming   = { from = "kafka_client", to = "streaming", port = 9098 }
    streaming_streaming      = { from = "streaming", to = "streaming", port = 9098 }
    streaming_endpoints      = { from = "streaming", to = "endpoints", port = 443 }
    database_proxy_endpoints = { from = "database", to = "endpoints", port = 443 }
  }
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:The groups are attached by the modules that use them
  for_each = local.groups

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = each.value
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-${replace(each.key, "_", "-")}" }
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.flows

  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "To ${each.value.to}"
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = local.flows

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "From ${each.value.from}"
}

# S3 is reached by its gateway endpoint, which has no group but a list of prefixes. The pollers of the mappings, which stand in
# Kafka's group, keep there what was given up on.
resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each = toset(["aws_client", "streaming"])

  security_group_id = aws_security_group.this[each.key].id
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "To S3"
}
