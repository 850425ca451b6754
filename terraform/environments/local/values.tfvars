# An emulator of AWS on this machine (docs/deploy.md, An emulator instead of AWS). What emulators lack (MSK, DocumentDB) runs
# beside them, as does the database, and the local host drives the functions. scripts/terraform adds page = false on LocalStack.

environment = "local"
emulator    = "http://127.0.0.1:4566"
account_id  = "000000000000"
cidr        = "10.40.0.0/16"

# The services of scripts/up.
external = {
  mysql_url     = "mysql://millrace@127.0.0.1:8003/millrace"
  documents_url = "mongodb://127.0.0.1:8004/?retryWrites=false"
  kafka_brokers = "127.0.0.1:8001"
}

alarms              = { composite = false } # emulators have no composite alarms
shift               = null                  # nor CodeDeploy for aliases
waf                 = false
require_tls         = false # they speak http
tracing             = false
log_retention_days  = 1
deletion_protection = false

# Known to everyone, and good for nothing but an emulator.
secrets = {
  mysql_functions         = "local-only-local-only-functions"
  mysql_bi                = "local-only-local-only-bi-user-x"
  dashboard_password_hash = "$argon2id$v=19$m=19456,t=2,p=1$bG9jYWwtb25seS1zYWx0$bG9jYWwtb25seS1ub3QtYS1yZWFsLWhhc2gtYXQtYWxs"
  session                 = "0000000000000000000000000000000000000000000000000000000000000000"
}
secrets_version = 1
