"""A CloudFront distribution for tests, and what it was asked to forget."""

from __future__ import annotations

from typing import Any

from lib.ids import new_id


async def new_distribution(aws: Any) -> str:
    """Make one in front of some bucket; the value is its id."""
    made = await aws.create_distribution(
        DistributionConfig={
            "CallerReference": str(new_id()),
            "Comment": "",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "s3",
                        "DomainName": "pictures.s3.us-east-1.amazonaws.com",
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "s3",
                "ViewerProtocolPolicy": "https-only",
                "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
                "TrustedSigners": {"Enabled": False, "Quantity": 0},
            },
        }
    )
    found: str = made["Distribution"]["Id"]
    return found


async def forgotten(aws: Any, distribution: str) -> list[dict[str, Any]]:
    """What CloudFront was asked to forget."""
    listed = await aws.list_invalidations(DistributionId=distribution)
    batches = []
    for item in listed["InvalidationList"].get("Items", ()):
        found = await aws.get_invalidation(DistributionId=distribution, Id=item["Id"])
        batches.append(found["Invalidation"]["InvalidationBatch"])
    return batches
