resource "aws_db_proxy" "this" {
  count = var.proxy ? 1 : 0

  name                   = var.name
  engine_family          = "MYSQL"
  require_tls            = true
  idle_client_timeout    = 1800
  role_arn               = aws_iam_role.proxy[0].arn
  vpc_subnet_ids         = var.subnet_ids
  vpc_security_group_ids = var.security_group_ids

  dynamic "auth" {
    for_each = aws_secretsmanager_secret.user
    content {
      auth_scheme               = "SECRETS"
      client_password_auth_type = "MYSQL_CACHING_SHA2_PASSWORD"
      iam_auth                  = "DISABLED"
      secret_arn                = auth.value.arn
    }
  }
}

resource "aws_db_proxy_default_target_group" "this" {
  count = var.proxy ? 1 : 0

  db_proxy_name = aws_db_proxy.this[0].name

  connection_pool_config {
    max_connections_percent      = 90
    max_idle_connections_percent = 50
    connection_borrow_timeout    = 10
  }
}

resource "aws_db_proxy_target" "this" {
  count = var.proxy ? 1 : 0

  db_proxy_name          = aws_db_proxy.this[0].name
  target_group_name      = aws_db_proxy_default_target_group.this[0].name
  db_instance_identifier = local.rds ? aws_db_instance.this[0].identifier : null
  db_cluster_identifier  = local.rds ? null : aws_rds_cluster.this[0].cluster_identifier

  # A cluster is refused as a target while one of its instances is still being made.
  depends_on = [aws_rds_cluster_instance.this]
}

resource "aws_iam_role" "proxy" {
  count = var.proxy ? 1 : 0

  name               = "${var.name}-database-proxy"
  assume_role_policy = data.aws_iam_policy_document.proxy_trust.json
}

data "aws_iam_policy_document" "proxy_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["rds.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role_policy" "proxy" {
  count = var.proxy ? 1 : 0

  name   = "read-secrets"
  role   = aws_iam_role.proxy[0].id
  policy = data.aws_iam_policy_document.proxy.json
}

module "proxy_key_use" {
  source = "../key-use"

  account_id = var.account_id
  alias      = var.data_key_alias
  actions    = ["kms:Decrypt"]
  services   = ["secretsmanager"]
}

data "aws_iam_policy_document" "proxy" {
  source_policy_documents = [module.proxy_key_use.json]

  statement {
    actions = ["secretsmanager:GetSecretValue"]
    # Secrets Manager adds six characters to a secret's name.
    resources = [for user in ["functions", "bi"] : "arn:${data.aws_partition.current.partition}:secretsmanager:${data.aws_region.current.name}:${var.account_id}:secret:${var.name}/mysql/${user}-??????"]
  }
}
