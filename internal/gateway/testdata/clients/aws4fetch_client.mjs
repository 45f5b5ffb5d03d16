// mhart/aws4fetch over fetch.
import { AwsClient } from "aws4fetch";
import { credentials, region, serve } from "./send.mjs";

const aws = new AwsClient({ ...credentials, service: "execute-api", region, retries: 0 });

await serve(async (order) => {
  const request = await aws.sign(order.url, { method: order.method, headers: order.headers, body: order.body || undefined });
  const url = order.tamper === "path" ? request.url.replace("movie_list", "movie_lisT") : request.url;
  const body = order.tamper === "body" ? "X" + order.body.slice(1) : order.body || undefined;
  const response = await fetch(url, { method: order.method, headers: request.headers, body });
  return { status: response.status, body: await response.text() };
});
