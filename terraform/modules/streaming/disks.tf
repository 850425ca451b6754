# Brokers' disks grow by themselves, by a tenth at a time, while they are more than 60 % full. A disk never shrinks.

resource "aws_appautoscaling_target" "disks" {
  count = local.provisioned ? 1 : 0

  service_namespace  = "kafka"
  scalable_dimension = "kafka:broker-storage:VolumeSize"
  resource_id        = aws_msk_cluster.this[0].arn
  min_capacity       = var.broker.storage_gib
  max_capacity       = var.broker.most_gib
}

resource "aws_appautoscaling_policy" "disks" {
  count = local.provisioned ? 1 : 0

  name               = "${var.name}-broker-disks"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.disks[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.disks[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.disks[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value     = 60
    disable_scale_in = true

    predefined_metric_specification {
      predefined_metric_type = "KafkaBrokerStorageUtilization"
    }
  }
}
