"""Signs with botocore what arrived on the wire: JSON lines in, a signature for each out.

In: {"method", "url", "headers": [[name, value], …] (those of SignedHeaders), "body" (base64),
"access_key", "secret_key", "token", "region", "date" (ISO 8601 basic)}.
"""

import base64
import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class WireAuth(SigV4Auth):
    """Leaves the choice of headers to whoever sent the request."""

    def headers_to_sign(self, request):
        return request.headers


for line in sys.stdin:
    wire = json.loads(line)
    request = AWSRequest(
        method=wire["method"], url=wire["url"], data=base64.b64decode(wire["body"])
    )
    for name, value in wire["headers"]:
        request.headers.add_header(name, value)
    request.context["timestamp"] = wire["date"]
    auth = WireAuth(
        Credentials(wire["access_key"], wire["secret_key"], wire["token"] or None),
        "execute-api",
        wire["region"],
    )
    canonical = auth.canonical_request(request)
    to_sign = auth.string_to_sign(request, canonical)
    print(auth.signature(to_sign, request), flush=True)
