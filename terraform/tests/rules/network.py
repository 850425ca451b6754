"""Nothing is public."""

from plan import add, rule, set_on


@rule("There is no way in from the internet, and none out", add("aws_internet_gateway"))
def no_gateway(plan):
    for resource in plan.of("aws_internet_gateway", "aws_nat_gateway", "aws_eip", "aws_lambda_function_url", "aws_lb"):
        yield resource.address


@rule(
    "Security groups let in and out by reference, never by address",
    set_on("aws_vpc_security_group_ingress_rule", cidr_ipv4="0.0.0.0/0"),
)
def groups_by_reference(plan):
    for resource in plan.of("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"):
        if resource["cidr_ipv4"] or resource["cidr_ipv6"]:
            yield f"{resource.address}: an address range"
        if not resource["referenced_security_group_id"] and not resource["prefix_list_id"]:
            yield f"{resource.address}: no group"
    for resource in plan.of("aws_security_group"):
        for side in ("ingress", "egress"):
            if isinstance(resource[side], list) and resource[side]:
                yield f"{resource.address}: {side} beside the table of flows"


@rule(
    "Databases, brokers, subnets and buckets are private",
    set_on("aws_s3_bucket_public_access_block", block_public_policy=False),
)
def private(plan):
    for resource in plan.of("aws_db_instance", "aws_rds_cluster_instance"):
        if resource["publicly_accessible"] is not False:
            yield resource.address
    for resource in plan.of("aws_ecs_service"):
        if resource["network_configuration"][0]["assign_public_ip"] is not False:
            yield resource.address
    for resource in plan.of("aws_subnet"):
        if resource["map_public_ip_on_launch"]:
            yield resource.address
    for resource in plan.of("aws_msk_cluster"):
        if resource["broker_node_group_info"][0]["connectivity_info"][0]["public_access"][0]["type"] != "DISABLED":
            yield resource.address
    blocked = {
        block.index
        for block in plan.of("aws_s3_bucket_public_access_block")
        if all(
            block[key] is True
            for key in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
        )
    }
    for bucket in plan.of("aws_s3_bucket"):
        if bucket.index not in blocked:
            yield f"{bucket.address}: public access is not blocked"
