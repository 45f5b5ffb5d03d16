// Sends a request exactly as it was signed, and reads the orders: what the Node drivers share.
import http from "node:http";
import { createInterface } from "node:readline";

export const region = process.env.AWS_REGION;
export const credentials = {
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  sessionToken: process.env.AWS_SESSION_TOKEN,
};

export function send({ host, path, method, headers, body }) {
  const [hostname, port] = host.split(":");
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, body: text }));
    });
    request.on("error", reject);
    request.end(body || undefined);
  });
}

export function tampered(order, { path, body }) {
  if (order.tamper === "body") body = "X" + body.slice(1);
  if (order.tamper === "path") path = path.replace("movie_list", "movie_lisT");
  return { path, body };
}

export async function serve(call) {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await call(JSON.parse(line))));
  }
}
