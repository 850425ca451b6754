# The page's sign-in: the password's hash, and what sessions are signed with.

locals {
  session = { password-hash = var.secrets.dashboard_password_hash, session = var.secrets.session }
}

resource "aws_secretsmanager_secret" "session" {
  #checkov:skip=CKV2_AWS_57:Rotated by raising secrets_version (docs/deploy.md); every session ends then
  for_each = { password-hash = "The hash of the page's password, an argon2 PHC string", session = "What session cookies are signed with, 32 bytes in hex" }

  name                    = "${local.name}/dashboard/${each.key}"
  description             = each.value
  kms_key_id              = module.keys.arns.data
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "session" {
  for_each = aws_secretsmanager_secret.session

  secret_id                = each.value.id
  secret_string_wo         = local.session[each.key]
  secret_string_wo_version = var.secrets_version
}
