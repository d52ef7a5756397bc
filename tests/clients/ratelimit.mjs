// A rate limit service for the tests in tests/envoy: so many requests for each descriptor, for as long as it runs. Its first line
// on standard output is its port; for each line that it then gets it prints what it has counted, as JSON. It ends when
// its input does.
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const limit = Number(process.env.LIMIT);
const counted = new Map();

function count({ domain, descriptors, hitsAddend }) {
  const statuses = descriptors.map(({ entries }) => {
    const name = [domain, ...entries.map(({ key, value }) => `${key}=${value}`)].join(" ");
    const hits = (counted.get(name) ?? 0) + (hitsAddend || 1);
    counted.set(name, hits);
    return { code: hits > limit ? "OVER_LIMIT" : "OK", limitRemaining: Math.max(limit - hits, 0) };
  });
  const isOver = statuses.some(({ code }) => code === "OVER_LIMIT");
  return { overallCode: isOver ? "OVER_LIMIT" : "OK", statuses };
}

const api = loadSync(fileURLToPath(new URL("ratelimit.proto", import.meta.url)), { defaults: true });
const server = new grpc.Server();
server.addService(api["envoy.service.ratelimit.v3.RateLimitService"], {
  shouldRateLimit: (call, done) => done(null, count(call.request)),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), async (error, port) => {
  if (error) throw error;
  console.log(port);
  for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(Object.fromEntries(counted)));
  process.exit();
});
