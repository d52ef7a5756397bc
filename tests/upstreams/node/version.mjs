// Prints the versions of the packages that the arguments name, in one line; without arguments, that of Node.js.

import { readFileSync } from "node:fs";

const versions = process.argv.slice(2).map((name) => {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).version;
});
console.log(versions.join(" ") || process.versions.node);
