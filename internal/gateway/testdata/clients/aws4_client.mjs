// mhart/aws4 over node:http.
import aws4 from "aws4";
import { credentials, region, send, serve, tampered } from "./send.mjs";

await serve(async (order) => {
  const url = new URL(order.url);
  const signed = aws4.sign(
    {
      host: url.host, path: order.url.slice(url.origin.length), method: order.method, headers: { ...order.headers },
      body: order.body || undefined, service: "execute-api", region,
    },
    credentials,
  );
  return send({ host: url.host, method: signed.method, headers: signed.headers, ...tampered(order, signed) });
});
