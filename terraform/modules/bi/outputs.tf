output "data_set_ids" {
  description = "The data sets by view."
  value       = { for view, set in aws_quicksight_data_set.this : view => set.data_set_id }
}

output "data_source_arn" {
  description = "The data source."
  value       = aws_quicksight_data_source.this.arn
}
