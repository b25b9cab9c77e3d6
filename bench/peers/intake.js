// The peer of the webhook intake: a Probot app that verifies an issues event, puts the same message on a queue, answers.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { QueueClient } from "@azure/storage-queue";
import { createNodeMiddleware, Probot } from "probot";

const queue = new QueueClient(process.env.BENCH_STORAGE, process.env.BENCH_QUEUE);
await queue.createIfNotExists();

// Probot wants a key; it signs nothing here, because the app calls no API.
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const probot = new Probot({
  appId: 1,
  privateKey: privateKey.export({ type: "pkcs1", format: "pem" }),
  secret: process.env.BENCH_SECRET,
  logLevel: "warn",
});

const app = (robot) => {
  robot.on("issues", async (context) => {
    const envelope = {
      version: 1,
      forge: "github",
      id: context.id,
      event: context.name,
      received_at: new Date().toISOString(),
      correlation: context.id,
      body: JSON.stringify(context.payload),
      claim: "",
      replay: 0,
    };
    await queue.sendMessage(Buffer.from(JSON.stringify(envelope)).toString("base64"));
  });
};

const middleware = await createNodeMiddleware(app, { probot, webhooksPath: "/api/webhooks/github" });
const server = createServer((request, response) => {
  // Probot answers 200 when a delivery is handled; accepted is what it is here.
  const writeHead = response.writeHead;
  response.writeHead = (status, ...rest) => writeHead.call(response, status === 200 ? 202 : status, ...rest);
  middleware(request, response, () => response.writeHead(404).end());
});
server.keepAliveTimeout = 120_000;
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ ready: true, url: `http://127.0.0.1:${server.address().port}` }));
});
process.on("SIGTERM", () => process.exit(0));
