"""The movie list through botocore, which is what boto3 signs and sends with. README.md says how to run it."""
import json
import os
import sys
from urllib.parse import quote, urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

API = os.environ["MARQUEE_URL"]
VPCE = os.environ.get("MARQUEE_VPCE")

session = botocore.session.Session()
credentials = session.get_credentials()
region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
http = URLLib3Session(timeout=10)


class Refused(Exception):
    def __init__(self, response):
        try:
            answer = json.loads(response.content)
        except ValueError:  # API Gateway's 413 is plain text
            answer = {"message": response.text}
        # API Gateway's own refusals have a type and a message; a denial by policy spells it with a capital. The
        # service's errors are {"error": {"code", "message"}}.
        error = answer.get("error", {})
        kind = response.headers.get("x-amzn-errortype") or error.get("code")
        message = answer.get("message") or answer.get("Message") or error.get("message")
        # Of several lines, the later ones hold the session token.
        super().__init__(f"{response.status_code} {kind}: {message.splitlines()[0]}")


def call(method, path, params=None, headers=None, body=None):
    url, headers = API + path, dict(headers or {})
    if VPCE:
        # Private DNS is off: connections go to the VPC endpoint's own name; Host and signature keep the API's.
        headers["Host"] = urlsplit(API).netloc
        url = (VPCE if "://" in VPCE else "https://" + VPCE) + urlsplit(url).path
    if body is not None:
        headers["Content-Type"] = "application/json"
    request = AWSRequest(method, url, headers, json.dumps(body) if body is not None else None, params)
    SigV4Auth(credentials.get_frozen_credentials(), "execute-api", region).add_auth(request)
    response = http.send(request.prepare())
    if response.status_code >= 300:
        raise Refused(response)
    return response


def movie(year, title):
    return f"/movie_list/{year}/{quote(title, safe='')}"  # a slash becomes %2F


def main():
    response = call("GET", "/movie_list", params={"sort": "year", "director": "Alfonso Cuarón", "limit": 10})
    for item in json.loads(response.content)["Items"]:
        print(item["year"], item["title"])

    found = json.loads(call("GET", movie(1997, "Face/Off")).content)
    print(f"{found['title']} ({found['year']}) was directed by {', '.join(found['info']['directors'])}")

    mine = movie(2026, f"Café / Bar, take {os.getpid()}")
    written = call("PUT", mine, body={"info": {"genres": ["Comedy"]}})
    print("wrote", json.loads(written.content)["title"])
    call("DELETE", mine, headers={"If-Match": written.headers["ETag"]})
    print("deleted it")


if __name__ == "__main__":
    try:
        main()
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(4)
