# MySQL on RDS, or Aurora MySQL as a drop-in. One of the two exists; what is the same for both is here.

data "aws_region" "current" {}
data "aws_partition" "current" {}

locals {
  rds    = var.engine == "rds"
  arn    = "arn:${data.aws_partition.current.partition}:rds:${data.aws_region.current.name}:${var.account_id}"
  writer = local.rds ? aws_db_instance.this[0].address : aws_rds_cluster.this[0].endpoint
  host   = var.proxy ? aws_db_proxy.this[0].endpoint : local.writer

  # The proxy's certificate is of a public authority; the database's own is of RDS' authority, which the deploy puts into the package.
  tls = var.proxy ? "ssl-mode=VERIFY_IDENTITY" : "ssl-mode=VERIFY_IDENTITY&ssl-ca=/var/task/rds-ca.pem"

  # Sessions speak TLS; times are UTC; big statements of a batch fit; slow ones are logged. RDS takes 0 and 1 for the first,
  # Aurora's clusters OFF and ON.
  parameters = {
    require_secure_transport = local.rds ? "1" : "ON"
    time_zone                = "UTC"
    max_allowed_packet       = "67108864"
    slow_query_log           = "1"
    long_query_time          = "2"
    log_output               = "FILE"
  }
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_iam_role" "monitoring" {
  name               = "${var.name}-database-monitoring"
  assume_role_policy = data.aws_iam_policy_document.monitoring_trust.json
}

data "aws_iam_policy_document" "monitoring_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["error", "slowquery"])

  name              = local.rds ? "/aws/rds/instance/${var.name}/${each.key}" : "/aws/rds/cluster/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}
