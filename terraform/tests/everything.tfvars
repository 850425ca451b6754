# What a person may ask for beside an environment's values, so that a plan has all of it and the rules see it.

bi      = { principal = "group/default/bi" }
nifi    = { image = "000000000000.dkr.ecr.eu-central-1.amazonaws.com/millrace/nifi@sha256:0000000000000000000000000000000000000000000000000000000000000000" }
domain  = { name = "page.example.com", certificate_arn = "arn:aws:acm:eu-central-1:000000000000:certificate/00000000-0000-0000-0000-000000000000" }
runbook = "https://git.example.com/millrace/docs/runbook.md"
emails  = { critical = ["on-call@example.com"], warning = ["team@example.com"] }

slack = {
  team_id  = "T0123456789"
  channels = { critical = "C0123456789", warning = "C9876543210" }
}
teams = {
  team_id   = "00000000-0000-4000-8000-000000000001"
  tenant_id = "00000000-0000-4000-8000-000000000002"
  channels  = { critical = "19%3A0123456789%40thread.tacv2" }
}

pipeline = { repository = "example/millrace" }
