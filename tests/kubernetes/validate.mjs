// Reads resources of Kubernetes as JSON, and prints a list of faults for each. The models of npm check types, enums, patterns
// and bounds. They accept unknown fields, so TypeScript compares each resource with the type of its kind.
import { readFileSync } from "node:fs";
import ts from "typescript";

const resources = JSON.parse(readFileSync(0, "utf8"));

/** The module with the model of a kind; undefined for kinds that no package has. */
function moduleOf({ apiVersion, kind }) {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  const ours = ["", "apps", "policy", "networking.k8s.io"].includes(group) ? "kubernetes-models"
    : group === "gateway.networking.k8s.io" ? "@kubernetes-models/gateway-api"
    : group === "networking.istio.io" ? "@kubernetes-models/istio"
    : undefined;
  return ours && `${ours}/${apiVersion}/${kind}`;
}

/** What the model says about a resource. */
async function ofModel(resource) {
  const model = (await import(moduleOf(resource)))[resource.kind];
  try {
    new model(resource).validate();
    return [];
  } catch (error) {
    return [error.message];
  }
}

/** What TypeScript says about all resources: a file for each. */
function ofTypes() {
  const files = new Map(resources.map((resource, place) => [
    `${import.meta.dirname}/resource${place}.mts`,
    `import type { I${resource.kind} } from "${moduleOf(resource)}";\n` +
      `export const resource: I${resource.kind} = ${JSON.stringify(resource)};\n`,
  ]));
  const options = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name);
  const program = ts.createProgram([...files.keys()], options, host);
  const other = program.getGlobalDiagnostics();
  if (other.length > 0) throw new Error(ts.formatDiagnostics(other, host));
  return [...files.keys()].map((name) => ts.getPreEmitDiagnostics(program, program.getSourceFile(name))
    .map((found) => ts.flattenDiagnosticMessageText(found.messageText, "\n")));
}

const without = resources.filter((resource) => !moduleOf(resource));
if (without.length > 0) throw new Error(`no model: ${without.map(({ kind }) => kind)}`);
const types = ofTypes();
const models = await Promise.all(resources.map(ofModel));
console.log(JSON.stringify(models.map((faults, place) => [...faults, ...types[place]])));
