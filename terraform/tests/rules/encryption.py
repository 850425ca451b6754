"""Everything is encrypted, where it lies and where it travels."""

from plan import drop, rule, set_on, statements

# RDS and Aurora write the same parameter differently, and refuse the other's word.
TLS_PARAMETERS = {
    "aws_db_parameter_group": ("require_secure_transport", "1"),
    "aws_rds_cluster_parameter_group": ("require_secure_transport", "ON"),
    "aws_docdb_cluster_parameter_group": ("tls", "enabled"),
}


@rule(
    "What is stored is encrypted with the platform's keys, except DocumentDB's own secret",
    set_on("aws_secretsmanager_secret", kms_key_id=None),
)
def encrypted(plan):
    keys = {
        "aws_cloudwatch_log_group": "kms_key_id",
        "aws_secretsmanager_secret": "kms_key_id",
        "aws_sqs_queue": "kms_master_key_id",
        "aws_sns_topic": "kms_master_key_id",
        "aws_lambda_function": "kms_key_arn",
        "aws_scheduler_schedule": "kms_key_arn",
        "aws_db_instance": "kms_key_id",
        "aws_rds_cluster": "kms_key_id",
        "aws_docdb_cluster": "kms_key_id",
    }
    for kind, key in keys.items():
        for resource in plan.of(kind):
            if not resource[key]:
                yield f"{resource.address}: {key}"
    for resource in plan.of("aws_db_instance", "aws_rds_cluster", "aws_docdb_cluster"):
        if resource["storage_encrypted"] is not True:
            yield resource.address
    for resource in plan.of("aws_msk_cluster"):
        if not resource["encryption_info"][0]["encryption_at_rest_kms_key_arn"]:
            yield resource.address
    encrypted_buckets = {it.index for it in plan.of("aws_s3_bucket_server_side_encryption_configuration")}
    for bucket in plan.of("aws_s3_bucket"):
        if bucket.index not in encrypted_buckets:
            yield bucket.address
    for key in plan.of("aws_kms_key"):
        if key["enable_key_rotation"] is not True:
            yield f"{key.address}: does not rotate"


@rule("What travels is encrypted", drop("aws_s3_bucket_policy"))
def tls(plan):
    for resource in plan.of("aws_msk_cluster"):
        transit = resource["encryption_info"][0]["encryption_in_transit"][0]
        if transit["client_broker"] != "TLS" or transit["in_cluster"] is not True:
            yield resource.address
    for kind, required in TLS_PARAMETERS.items():
        for resource in plan.of(kind):
            if required not in [(it["name"], it["value"]) for it in resource["parameter"]]:
                yield resource.address
    for resource in plan.of("aws_db_proxy"):
        if resource["require_tls"] is not True:
            yield resource.address
    denied = {
        it.index
        for it in plan.of("aws_s3_bucket_policy")
        for statement in statements(it["policy"])
        if statement.get("Sid") == "TlsOnly" and statement["Effect"] == "Deny"
    }
    for bucket in plan.of("aws_s3_bucket"):
        if bucket.index not in denied:
            yield f"{bucket.address}: requests without TLS are not denied"
