output "cluster" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "shell_command" {
  description = "Opens a shell in the container; TASK is listed by aws ecs list-tasks."
  value       = "aws ecs execute-command --cluster ${aws_ecs_cluster.this.name} --task TASK --interactive --command bash"
}
