"""Signs requests with botocore and prints one vector a line, as JSON.

    python3 botocore_vectors.py > botocore.jsonl

What stands in a vector: the request as it leaves botocore ("wire"), what
botocore signed ("canonical_request", "string_to_sign", "signature") and with
what. "deviation" names the leniency that a verifier needs, or is "refused" for a
request that AWS refuses, too, because botocore's signature does not describe it.
"""

import datetime
import json
import sys
from unittest import mock
from urllib.parse import urlsplit

import botocore
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

HOST = "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"
ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaDmFwLW5vcnRoZWFzdC0yIkcwRQ+a/b=="
TIME = datetime.datetime(2026, 11, 23, 1, 2, 3)


def recording(auth_class):
    class Recording(auth_class):
        def canonical_request(self, request):
            self.canonical = super().canonical_request(request)
            return self.canonical

        def string_to_sign(self, request, canonical_request):
            self.to_sign = super().string_to_sign(request, canonical_request)
            return self.to_sign

        def signature(self, string_to_sign, request):
            self.signed = super().signature(string_to_sign, request)
            return self.signed

    return Recording


def vector(name, method="GET", path="/dev/movie_list", headers=(), body="", token="", region="ap-northeast-2",
           service="execute-api", params=None, expires=None, deviation="", host=HOST):
    fields = HTTPHeaders()
    for key, value in headers:
        fields.add_header(key, value)
    request = AWSRequest(method=method, url=host + path, data=body.encode(), params=params)
    for key, value in headers:
        if key not in request.headers:
            for v in fields.get_all(key):
                request.headers.add_header(key, v)
    credentials = Credentials(ID, SECRET, token or None)
    if expires is None:
        auth = recording(SigV4Auth)(credentials, service, region)
    else:
        auth = recording(SigV4QueryAuth)(credentials, service, region, expires=expires)
    with mock.patch("botocore.auth.get_current_datetime", return_value=TIME):
        auth.add_auth(request)
    wire = request.prepare()
    url = urlsplit(wire.url)
    sent = [[k, v.decode() if isinstance(v, bytes) else v] for k, v in wire.headers.items()]
    return {
        "name": name,
        "signer": "botocore " + botocore.__version__,
        "deviation": deviation,
        "id": ID, "secret": SECRET, "token": token,
        "region": region, "service": service, "time": TIME.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "presigned": expires is not None,
        "wire": {
            "method": method,
            "target": (url.path or "/") + ("?" + url.query if url.query else ""),
            "host": url.netloc,
            "headers": [h for h in sent if h[0].lower() not in ("host", "content-length")],
            "body": (wire.body or b"").decode(),
        },
        "canonical_request": auth.canonical,
        "string_to_sign": auth.to_sign,
        "signature": auth.signed,
    }


JSON = [("Content-Type", "application/json")]
PATHS = {
    "root": "/", "empty": "", "plain": "/dev/movie_list", "trailing slash": "/dev/movie_list/",
    "year and title": "/dev/movie_list/2013/The%20Lunchbox",
    "escaped slash": "/dev/movie_list/2013/AC%2FDC", "escaped slash, lower case": "/dev/a%2fb",
    "escaped percent": "/dev/100%25", "escaped utf-8": "/dev/%EA%B8%B0%EC%83%9D%EC%B6%A9", "escaped tilde": "/dev/%7Ea",
    "raw plus": "/dev/a+b", "raw reserved": "/dev/@connections/a:b=c;d,e!f$g&h'i(j)k*l",
    "unreserved": "/dev/A-z.0_9~", "hidden": "/dev/.well-known/x", "three dots": "/dev/.../x",
    "double slash": "/dev//movie_list", "leading double slash": "//dev/movie_list", "only slashes": "///",
    "dot": "/dev/./movie_list", "dot dot": "/dev/x/../movie_list", "dot dot at the end": "/dev/movie_list/x/..",
    "dot dot slash at the end": "/dev/movie_list/x/../", "dot at the end": "/dev/movie_list/.",
    "above the root": "/../../dev", "only dot dot": "/..", "escaped dots": "/dev/%2e%2e/x",
}
QUERIES = {
    "one": "a=1", "unsorted": "b=2&a=1&c=3", "repeated key": "k=b&k=a&k=B&k=", "bare key": "flag", "bare keys": "b&a&a=",
    "empty value": "a=", "name is a prefix": "a-b=2&a=1&a.b=3&ab=4", "sort after encoding": "k=a-b&k=a%2Fb&a%2F=1&a-=2",
    "escaped space": "q=a%20b", "escaped plus": "q=a%2Bb", "escaped utf-8": "q=%E1%88%B4",
    "equals in a value": "a=b%3Dc%3D%3D", "like a signature": "X-Amz-Signature=x&a=1",
    "upper before lower": "b=1&B=2&a=3&A=4",
}
REFUSED_QUERIES = {
    "escape in lower case": "q=a%2fb", "escaped unreserved": "q=%41", "raw reserved": "q=a/b:c@d", "plus": "q=a+b",
    "empty pieces": "&a=1&&b=2&",
}
HEADERS = {
    "json": JSON, "custom": [("X-Custom", "v"), ("Accept", "*/*")],
    "inner spaces": [("X-Custom", "a   b     c")], "outer spaces": [("X-Custom", "   a b   ")],
    "inner tab": [("X-Custom", "a\tb \t c")], "quoted spaces": [("X-Custom", '"a   b"')], "empty": [("X-Custom", "")],
    "amz": [("X-Amz-Meta-B", "2"), ("x-amz-meta-a", "1")],
    "not signed": [("User-Agent", "x"), ("X-Amzn-Trace-Id", "Root=1"), ("Expect", "100-continue")],
    "names in order": [("X-A-B", "1"), ("X-A", "2"), ("X-AB", "3"), ("X-A1", "4")],
}


def vectors():
    for name, path in PATHS.items():
        yield vector("path: " + name, path=path)
    for name, query in QUERIES.items():
        yield vector("query: " + name, path="/dev/movie_list?" + query)
    for name, query in REFUSED_QUERIES.items():
        yield vector("query that botocore does not encode anew: " + name, path="/dev/movie_list?" + query,
                     deviation="refused")
    yield vector("params: space and plus", params={"q": "a b+c", "title": "기생충", "a/b": "c&d=e"})
    for name, headers in HEADERS.items():
        yield vector("header: " + name, headers=headers)
    yield vector("header of which botocore sends only one of three", deviation="refused",
                 headers=[("X-Custom", "b"), ("X-Custom", "a"), ("X-Custom", "b")])
    for method in ("PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        yield vector("method: " + method, method=method)
    yield vector("body: json", method="PUT", headers=JSON, body='{"title":"기생충"}')
    yield vector("body: without a content type", method="POST", body="x" * 100)
    yield vector("token: header", token=TOKEN)
    yield vector("token: with a body", method="PUT", headers=JSON, body="{}", token=TOKEN)
    yield vector("scope: another service", region="us-east-1", service="sts", host="https://sts.amazonaws.com", path="/")
    yield vector("host: with a port", host="http://127.0.0.1:8080")
    yield vector("date: Date in place of X-Amz-Date", headers=[("Date", "Mon, 01 Jan 2001 00:00:00 GMT")])
    yield vector("presigned", expires=60)
    yield vector("presigned: query", path="/dev/movie_list?year=2013&limit=5&flag", expires=300)
    yield vector("presigned: token", token=TOKEN, expires=300)
    yield vector("presigned: body that botocore moves into the query", method="POST", body='{"a":1}', expires=300)
    yield vector("presigned: path", path="/dev//movie_list/2013/AC%2FDC/./x/../", expires=300)
    yield vector("presigned: header", headers=[("X-Custom", "a  b")], expires=300)


if __name__ == "__main__":
    for v in vectors():
        print(json.dumps(v, ensure_ascii=False, sort_keys=True), file=sys.stdout)
