"""Sends requests signed by botocore through the requests library."""
import json
import os
import sys

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ["AWS_SESSION_TOKEN"])

for line in sys.stdin:
    order = json.loads(line)
    request = AWSRequest(method=order["method"], url=order["url"], headers=order.get("headers") or {}, data=(order.get("body") or "").encode() or None)
    SigV4Auth(credentials, "execute-api", os.environ["AWS_REGION"]).add_auth(request)
    url, body = order["url"], (order.get("body") or "").encode() or None
    if order.get("tamper") == "body":
        body = b"X" + body[1:]
    if order.get("tamper") == "path":
        url = url.replace("movie_list", "movie_lisT", 1)
    response = requests.request(order["method"], url, headers=dict(request.headers), data=body, timeout=30)
    print(json.dumps({"status": response.status_code, "body": response.text}), flush=True)
