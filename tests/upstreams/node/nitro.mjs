// Nitro, the server below Nuxt, with h3 1 and routes by file name. This program builds it into SCRATCH and then runs it.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { host } from "./echo.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
execFileSync(process.execPath, [here("node_modules/nitropack/dist/cli/index.mjs"), "build", "--dir", here("nitro")], {
  env: { ...process.env, NITRO_TELEMETRY_DISABLED: "1" },
  stdio: ["ignore", "ignore", "inherit"],
});

process.env.HOST = host;
await import(`${process.env.SCRATCH}/output/server/index.mjs`);
