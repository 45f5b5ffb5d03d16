// The movie list through aws-api-gateway-client: list, read, write, delete. README.md says how to run it.
import { randomUUID } from "node:crypto";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import apig from "aws-api-gateway-client";

const apigClientFactory = apig.default; // the package is CommonJS with a default export
const { MARQUEE_URL, MARQUEE_VPCE, AWS_REGION } = process.env;
if (!MARQUEE_URL || !AWS_REGION) throw new Error("set MARQUEE_URL to the API's invoke URL, and AWS_REGION");
const credentials = fromNodeProviderChain();

// Where private DNS is off, the call goes to the VPC endpoint by its own name, and a header names the API: this client
// cannot send a Host of one's choice.
function address() {
  if (!MARQUEE_VPCE) return { invokeUrl: MARQUEE_URL, headers: {} };
  const api = new URL(MARQUEE_URL);
  const endpoint = MARQUEE_VPCE.includes("://") ? MARQUEE_VPCE : `https://${MARQUEE_VPCE}`;
  return { invokeUrl: endpoint + api.pathname, headers: { "x-apigw-api-id": api.hostname.split(".")[0] } };
}

async function newClient(systemClockOffset = 0) {
  const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
  return apigClientFactory.newClient({
    invokeUrl: address().invokeUrl,
    region: AWS_REGION,
    accessKey: accessKeyId,
    secretKey: secretAccessKey,
    sessionToken,
    systemClockOffset, // milliseconds
    retries: 3,
    retryDelay: "exponential",
    // Needed beside retries: this client has no condition of its own for signed calls. A retry sends the same signature
    // again, which API Gateway accepts for five minutes.
    retryCondition: (error) => !error.response || [429, 502, 503, 504].includes(error.response.status),
  });
}

let client;

async function call(params, pathTemplate, method, { headers, ...additional } = {}, body = {}) {
  const args = [params, pathTemplate, method, { ...additional, headers: { ...headers, ...address().headers } }, body];
  client ??= await newClient();
  try {
    return await client.invokeApi(...args);
  } catch (error) {
    // This machine's clock is wrong: API Gateway's answer has the right time.
    if (!/Signature (expired|not yet current)/.test(error.response?.data?.message)) throw error;
    client = await newClient(Date.parse(error.response.headers.date) - Date.now());
    return client.invokeApi(...args);
  }
}

async function main() {
  const result = await call({}, "/movie_list", "GET", {
    queryParams: { sort: "year", director: "Alfonso Cuarón", limit: 10 },
  });
  result.data.Items.forEach((movie) => console.log(movie.year, movie.title));

  const movie = "/movie_list/{year}/{title}"; // the values are encoded by the client, slashes included
  const { data } = await call({ year: 1997, title: "Face/Off" }, movie, "GET");
  console.log(`${data.title} (${data.year}) was directed by ${data.info.directors.join(", ")}`);

  const mine = { year: 2026, title: `Café / Bar, take ${process.pid}` };
  const written = await call(mine, movie, "PUT", { headers: { "Idempotency-Key": randomUUID() } }, { info: { genres: ["Comedy"] } });
  console.log(`wrote ${written.data.title}`);
  await call(mine, movie, "DELETE", { headers: { "If-Match": written.headers.etag, "Idempotency-Key": randomUUID() } });
  console.log("deleted it");
}

try {
  await main();
} catch (error) {
  if (!error.response) throw error;
  // API Gateway's own refusals have a type and a message; a denial by policy spells it with a capital. The service's
  // errors are {"error": {"code", "message"}}.
  const { status, headers, data } = error.response;
  const type = headers["x-amzn-errortype"] ?? data.error?.code;
  const message = data.message ?? data.Message ?? data.error?.message ?? data; // API Gateway's 413 is plain text
  console.error(`${status} ${type}: ${message.split("\n")[0]}`); // later lines would hold the session token
  process.exitCode = 4;
}
