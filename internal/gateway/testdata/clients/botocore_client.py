"""Sends requests signed and sent by botocore, as boto3 does."""
import json
import os
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_SESSION_TOKEN"])
session = URLLib3Session()

for line in sys.stdin:
    order = json.loads(line)
    request = AWSRequest(
        method=order["method"], url=order["url"], headers=order.get("headers") or {}, data=(order.get("body") or "").encode() or None,
        params=order.get("params"),
    )
    SigV4Auth(credentials, "execute-api", os.environ["AWS_REGION"]).add_auth(request)
    prepared = request.prepare()
    if order.get("tamper") == "body":
        prepared.body = b"X" + prepared.body[1:]
    if order.get("tamper") == "path":
        prepared.url = prepared.url.replace("movie_list", "movie_lisT", 1)
    response = session.send(prepared)
    print(json.dumps({"status": response.status_code, "body": response.text}), flush=True)
