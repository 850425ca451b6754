"""Names, tags and logs, and what prod survives."""

from plan import UNKNOWN, rule, set_on

NAMED = (
    "aws_cloudwatch_metric_alarm",
    "aws_db_instance",
    "aws_docdb_cluster",
    "aws_docdb_cluster_instance",
    "aws_iam_role",
    "aws_lambda_function",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
    "aws_sns_topic",
    "aws_sqs_queue",
)


@rule("Nothing is named by chance, so that a second apply changes nothing", set_on("aws_s3_bucket", bucket=UNKNOWN))
def stable_names(plan):
    for resource in plan.of(*NAMED):
        for key in ("name", "bucket", "function_name", "identifier", "cluster_identifier", "alarm_name"):
            if resource[key] == UNKNOWN:
                yield f"{resource.address}: {key}"


@rule("Everything that can be tagged says whose it is", set_on("aws_lambda_function", tags_all={}))
def tags(plan):
    for resource in plan.resources:
        if "tags_all" in resource.values and isinstance(resource["tags_all"], dict):
            missing = {"Project", "Environment", "ManagedBy"} - resource["tags_all"].keys()
            if missing:
                yield f"{resource.address}: {sorted(missing)}"


@rule("Logs end", set_on("aws_cloudwatch_log_group", retention_in_days=0))
def retention(plan):
    for group in plan.of("aws_cloudwatch_log_group"):
        if not group["retention_in_days"]:
            yield group.address


@rule(
    "What prod holds survives a zone, a mistake and a bad release",
    set_on("aws_db_instance", "aws_rds_cluster", deletion_protection=False),
    only="prod",
)
def survives(plan):
    for database in plan.of("aws_db_instance"):
        if not (database["multi_az"] and database["deletion_protection"] and database["backup_retention_period"] >= 30):
            yield database.address
    for cluster in plan.of("aws_rds_cluster"):
        if not (cluster["deletion_protection"] and cluster["backup_retention_period"] >= 30):
            yield cluster.address
        if len(plan.of("aws_rds_cluster_instance")) < 2:
            yield f"{cluster.address}: a single instance"
    for cluster in plan.of("aws_docdb_cluster"):
        if not cluster["deletion_protection"] or len(plan.of("aws_docdb_cluster_instance")) < 2:
            yield cluster.address
    for bucket in plan.of("aws_s3_bucket"):
        if bucket["force_destroy"]:
            yield f"{bucket.address}: can be deleted with what it holds"
    for configuration in plan.of("aws_msk_configuration"):
        text = configuration["server_properties"]
        if "min.insync.replicas=2" not in text or "unclean.leader.election.enable=false" not in text:
            yield configuration.address
    for group in plan.of("aws_codedeploy_deployment_group"):
        if "AllAtOnce" in group["deployment_config_name"]:
            yield f"{group.address}: shifts at once"
