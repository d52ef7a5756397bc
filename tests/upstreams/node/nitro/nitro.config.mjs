import { fileURLToPath } from "node:url";

export default defineNitroConfig({
  rootDir: fileURLToPath(new URL(".", import.meta.url)),
  preset: "node-server",
  compatibilityDate: "2026-11-26",
  // The build writes nothing into the source tree.
  buildDir: `${process.env.SCRATCH}/build`,
  output: { dir: `${process.env.SCRATCH}/output` },
});
