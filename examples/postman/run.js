// Runs a folder of the collection with newman, with the credentials of the AWS SDK's normal chain: node run.js [Movies|Refused]
import newman from "newman";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

const { MARQUEE_URL, MARQUEE_VPCE, AWS_REGION } = process.env;
const { accessKeyId, secretAccessKey, sessionToken } = await fromNodeProviderChain()();

// What the environment file leaves open, and what the shell says otherwise. Keys given so appear in no argument and file.
const values = {
  ...(MARQUEE_URL && { url: MARQUEE_URL }),
  ...(AWS_REGION && { region: AWS_REGION }),
  vpce: MARQUEE_VPCE ?? "",
  access_key: accessKeyId,
  secret_key: secretAccessKey,
  session_token: sessionToken ?? "",
};

const file = (name) => new URL(name, import.meta.url).pathname;
const run = newman.run(
  {
    collection: file("movies.postman_collection.json"),
    environment: file("local.postman_environment.json"),
    envVar: Object.entries(values).map(([key, value]) => ({ key, value })),
    folder: process.argv[2] ?? "Movies",
    reporters: "cli",
    reporter: { cli: { noConsole: true } }, // it would break long lines
    ignoreRedirects: true,
    timeoutRequest: 10_000,
  },
  (error, summary) => {
    if (error) throw error;
    process.exitCode = summary.run.failures.length > 0 ? 1 : 0;
  },
);
run.on("console", (error, { messages }) => console.log(" ", ...messages));
