// The signer of the AWS SDK for JavaScript, over node:http.
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { credentials, region, send, serve, tampered } from "./send.mjs";

const signer = new SignatureV4({ credentials, region, service: "execute-api", sha256: Sha256 });

await serve(async (order) => {
  const url = new URL(order.url);
  const query = {};
  for (const [name, value] of url.searchParams) query[name] = name in query ? [query[name], value].flat() : value;
  const signed = await signer.sign({
    protocol: "http:", hostname: url.hostname, port: Number(url.port), method: order.method, query,
    path: order.url.slice(url.origin.length).split("?")[0], headers: { ...order.headers, host: url.host }, body: order.body || undefined,
  });
  const escape = (s) => encodeURIComponent(s).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());
  const pairs = Object.entries(signed.query).flatMap(([n, v]) => [v].flat().map((x) => `${escape(n)}=${escape(x)}`));
  const path = signed.path + (pairs.length ? "?" + pairs.join("&") : "");
  return send({ host: url.host, method: signed.method, headers: signed.headers, ...tampered(order, { path, body: order.body }) });
});
