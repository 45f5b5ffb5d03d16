#!/usr/bin/env python3
"""Writes the captures beside this file: requests signed by botocore 1.43 or curl 7.88, then damaged in one known way.

Nothing here uses marquee. For each case NAME there is
  NAME.http      the request as it would reach the server, raw HTTP
  NAME.log       for some, botocore's debug log with what it signed
  NAME.aws.json  for some, AWS's answer to a wrong signature: AWS's wording around the canonical request of NAME.http,
                 which server_texts below computes from the SigV4 documentation
and some captures of curl's own, *.curl and *.trace. Keys, tokens and dates are fixed, the keys and the token are the
examples of AWS's documentation. Run it in this directory; it needs curl and a free port 18999.
"""
import datetime, gzip, hashlib, io, json, logging, re, socket, subprocess, threading, urllib.parse
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

assert botocore.__version__.startswith("1.43."), botocore.__version__

DATE = datetime.datetime(2026, 11, 20, 10, 0, 0, tzinfo=datetime.timezone.utc)
REGION, SERVICE = "ap-northeast-2", "execute-api"
HOST = "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"
VPCE = "vpce-0abc12345678-9xyz.execute-api.ap-northeast-2.vpce.amazonaws.com"
LONG = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TOKEN = ("AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTFlfKD8YUuwthAx7mSEI"
         "/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38"
         "xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==")
SHORT = Credentials("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY", TOKEN)
WRONG = Credentials("AKIDEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY")
PASTED = Credentials("AKIDEXAMPLE", LONG.secret_key + "\n")
OTHER = Credentials("AKIAI44QH8DHBEXAMPLE", LONG.secret_key)
MOVIE = {"year": 2013, "title": "Rush", "info": {"rating": 8.3, "genres": ["Action", "Drama"]}}

botocore.auth.get_current_datetime = lambda *a, **k: DATE


def sign(method, url, keys=LONG, body=b"", headers=None, region=REGION, service=SERVICE, auth=botocore.auth.SigV4Auth):
    """Returns the signed request and botocore's log of it."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("2026-11-20 10:00:00,000 %(name)s [%(levelname)s] %(message)s"))
    logger = logging.getLogger("botocore.auth")
    logger.setLevel(logging.DEBUG)
    logger.handlers, logger.propagate = [handler], False
    request = AWSRequest(method, url, headers=dict(headers or {}), data=body)
    auth(keys, service, region).add_auth(request)
    return request, log.getvalue()


def wire(request, body=b""):
    """The request as [method, target, [[name, value], …], body]."""
    url = urllib.parse.urlsplit(request.url)
    target = url.path + ("?" + url.query if url.query else "")
    headers = [["Host", url.netloc]] + [[k, v] for k, v in request.headers.items()]
    headers.append(["User-Agent", "movie-service/1.4"])
    if body:
        headers.append(["Content-Length", str(len(body))])
    return [request.method, target, headers, body]


def raw(w):
    method, target, headers, body = w
    return "".join([f"{method} {target} HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in headers), "\r\n"]).encode() + body


def server_texts(w):
    """Canonical request and string to sign of what arrived ("Create a signed AWS API request", IAM user guide)."""
    method, target, headers, body = w
    path, _, query = target.partition("?")
    values = {}
    for k, v in headers:
        values.setdefault(k.lower(), []).append(" ".join(v.split()))
    claim = dict(re.findall(r"(\w+)=([^, ]+)", values["authorization"][0]))
    quote = lambda s, safe="": urllib.parse.quote(s, safe="-_.~" + safe)
    pairs = sorted((quote(urllib.parse.unquote_plus(k)), quote(urllib.parse.unquote_plus(v)))
                   for k, _, v in (p.partition("=") for p in query.split("&") if p))
    names = claim["SignedHeaders"].split(";")
    canonical = "\n".join([method, quote(path, "/"), "&".join(f"{k}={v}" for k, v in pairs),
                           *(f"{n}:{','.join(values.get(n, ['']))}" for n in names), "",
                           claim["SignedHeaders"], hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", values["x-amz-date"][0], claim["Credential"].partition("/")[2],
                         hashlib.sha256(canonical.encode()).hexdigest()])
    return canonical, to_sign


def answer(w):
    canonical, to_sign = server_texts(w)
    return json.dumps({"message":
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
        "and signing method. Consult the service documentation for details.\n\n"
        f"The Canonical String for this request should have been\n'{canonical}'\n\n"
        f"The String-to-Sign should have been\n'{to_sign}'\n"}, separators=(",", ":"))


LOGS = {"right", "right-token", "host", "path-decoded", "path-stage", "query-raw-plus", "query-changed", "header", "header-other",
        "header-removed", "body", "date", "method", "secret", "two", "presigned-changed"}
ANSWERS = {"right", "right-token", "host", "header-other", "query-raw-plus", "query-added", "secret", "date"}


def write(name, w, log):
    open(name + ".http", "wb").write(raw(w))
    if name in LOGS:
        open(name + ".log", "w").write(log)
    if name in ANSWERS:
        open(name + ".aws.json", "w").write(answer(w) + "\n")


def put(w, name, value):
    for h in w[2]:
        if h[0].lower() == name.lower():
            h[1] = value
            return
    raise KeyError(name)


def drop(w, name):
    w[2] = [h for h in w[2] if h[0].lower() != name.lower()]


LIST = f"https://{HOST}/dev/movie_list?limit=2&year=2013"
ONE = f"https://{HOST}/dev/movie_list/2013/Rush"
JSON = {"Content-Type": "application/json"}


def get(name, change=None, url=LIST, **kw):
    request, log = sign("GET", url, **kw)
    w = wire(request)
    if change:
        change(w)
    write(name, w, log)


def save(name, change=None, body=json.dumps(MOVIE).encode(), headers=JSON, **kw):
    request, log = sign("PUT", ONE, body=body, headers=headers, **kw)
    w = wire(request, body)
    if change:
        change(w)
    write(name, w, log)


def new_body(body):
    def change(w):
        w[3] = body
        put(w, "Content-Length", str(len(body)))
    return change


def target(old, new):
    def change(w):
        assert old in w[1], w[1]
        w[1] = w[1].replace(old, new)
    return change


def faults():
    get("right")
    save("right-put")
    get("right-token", keys=SHORT)
    get("right-reordered", target("limit=2&year=2013", "year=2013&limit=2"))  # the server sorts
    get("right-plus", target("%20", "+"), url=f"https://{HOST}/dev/movie_list?title=The%20Hobbit")  # the server decodes
    get("right-unsigned-header", lambda w: put(w, "User-Agent", "proxy/2.0"))

    get("host", lambda w: put(w, "Host", "movies.internal.example"))
    get("host-forwarded", lambda w: (put(w, "Host", "movies.internal.example"), w[2].append(["X-Forwarded-Host", HOST])))
    get("path-escaped", target("Schindler's", "Schindler%27s"), url=f"https://{HOST}/dev/movie_list/1993/Schindler's%20List")
    get("path-decoded", target("%2F", "/"), url=f"https://{HOST}/dev/movie_list/1997/Face%2FOff")
    get("path-stage", target("/dev/", "/"))
    get("query-plus", target("The%20Hobbit", "The%2BHobbit"), url=f"https://{HOST}/dev/movie_list?title=The%20Hobbit")
    get("query-raw-plus", url=f"https://{HOST}/dev/movie_list?title=The+Hobbit")  # botocore signs a URL's plus as it is
    get("query-added", target("limit=2", "limit=2&utm=mail"))
    get("query-changed", target("limit=2", "limit=3"))
    save("header", lambda w: put(w, "Content-Type", "application/json; charset=utf-8"))
    save("header-other", lambda w: put(w, "X-Movie-Client", "two"), headers=JSON | {"X-Movie-Client": "one"})
    save("header-removed", lambda w: drop(w, "X-Movie-Client"), headers=JSON | {"X-Movie-Client": "one"})
    save("body-json", new_body(json.dumps(MOVIE, separators=(",", ":")).encode()))
    save("body", new_body(json.dumps(MOVIE | {"year": 2014}).encode()))
    save("body-missing", lambda w: (w.__setitem__(3, b""), drop(w, "Content-Length")))
    save("body-gzip", lambda w: (w[2].append(["Content-Encoding", "gzip"]), new_body(gzip.compress(w[3], mtime=0))(w)))
    save("header-latin1", lambda w: None, headers=JSON | {"X-Movie-Client": "Amélie"})
    sent = open("header-latin1.http", "rb").read()
    open("header-latin1.http", "wb").write(sent.replace("Amélie".encode(), "Amélie".encode("latin-1")))
    get("method", lambda w: w.__setitem__(0, "POST"))
    get("date", lambda w: put(w, "X-Amz-Date", "20261120T100130Z"))
    get("date-day", lambda w: put(w, "X-Amz-Date", "20261121T100000Z"))
    get("region", region="us-east-1")
    get("service", service="lambda")
    get("region-and-service", region="us-east-1", service="lambda")
    get("scope-mixed", lambda w: put(w, "Authorization", next(v for k, v in w[2] if k == "Authorization").replace("us-east-1", REGION)),
        region="us-east-1")
    get("secret", keys=WRONG)
    get("secret-pasted", keys=PASTED)
    get("key-id", keys=OTHER)
    get("token-missing", lambda w: drop(w, "X-Amz-Security-Token"), keys=SHORT)
    get("token-other", lambda w: put(w, "X-Amz-Security-Token", TOKEN[:-8] + "Changed="), keys=SHORT)
    get("token-redacted", lambda w: put(w, "X-Amz-Security-Token", "[redacted]"), keys=SHORT)
    get("unsigned", lambda w: drop(w, "Authorization"))
    get("basic", lambda w: put(w, "Authorization", "Basic bW92aWVzOmh1bnRlcjI="))
    save("two", lambda w: (put(w, "Content-Type", "application/json;charset=UTF-8"), put(w, "Host", HOST + ":443")))

    # Against a local stack, by a client that signs the port and by one that does not.
    get("local", url="http://127.0.0.1:8080/dev/movie_list", keys=SHORT)
    get("local-no-port", lambda w: put(w, "Host", "127.0.0.1:8080"), url="http://127.0.0.1/dev/movie_list", keys=SHORT)

    class Query(botocore.auth.SigV4QueryAuth):
        def __init__(self, *a):
            super().__init__(*a, expires=60)

    for name, change in {"presigned": None, "presigned-changed": target("limit=2", "limit=20")}.items():
        request, log = sign("GET", LIST, auth=Query, keys=SHORT)
        w = wire(request)
        if change:
            change(w)
        write(name, w, log)


def serve(http2):
    """Answers one connection as far as curl needs to send its request."""
    listener = socket.create_server(("127.0.0.1", 18999))

    def run():
        conn, _ = listener.accept()
        with conn, listener:
            if http2:
                conn.sendall(b"\0\0\0\4\0\0\0\0\0")  # SETTINGS
                while b"\0\0\0\4\1\0\0\0\0" not in conn.recv(65536):  # until curl acknowledges them
                    pass
                conn.shutdown(socket.SHUT_WR)
                while conn.recv(65536):
                    pass
                return
            data = conn.recv(65536)
            while b"100-continue" not in data and b"\r\n\r\n" not in data:
                data += conn.recv(65536)
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            conn.recv(65536)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def curl(name, request, *args, http2=False):
    """Sends a signed request with curl and keeps what curl says of it."""
    url = urllib.parse.urlsplit(request.url)
    thread = serve(http2)
    command = ["curl", "-sS", "--path-as-is", "-X", request.method, *args,
               "--resolve", f"{url.hostname}:18999:127.0.0.1"]
    for k, v in request.headers.items():
        command += ["-H", f"{k}: {v}"]
    if not any("Host:" in a for a in args):
        command += ["-H", f"Host: {url.netloc}"]
    target = url.path + ("?" + url.query if url.query else "")
    out = subprocess.run(command + [f"http://{url.hostname}:18999{target}"], capture_output=True)
    thread.join()
    open(name, "wb").write(out.stderr if "-v" in args else out.stdout.removesuffix(b"ok"))


def curls():
    request, _ = sign("GET", LIST)
    curl("get.curl", request, "-v")
    curl("get-http2.curl", request, "-v", "--http2-prior-knowledge", http2=True)
    body = json.dumps(MOVIE).encode()
    request, _ = sign("PUT", ONE, body=body, headers=JSON)
    curl("put.curl", request, "-v", "--data-binary", body.decode())
    curl("put.trace", request, "--trace", "-", "--data-binary", body.decode())
    curl("put.trace-ascii", request, "--trace-ascii", "-", "--data-binary", body.decode())
    curl("put-newline.trace", request, "--trace", "-", "--data-binary", body.decode() + "\n")
    open("put.json", "wb").write(body)
    # Signed for the endpoint's own name, sent with the API's Host.
    request, _ = sign("GET", LIST.replace(HOST, VPCE))
    curl("host.curl", request, "-v", "-H", f"Host: {HOST}")
    # curl 7.88 signs the query as it is typed, and with the time of the day on which this runs.
    thread = serve(False)
    out = subprocess.run(["curl", "-sS", "-v", "--aws-sigv4", f"aws:amz:{REGION}:{SERVICE}", "--user", f"{LONG.access_key}:{LONG.secret_key}",
                          "--connect-to", f"{HOST}:80:127.0.0.1:18999",
                          f"http://{HOST}/dev/movie_list?year=2013&limit=2"], capture_output=True)
    thread.join()
    open("query-order.curl", "wb").write(out.stderr)


if __name__ == "__main__":
    faults()
    curls()
