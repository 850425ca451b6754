#!/usr/bin/env bash
# Makes the stack's bucket as Terraform makes it on AWS, versioned. LocalStack runs this each time that it is ready; its objects
# are in memory, so after a start there is no bucket.
set -euo pipefail

: "${MILLRACE_OBJECTS_BUCKET:?compose.yaml sets it}" "${MILLRACE_OBJECTS_REGION:?compose.yaml sets it}"

s3() { awslocal --region "$MILLRACE_OBJECTS_REGION" s3api "$@" --bucket "$MILLRACE_OBJECTS_BUCKET"; }

# Outside of us-east-1 the place must be named, as on AWS.
where=()
[[ $MILLRACE_OBJECTS_REGION == us-east-1 ]] || where=(--create-bucket-configuration "LocationConstraint=$MILLRACE_OBJECTS_REGION")
s3 head-bucket >/dev/null 2>&1 || s3 create-bucket "${where[@]}"
s3 put-bucket-versioning --versioning-configuration Status=Enabled
