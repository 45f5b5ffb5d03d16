// The movie list through aws4 and node:https: list, read, write, delete. README.md says how to run it.
import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import aws4 from "aws4";

const { MARQUEE_URL, MARQUEE_VPCE, AWS_REGION } = process.env;
if (!MARQUEE_URL || !AWS_REGION) throw new Error("set MARQUEE_URL to the API's invoke URL, and AWS_REGION");
const credentials = fromNodeProviderChain();

const api = new URL(MARQUEE_URL);
// Where private DNS is off, connections go to the VPC endpoint's own name; Host and signature keep the API's.
const dial = MARQUEE_VPCE ? new URL(MARQUEE_VPCE.includes("://") ? MARQUEE_VPCE : `https://${MARQUEE_VPCE}`) : api;

class Refused extends Error {
  constructor(response, body) {
    let answer = {};
    try {
      answer = JSON.parse(body);
    } catch {
      // API Gateway's 413 is plain text.
    }
    // API Gateway's own refusals have a type and a message; a denial by policy spells it with a capital. The service's
    // errors are {"error": {"code", "message"}}.
    const type = response.headers["x-amzn-errortype"] ?? answer.error?.code;
    const message = answer.message ?? answer.Message ?? answer.error?.message ?? body;
    super(`${response.statusCode} ${type}: ${message.split("\n")[0]}`); // later lines would hold the session token
  }
}

async function call(method, path, { headers, json } = {}) {
  const body = json && JSON.stringify(json);
  const request = aws4.sign(
    {
      service: "execute-api",
      region: AWS_REGION,
      method,
      path: api.pathname + path,
      headers: { Host: api.host, ...(json && { "Content-Type": "application/json" }), ...headers },
      body,
    },
    await credentials(),
  );
  const { protocol, hostname, port } = dial;
  const response = await new Promise((resolve, reject) => {
    (protocol === "http:" ? http : https)
      .request({ hostname, port, method, path: request.path, headers: request.headers }, resolve)
      .on("error", reject)
      .end(body);
  });
  const answer = await text(response);
  if (response.statusCode >= 300) throw new Refused(response, answer);
  return { headers: response.headers, data: answer && JSON.parse(answer) };
}

const movie = (year, title) => `/movie_list/${year}/${encodeURIComponent(title)}`; // a slash becomes %2F

async function main() {
  const query = new URLSearchParams({ sort: "year", director: "Alfonso Cuarón", limit: 10 });
  const list = await call("GET", `/movie_list?${query}`);
  list.data.Items.forEach((movie) => console.log(movie.year, movie.title));

  const { data } = await call("GET", movie(1997, "Face/Off"));
  console.log(`${data.title} (${data.year}) was directed by ${data.info.directors.join(", ")}`);

  const mine = movie(2026, `Café / Bar, take ${process.pid}`);
  const written = await call("PUT", mine, { json: { info: { genres: ["Comedy"] } } });
  console.log(`wrote ${written.data.title}`);
  await call("DELETE", mine, { headers: { "If-Match": written.headers.etag } });
  console.log("deleted it");
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(error.message);
  process.exitCode = 4;
}
