"""The movie list through requests, with signatures by botocore. README.md says how to run it."""
import os
import sys
from urllib.parse import quote, urlsplit

import botocore.session
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

API = os.environ["MARQUEE_URL"]
VPCE = os.environ.get("MARQUEE_VPCE")


class SigV4(requests.auth.AuthBase):
    """Signs a prepared request, whose URL and body are the ones that go out."""

    def __init__(self, session):
        self.credentials = session.get_credentials()
        self.region = os.environ.get("AWS_REGION") or session.get_config_variable("region")

    def __call__(self, request):
        # requests writes a space in a query as "+", and botocore would sign the plus sign. A real one is %2B by now.
        url = urlsplit(request.url)
        request.url = url._replace(query=url.query.replace("+", "%20")).geturl()
        # Host and Content-Type are signed; what a proxy on the way may change, such as Accept-Encoding, is not.
        headers = {name: request.headers[name] for name in ("Host", "Content-Type") if name in request.headers}
        signed = AWSRequest(request.method, request.url, headers, request.body)
        SigV4Auth(self.credentials.get_frozen_credentials(), "execute-api", self.region).add_auth(signed)
        request.headers.update(dict(signed.headers))
        return request


def open_session():
    """A session and the base of its URLs."""
    http = requests.Session()
    http.auth = SigV4(botocore.session.Session())
    if not VPCE:
        return http, API
    # Private DNS is off: connections go to the VPC endpoint's own name; Host and signature keep the API's.
    http.headers["Host"] = urlsplit(API).netloc
    return http, (VPCE if "://" in VPCE else "https://" + VPCE) + urlsplit(API).path


http, base = open_session()


def call(method, path, **kwargs):
    # A signature is for one host and one path, so a redirect could only be refused.
    response = http.request(method, base + path, timeout=10, allow_redirects=False, **kwargs)
    response.raise_for_status()
    return response


def movie(year, title):
    return f"/movie_list/{year}/{quote(title, safe='')}"  # a slash becomes %2F


def main():
    response = call("GET", "/movie_list", params={"sort": "year", "director": "Alfonso Cuarón", "limit": 10})
    for item in response.json()["Items"]:
        print(item["year"], item["title"])

    found = call("GET", movie(1997, "Face/Off")).json()
    print(f"{found['title']} ({found['year']}) was directed by {', '.join(found['info']['directors'])}")

    mine = movie(2026, f"Café / Bar, take {os.getpid()}")
    written = call("PUT", mine, json={"info": {"genres": ["Comedy"]}})
    print("wrote", written.json()["title"])
    call("DELETE", mine, headers={"If-Match": written.headers["ETag"]})
    print("deleted it")


def explain(response):
    """The line that says why the API refused."""
    try:
        answer = response.json()
    except requests.JSONDecodeError:  # API Gateway's 413 is plain text
        answer = {"message": response.text}
    # API Gateway's own refusals have a type and a message; a denial by policy spells it with a capital. The service's
    # errors are {"error": {"code", "message"}}.
    error = answer.get("error", {})
    kind = response.headers.get("x-amzn-errortype") or error.get("code")
    message = answer.get("message") or answer.get("Message") or error.get("message")
    return f"{response.status_code} {kind}: {message.splitlines()[0]}"  # later lines would hold the session token


if __name__ == "__main__":
    try:
        main()
    except requests.HTTPError as refused:
        print(explain(refused.response), file=sys.stderr)
        sys.exit(4)
