# The state lives in the emulator, so that it goes when what it describes goes.
bucket     = "millrace-local-state"
key        = "millrace/local/terraform.tfstate"
region     = "eu-central-1"
access_key = "local"
secret_key = "local"

use_path_style              = true
skip_credentials_validation = true
skip_metadata_api_check     = true
skip_region_validation      = true
skip_requesting_account_id  = true
