"""A CloudFront distribution for tests, and its invalidated paths."""

from __future__ import annotations

from typing import Any

from lib.ids import new_id


async def new_distribution(aws: Any) -> str:
    """Create a distribution in front of a bucket; return its ID."""
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
    """Return the paths that CloudFront was told to invalidate."""
    listed = await aws.list_invalidations(DistributionId=distribution)
    batches = []
    for item in listed["InvalidationList"].get("Items", ()):
        found = await aws.get_invalidation(DistributionId=distribution, Id=item["Id"])
        batches.append(found["Invalidation"]["InvalidationBatch"])
    return batches
