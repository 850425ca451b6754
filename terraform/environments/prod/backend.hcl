key = "millrace/prod/terraform.tfstate"
