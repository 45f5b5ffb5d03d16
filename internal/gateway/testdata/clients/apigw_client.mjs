// The npm package aws-api-gateway-client, as its README has one use it. It signs what it sends and offers no way in
// between, so a tampered body is sent by a transport that changes it on its way.
import module from "aws-api-gateway-client";
import { credentials, region, serve } from "./send.mjs";

const factory = module.default ?? module;

await serve(async (order) => {
  const url = new URL(order.url);
  const stage = url.pathname.split("/")[1];
  const client = factory.newClient({
    invokeUrl: `${url.origin}/${stage}`, region, accessKey: credentials.accessKeyId, secretKey: credentials.secretAccessKey,
    sessionToken: credentials.sessionToken,
  });
  const queryParams = Object.fromEntries(url.searchParams);
  try {
    const response = await client.invokeApi({}, url.pathname.slice(stage.length + 1), order.method, { headers: order.headers, queryParams }, order.body ? JSON.parse(order.body) : {});
    return { status: response.status, body: JSON.stringify(response.data) };
  } catch (error) {
    if (!error.response) throw error;
    return { status: error.response.status, body: JSON.stringify(error.response.data) };
  }
});
