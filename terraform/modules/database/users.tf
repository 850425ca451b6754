# The users that connect. Their secrets are in the form that RDS Proxy reads; `migrate` makes the users and their rights in
# the database from the same secrets, so that a password is written in one place.

locals {
  users = {
    functions = { username = "millrace", password = var.passwords.functions }
    bi        = { username = "bi", password = var.passwords.bi }
  }
}

resource "aws_secretsmanager_secret" "user" {
  #checkov:skip=CKV2_AWS_57:Rotated by raising passwords_version (docs/deploy.md); a rotation function would need the database's administrator
  for_each = toset(["functions", "bi"])

  name                    = "${var.name}/mysql/${each.key}"
  description             = "The database's user for ${each.key}: username and password"
  kms_key_id              = var.data_key_arn
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "user" {
  for_each = aws_secretsmanager_secret.user

  secret_id                = each.value.id
  secret_string_wo         = jsonencode(local.users[each.key])
  secret_string_wo_version = var.passwords_version
}
