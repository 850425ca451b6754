key = "millrace/dev/terraform.tfstate"
