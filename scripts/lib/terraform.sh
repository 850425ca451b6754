# shellcheck shell=bash
# Terraform on one environment of terraform/environments: its values, its state, and what differs between accounts.

# use_environment NAME: makes the functions below work on it. Fails when something that it needs is not set.
use_environment() {
  environment=$1
  [[ -f terraform/environments/$environment/values.tfvars ]] || die "there is no environment $environment in terraform/environments"
  command -v terraform >/dev/null || die "terraform is missing: install 1.11 or later"
  # One folder of plug-ins and state settings for each environment, so that one is never taken for another.
  export TF_DATA_DIR=$PWD/terraform/.terraform/$environment
  environment_values=("-var-file=environments/$environment/values.tfvars")
  [[ ! -f terraform/environments/$environment/private.tfvars ]] || environment_values+=("-var-file=environments/$environment/private.tfvars")
  if [[ $environment == local ]]; then use_emulator; else use_account; fi
}

use_emulator() {
  local emulator=${EMULATOR:-http://127.0.0.1:4566} status
  # The state's bucket; 409 is "you have it already".
  status=$(curl -sS -o /dev/null -w '%{http_code}' -X PUT "$emulator/millrace-local-state") || die "no emulator answers at $emulator (docs/deploy.md)"
  [[ $status == 200 || $status == 409 ]] || die "the emulator at $emulator answered $status when it was asked for a bucket"
  environment_state=("-backend-config=endpoints={s3=\"$emulator\"}")
  environment_values+=("-var=emulator=$emulator")
  # LocalStack's free edition has neither HTTP APIs nor user pools.
  ! curl -fsS -o /dev/null "$emulator/_localstack/health" 2>/dev/null || environment_values+=("-var=page=false")
}

# account_id: prints the account that you are signed in to.
account_id() {
  aws sts get-caller-identity --query Account --output text || die "aws does not know who you are: sign in first"
}

use_account() {
  command -v aws >/dev/null || die "aws is missing (docs/deploy.md, What you need)"
  : "${AWS_REGION:?set AWS_REGION, such as eu-central-1}"
  : "${STATE_BUCKET:?set STATE_BUCKET (docs/deploy.md, The state)}"
  TF_VAR_account_id=$(account_id) || exit
  environment_state=("-backend-config=bucket=$STATE_BUCKET" "-backend-config=region=$AWS_REGION")
  # Terraform sends secrets when secrets_version is raised, and nobody else ever sees them.
  TF_VAR_secrets=$(python3 - "${DASHBOARD_PASSWORD_HASH:-}" <<'PYTHON'
import json, secrets, sys
print(json.dumps({"mysql_functions": secrets.token_hex(32), "mysql_bi": secrets.token_hex(32), "session": secrets.token_hex(32),
                  "dashboard_password_hash": sys.argv[1] or "$argon2id$unchanged"}))
PYTHON
  )
  export TF_VAR_account_id TF_VAR_secrets TF_VAR_region=$AWS_REGION
}

# init_environment: fetches the provider and finds the state. Its answer is shown only when it fails.
init_environment() {
  local answer
  answer=$(terraform -chdir=terraform init -input=false -reconfigure -lockfile=readonly \
    "-backend-config=environments/$environment/backend.hcl" "${environment_state[@]}" 2>&1) || die "$answer"
}

# environment_terraform COMMAND…: runs it with the environment's values where it takes any.
environment_terraform() {
  local command=$1
  shift
  case $command in
    # A saved plan holds its values.
    apply) [[ $# -gt 0 && ${!#} != -* ]] || set -- "${environment_values[@]}" "$@" ;;
    plan | destroy | import | refresh | console) set -- "${environment_values[@]}" "$@" ;;
  esac
  terraform -chdir=terraform "$command" "$@"
}
